"""Compare WebP and AVIF with JPEG: file size, time to encode, difference from the judged pixels.

It renders every eighth picture of ``benchmarks.likeness`` with the default settings of a website,
with the product's own code, and counts the files that verification refuses.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.siblings
"""

from __future__ import annotations

import time
from itertools import islice

from benchmarks.likeness import Pixels, opened, pictures
from benchmarks.machine import heading
from publish.rendering.render import ImageFormat, RenditionSpec, render
from publish.verification.likeness import Likeness, compare
from publish.verification.verify import Expected, verify

EVERY = 8


def main() -> None:
    """Print one row a format."""
    print(heading("WebP and AVIF beside JPEG"), flush=True)
    sample = list(islice(pictures(), 0, None, EVERY))
    print(
        f"{len(sample)} pictures, {RenditionSpec().max_side} px, quality {RenditionSpec().quality}"
    )
    print("format  refused  KiB  ms to make  worst block  mean colour")
    for kind in ImageFormat:
        print(row(kind, sample))


def row(kind: ImageFormat, sample: list[Pixels]) -> str:
    """Number refused, mean size and time, and the largest differences of any picture."""
    spec = RenditionSpec(kind=kind)
    likenesses: list[Likeness] = []
    size, refused, began = 0, 0, time.perf_counter()
    files = [render(rgb, spec) for rgb in sample]
    took = time.perf_counter() - began
    for rgb, data in zip(sample, files, strict=True):
        size += len(data)
        refused += bool(verify(data, Expected(rgb, spec)))
        likenesses.append(compare(opened(data), rgb, spec))
    count = len(sample)
    return (
        f"{kind.value:6} {refused:8} {size / count / 1024:4.0f} {took / count * 1000:11.0f}"
        f" {max(likeness.worst_block for likeness in likenesses):12.1f}"
        f" {max(likeness.mean_colour for likeness in likenesses):12.1f}"
    )


if __name__ == "__main__":
    main()
