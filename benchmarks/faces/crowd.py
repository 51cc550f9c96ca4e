"""Read the annotated crowd pictures and score boxes against the annotations.

The annotations are in ``groups/boxes.csv`` of the test photos, one face a row. A box is correct if
it overlaps a face's box by at least ``overlap`` (intersection over union); boxes with the highest
scores are assigned first, one box a face. Rows marked unclear count neither way. Every other box is
false, even if it shows a face that the annotators left out.
"""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import SHARED
from ingest.faces.clustering import overlaps

OVERLAP = 0.4
"""Smallest intersection over union of a correct box. The tables also show 0.3 and 0.5."""
SIZES = ((40, ">=40"), (20, "20-40"), (12, "12-20"), (0, "<12"))
COLUMNS = ("<12", "12-20", "20-40", ">=40", "hidden", "odd pose")


@dataclass(frozen=True)
class Face:
    """One annotated face."""

    box: tuple[float, float, float, float]
    """x, y, width, height in pixels."""
    occlusion: int
    """0 none, 1 part, 2 most."""
    odd_pose: bool
    unclear: bool

    @property
    def columns(self) -> list[str]:
        """The table columns in which it counts; "hidden" and "odd pose" only from 12 px up."""
        size = next(name for least, name in SIZES if self.box[3] >= least)
        if self.box[3] < 12:
            return [size]
        return [size, *["hidden"] * (self.occlusion > 0), *["odd pose"] * self.odd_pose]


@dataclass(frozen=True, eq=False)
class Boxes:
    """The boxes that a method found in one picture."""

    places: NDArray[np.float64]
    """Shape (n, 4): x, y, width, height."""
    scores: NDArray[np.float64]
    """Shape (n,). Only the order within and between pictures matters; higher is more certain."""


@dataclass(frozen=True)
class Recall:
    """Percentage of faces found by column, and false boxes a picture."""

    found: Mapping[str, float]
    false_boxes: float
    cutoff: float
    """Lowest score of the boxes counted."""


def truth() -> dict[str, list[Face]]:
    """The annotated faces by file name."""
    faces: dict[str, list[Face]] = defaultdict(list)
    with (SHARED / "groups" / "boxes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            box = tuple(float(row[name]) for name in ("x", "y", "width", "height"))
            faces[row["file"]].append(
                Face(
                    box=(box[0], box[1], box[2], box[3]),
                    occlusion=int(row["occlusion"]),
                    odd_pose=row["atypical_pose"] == "1",
                    unclear=row["unclear"] == "1" or box[3] <= 0,
                )
            )
    return dict(faces)


def is_for_report(file: str) -> bool:
    """Whether the file, by hash of its name, is in the report half, on which nothing is fitted."""
    return hashlib.sha256(file.encode()).digest()[-1] % 2 == 1


def matches(boxes: Boxes, faces: Sequence[Face], overlap: float = OVERLAP) -> list[Face | bool]:
    """For each box, in order: the face it found, False for a false box, True for an unclear row."""
    verdicts: list[Face | bool] = [False] * len(boxes.scores)
    truth_boxes = np.array([face.box for face in faces], dtype=np.float64).reshape(-1, 4)
    free = np.ones(len(faces), dtype=bool)
    for i in np.argsort(-boxes.scores):
        shares = np.where(free, overlaps(boxes.places[i], truth_boxes), -1.0)
        if not len(shares) or shares.max() < overlap:
            continue
        face = faces[int(shares.argmax())]
        verdicts[int(i)] = True if face.unclear else face
        free[int(shares.argmax())] = face.unclear
    return verdicts


def recall(
    found: Mapping[str, Boxes],
    faces: Mapping[str, Sequence[Face]],
    most_false: float = float("inf"),
    overlap: float = OVERLAP,
) -> Recall:
    """Recall at the lowest cut-off with at most ``most_false`` false boxes a picture."""
    judged = [
        (float(score), verdict)
        for file, boxes in found.items()
        for score, verdict in zip(boxes.scores, matches(boxes, faces[file], overlap), strict=True)
    ]
    judged.sort(key=lambda pair: -pair[0])
    hits: Counter[str] = Counter()
    false = 0
    cutoff = float("-inf")
    for score, verdict in judged:
        false += verdict is False
        if false > most_false * len(found):
            false, cutoff = false - 1, score
            break
        hits.update(verdict.columns if isinstance(verdict, Face) else [])
    total = Counter(c for file in found for f in faces[file] if not f.unclear for c in f.columns)
    shares = {column: 100 * hits[column] / max(total[column], 1) for column in COLUMNS}
    return Recall(shares, false / max(len(found), 1), cutoff)
