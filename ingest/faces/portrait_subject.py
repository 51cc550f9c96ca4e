"""Choose whom a portrait shows: one person, or nobody where two could be meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ingest.faces.protocols import RGB, FoundFace

BYSTANDER_AREA = 0.5
"""A second face in a portrait is a bystander if its box has less than this share of the first box's
area. With a larger second face the portrait is refused, as either person could be meant. Of the
made-up school's 181 portraits that may be enrolled, 7 show bystanders; the largest has 0.49 of the
area and is cut by the picture's edge."""


def subject_of(rgb: RGB, faces: Sequence[FoundFace]) -> FoundFace | None:
    """The face of the person whom the portrait shows; None when two people could be meant.

    It is the most central of the large faces, if every other face is a bystander and farther from
    the middle. A box whose middle lies inside the subject's box is the same face found twice.
    """
    largest = max(_area(face) for face in faces)
    large = [face for face in faces if _area(face) >= BYSTANDER_AREA * largest]
    subject = min(large, key=lambda face: _distance_from_middle(rgb, face))
    others = [
        face for face in faces if face is not subject and not subject.box.contains(face.box.middle)
    ]
    if any(_area(face) >= BYSTANDER_AREA * _area(subject) for face in others):
        return None
    if any(
        _distance_from_middle(rgb, face) <= _distance_from_middle(rgb, subject) for face in others
    ):
        return None
    return subject


def only_face(faces: Sequence[FoundFace]) -> FoundFace | None:
    """The largest face, if every other box is the same face found twice; otherwise None."""
    largest = max(faces, key=_area)
    return largest if all(largest.box.contains(face.box.middle) for face in faces) else None


def _area(face: FoundFace) -> int:
    return face.box.width * face.box.height


def _distance_from_middle(rgb: RGB, face: FoundFace) -> float:
    """Pixels between the middle of the box and the middle of the picture."""
    height, width = rgb.shape[:2]
    x, y = face.box.middle
    return float(np.hypot(x - width / 2, y - height / 2))
