"""Measure how well ``publish.verification.likeness`` separates correct renditions from wrong ones.

Correct renditions: each picture at several sizes and qualities. Wrong renditions: one patch of 24
px taken from another place of the picture (the smallest error that matters), a crop that is off by
eight pixels, mirrored pixels, red and blue exchanged. Covered faces: the annotated boxes of
``groups/``, with each kind of cover and without a cover. The thresholds of
``publish.verification.likeness`` lie between the printed values.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.likeness
"""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.data import SHARED
from benchmarks.machine import heading
from consent_gate.model import COVER_GREY, Box
from ingest.decoding.decode import DecodeError, DecodeLimits, decode
from publish.rendering.heads import head_of
from publish.rendering.redact import Redaction
from publish.rendering.render import Chroma, RenditionSpec, render
from publish.verification.likeness import (
    BLOCK,
    HIDDEN_CORRELATION,
    MEAN_COLOUR,
    WORST_BLOCK,
    Likeness,
    compare,
)

Pixels = NDArray[np.uint8]

SPECS = [
    RenditionSpec(max_side=side, quality=quality, chroma=chroma)
    for side in (400, 1600)
    for quality, chroma in ((60, Chroma.HALF), (85, Chroma.HALF), (92, Chroma.FULL))
]
PATCH = 24


def opened(data: bytes) -> Pixels:
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def pictures() -> Iterator[Pixels]:
    """Every eighth event photo, every group picture, every unusual file that can be decoded."""
    files = sorted((SHARED / "school" / "events").rglob("*.*"))[::8]
    files += sorted((SHARED / "groups" / "images").glob("*.jpg"))
    files += sorted((SHARED / "metadata").glob("*"))
    for file in files:
        try:
            yield decode(file.read_bytes(), DecodeLimits()).rgb
        except DecodeError:
            continue


def patched(published: Pixels, random: np.random.Generator) -> Pixels | None:
    """Replace one patch by another that differs visibly; None if the picture is too small."""
    height, width = published.shape[:2]
    if min(height, width) < 3 * PATCH:
        return None
    wrong = published.copy()
    for _ in range(100):
        y, v = random.integers(0, height - PATCH, 2)
        x, u = random.integers(0, width - PATCH, 2)
        target, source = (
            wrong[y : y + PATCH, x : x + PATCH],
            published[v : v + PATCH, u : u + PATCH],
        )
        if np.abs(target.astype(int) - source).mean() > 30:
            target[:] = source
            return wrong
    return None


def compare_whole_pictures() -> dict[str, list[Likeness]]:
    """Likeness of each rendition, by kind of error."""
    random = np.random.default_rng(0)
    found: dict[str, list[Likeness]] = {
        name: [] for name in ("faithful", "patch", "mirrored", "crop off by 8", "blue for red")
    }
    for rgb in pictures():
        for spec in SPECS:
            published = opened(render(rgb, spec))
            found["faithful"].append(compare(published, rgb, spec))
            wrong = patched(published, random)
            if wrong is not None:
                found["patch"].append(compare(wrong, rgb, spec))
        found["mirrored"].append(compare(np.ascontiguousarray(published[:, ::-1]), rgb, spec))
        if np.ptp(published, axis=2).mean() > 8:  # it cannot be seen in grey pictures
            swapped = np.ascontiguousarray(published[:, :, ::-1])
            found["blue for red"].append(compare(swapped, rgb, spec))
        if min(rgb.shape[:2]) > 64:
            found["crop off by 8"].append(off_by_eight(rgb, spec))
    return found


def off_by_eight(rgb: Pixels, spec: RenditionSpec) -> Likeness:
    """Likeness of a rendition whose crop is off by eight pixels."""
    width, height = rgb.shape[1] - 16, rgb.shape[0] - 16
    asked = dataclasses.replace(spec, crop=Box(8, 8, width, height))
    made = dataclasses.replace(spec, crop=Box(0, 0, width, height))
    return compare(opened(render(rgb, made)), rgb, asked)


def compare_covers() -> dict[str, list[float]]:
    """Correlation of fine detail under each kind of cover, and without the cover."""
    found: dict[str, list[float]] = {"grey": [], "cells": [], "forgotten": []}
    worst: list[float] = []
    rows = list(csv.DictReader((SHARED / "groups" / "boxes.csv").open()))
    for row in rows[::4]:
        image = cv2.imread(str(SHARED / "groups" / "images" / row["file"]))
        rgb = np.ascontiguousarray(np.asarray(image, np.uint8)[:, :, ::-1])
        box = Box(*(round(float(row[k])) for k in ("x", "y", "width", "height")))
        for name, fill in (("grey", COVER_GREY), ("cells", None)):
            spec = RenditionSpec(redactions=(Redaction(box, head_of(box), fill),))
            result = compare(opened(render(rgb, spec)), rgb, spec)
            found[name].append(result.cover_correlation)
            worst.append(result.worst_block)
        bare = opened(render(rgb, RenditionSpec()))
        found["forgotten"].append(compare(bare, rgb, spec).cover_correlation)
    found["(worst block outside covers)"] = worst
    return found


def table(title: str, found: dict[str, list[float]], threshold: float) -> None:
    print(f"\n{title} (threshold {threshold})")
    print(f"{'':30}{'n':>7}{'min':>9}{'1 %':>9}{'median':>9}{'99 %':>9}{'max':>9}")
    for name, values in found.items():
        points = np.percentile(values, (0, 1, 50, 99, 100))
        print(f"{name:30}{len(values):7}" + "".join(f"{p:9.2f}" for p in points))


def main() -> None:
    cv2.setNumThreads(1)
    print(heading("Correct and wrong renditions"), flush=True)
    whole = compare_whole_pictures()
    worst = {name: [x.worst_block for x in values] for name, values in whole.items()}
    colour = {name: [x.mean_colour for x in values] for name, values in whole.items()}
    table(f"worst {BLOCK} px block, luma 0-255", worst, WORST_BLOCK)
    table("mean colour difference, 0-255", colour, MEAN_COLOUR)
    table("correlation of detail under a cover, -1 to 1", compare_covers(), HIDDEN_CORRELATION)


if __name__ == "__main__":
    main()
