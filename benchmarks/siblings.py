"""What WebP and AVIF cost and gain beside the JPEG, and how like the judged picture they are.

Every eighth picture of ``benchmarks.likeness``, as the website would have it. All are made and
proven by the same code as in use; one that the check refuses is counted.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.siblings
"""

from __future__ import annotations

import time
from itertools import islice

from benchmarks.likeness import Pixels, opened, pictures
from publish.rendering.render import ImageFormat, RenditionSpec, render
from publish.verification.likeness import Likeness, compare
from publish.verification.verify import Expected, verify

EVERY = 8


def main() -> None:
    """Print one row a format."""
    some = list(islice(pictures(), 0, None, EVERY))
    print(f"{len(some)} pictures, {RenditionSpec().max_side} px, quality {RenditionSpec().quality}")
    print("format  refused  KiB  ms to make  worst block  mean colour")
    for kind in ImageFormat:
        print(row(kind, some))


def row(kind: ImageFormat, some: list[Pixels]) -> str:
    """Refused, mean size and time, and the largest differences of any picture."""
    spec = RenditionSpec(kind=kind)
    likenesses: list[Likeness] = []
    size, refused, began = 0, 0, time.perf_counter()
    files = [render(rgb, spec) for rgb in some]
    took = time.perf_counter() - began
    for rgb, data in zip(some, files, strict=True):
        size += len(data)
        refused += bool(verify(data, Expected(rgb, spec)))
        likenesses.append(compare(opened(data), rgb, spec))
    return (
        f"{kind.value:6} {refused:8} {size / len(some) / 1024:4.0f} {took / len(some) * 1000:11.0f}"
        f" {max(likenesse.worst_block for likenesse in likenesses):12.1f}"
        f" {max(likenesse.mean_colour for likenesse in likenesses):12.1f}"
    )


if __name__ == "__main__":
    main()
