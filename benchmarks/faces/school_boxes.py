"""Count extra boxes and missed people in the made-up school's photos, and time each step.

The truth counts the people who were placed in each picture, not the bystanders in their portraits.
An extra box may show such a bystander, so all extra boxes are drawn on one sheet for a person to
judge.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from consent_gate.model import FaceKind
from ingest.faces.finder import FaceFinder, default_finder
from ingest.faces.protocols import RGB, FoundFace

THUMB = 128


def report_school(school: Path, out: Path) -> None:
    """Print the table, write ``out/school-boxes.png``."""
    finder = default_finder()
    extra: list[tuple[RGB, FoundFace]] = []
    missed, unsure, with_extra, with_sure_extra, people_shown = 0, 0, 0, 0, 0
    seconds, pixels = [], []
    with (school / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        rgb = _upright(school / "events" / row["file"])
        people = len(row["people"].split())
        start = time.process_time()
        found = sorted(finder.find(rgb), key=lambda face: -face.score)
        seconds.append(time.process_time() - start)
        pixels.append(rgb.shape[0] * rgb.shape[1] / 1e6)
        people_shown += people
        missed += max(0, people - len(found))
        unsure += sum(face.kind is FaceKind.POSSIBLE for face in found[:people])
        beyond = found[people:]
        extra += [(_cut_out(rgb, face), face) for face in beyond]
        with_extra += bool(beyond)
        with_sure_extra += any(face.kind is FaceKind.FACE for face in beyond)
    print(
        f"{len(rows)} photos, {people_shown} people shown, {missed} missed, {unsure} possible only"
    )
    share = 100 * with_extra / len(rows)
    print(f"photos with a box beyond the people shown: {with_extra} ({share:.1f} %)")
    print(f"  of which with one that is surely a face (a bystander): {with_sure_extra}")
    for low, high in ((0, 1), (1, 3), (3, 8), (8, 20)):
        part = [s for s, size in zip(seconds, pixels, strict=True) if low <= size < high]
        if part:
            print(f"{low}-{high} MP: {len(part)} photos, {np.mean(part):.2f} s CPU a photo")
    _sheet(extra, out / "school-boxes.png")
    _steps(finder, [_upright(school / "events" / row["file"]) for row in rows[-12:]])


def _steps(finder: FaceFinder, pictures: Sequence[RGB]) -> None:
    """CPU milliseconds of each step, mean over the pictures given."""
    spent = np.zeros(4)
    for rgb in pictures:
        marks = [time.process_time()]
        views = finder.views(rgb)
        marks.append(time.process_time())
        seen = finder.detect_full(views)
        marks.append(time.process_time())
        finder.detect_tiles(rgb, views, seen)
        marks.append(time.process_time())
        finder.find(rgb)
        marks.append(time.process_time())
        spent += np.diff(marks) * 1000 / len(pictures)
    spent[3] -= spent[:3].sum()
    names = ("resize", "whole views", "tiles", "turned views and merging")
    print("; ".join(f"{name} {ms:.0f} ms" for name, ms in zip(names, spent, strict=True)))


def _upright(path: Path) -> RGB:
    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def _cut_out(rgb: RGB, face: FoundFace) -> RGB:
    """Cut out the box with a margin of its own size."""
    box = face.box
    half = max(box.width, box.height)
    middle_x, middle_y = box.x + box.width // 2, box.y + box.height // 2
    part = rgb[max(0, middle_y - half) : middle_y + half, max(0, middle_x - half) : middle_x + half]
    return np.asarray(
        cv2.resize(part, (THUMB, THUMB), interpolation=cv2.INTER_AREA), dtype=np.uint8
    )


def _sheet(extra: Sequence[tuple[RGB, FoundFace]], path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    tiles = []
    for thumb, face in sorted(extra, key=lambda pair: -pair[1].score):
        label = f"{face.kind.value} {face.score:.2f}"
        tiles.append(cv2.putText(thumb.copy(), label, (3, 12), 0, 0.4, (255, 0, 0)))
    tiles += [np.zeros((THUMB, THUMB, 3), np.uint8)] * (-len(tiles) % 10)
    if tiles:
        lines = [np.hstack(tiles[i : i + 10]) for i in range(0, len(tiles), 10)]
        Image.fromarray(np.vstack(lines)).save(path)
        print(f"Written: {path}")
