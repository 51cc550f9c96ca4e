"""What each photo of the made school shows, and which group of photos it belongs to."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from consent_gate.model import Box, FaceEvidence, FaceKind

SIZES = {"2-6": range(2, 7), "8-12": range(8, 13), "15-20": range(15, 21)}
CHANNEL = "website"


@dataclass(frozen=True)
class Photo:
    """What one photo shows."""

    people: int
    allowed: bool
    """Whether consent lets the machine release it on the website."""
    faces: tuple[tuple[str, Box], ...]
    """Admission number, or ``visitor``, and where the head was pasted."""

    def person_at(self, box: Box) -> str:
        """Who is shown in a box that the gate found; empty where nobody was pasted."""
        x, y = box.x + box.width / 2, box.y + box.height / 2
        inside = (
            number
            for number, b in self.faces
            if b.x <= x <= b.x + b.width and b.y <= y <= b.y + b.height
        )
        return next(inside, "")

    def faces_meant(self, found: Sequence[FaceEvidence]) -> set[int]:
        """Indexes of the faces nearest to the middle of each head; sure faces come first.

        Every other face is a bystander or a thing that was cut out together with the person meant.
        """
        meant = set()
        for _, head in self.faces:
            inside = {
                index: (
                    face.kind is FaceKind.POSSIBLE,
                    abs(_middle(face.box)[0] - _middle(head)[0]),
                )
                for index, face in enumerate(found)
                if head.contains(_middle(face.box))
            }
            if inside:
                meant.add(min(inside, key=inside.__getitem__))
        return meant


def _middle(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2


def read_photos(school: Path) -> dict[str, Photo]:
    """Every photo by its path below the events folder."""
    faces: dict[str, list[tuple[str, Box]]] = {}
    with (school / "faces.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            box = Box(*(int(row[key]) for key in ("x", "y", "width", "height")))
            faces.setdefault(row["file"], []).append((row["pupil"], box))
    with (school / "photos.csv").open(encoding="utf-8") as file:
        return {
            row["file"]: Photo(int(row["people"]), row["website"] == "1", tuple(faces[row["file"]]))
            for row in csv.DictReader(file)
        }


def size_of(photo: Photo) -> str:
    """The group of a photo by its number of people: a key of ``SIZES``."""
    return next(name for name, sizes in SIZES.items() if photo.people in sizes)
