"""Describes a closed picture so that it is found inside another one, and finds it there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from consent_gate.matching.copies.face_patches import FACE, MAX_FACES, Faces, faces_of, shows_a_face
from consent_gate.matching.copies.likely_copies import likely_copies
from consent_gate.matching.copies.picture_points import (
    CLOSED_POINTS,
    CLOSED_SIDE,
    POINT,
    VIEW_SIDE,
    Luma,
    Points,
    placed,
    points_of,
    reduced,
    views_of,
)
from consent_gate.model import Box

DESCRIBED_SIDE = VIEW_SIDE
"""Longest side in pixels of the picture from which a description is made."""
MAX_BYTES = 1 + CLOSED_POINTS * POINT.itemsize + MAX_FACES * FACE.itemsize
"""Most bytes of a description as it is stored."""
PLACED_WITHOUT_FACE = 12
"""Fewest placed points where no face of the closed picture can be compared."""


@dataclass(frozen=True)
class Description:
    """Points of a closed picture, and the coarse shades of its faces. It is no picture."""

    points: Points
    faces: Faces

    def to_bytes(self) -> bytes:
        """As it is stored: the number of faces in one byte, the faces, and the points."""
        return bytes([len(self.faces)]) + self.faces.tobytes() + self.points.tobytes()

    @classmethod
    def from_bytes(cls, stored: bytes) -> Description:
        """The description that ``to_bytes`` made; without points and faces if it is empty."""
        end = 1 + stored[0] * FACE.itemsize if stored else 0
        return cls(np.frombuffer(stored[end:], POINT), np.frombuffer(stored[1:end], FACE))


def describe(luma: Luma, faces: Sequence[Box]) -> Description:
    """Describe a picture that is closed.

    Args:
        luma: Brightness, ``(height, width)``, 0 to 255, at most ``DESCRIBED_SIDE`` pixels a side.
        faces: Its faces, in pixels of ``luma``.
    """
    scale = reduced(luma, CLOSED_SIDE)[1]
    return Description(points_of(luma), faces_of(luma, faces, scale))


def shown_in(luma: Luma, closed: Sequence[Description]) -> list[int]:
    """Find closed pictures that are shown in a picture, whole or in part.

    A closed picture is shown if enough of its points have a place in the picture, and one of its
    faces has the same pixels there. Where no face of it can be compared, more points are needed.

    Args:
        luma: Brightness, ``(height, width)``, 0 to 255, at most ``DESCRIBED_SIDE`` pixels a side.
        closed: The closed pictures.

    Returns:
        Indices of ``closed``, in ascending order.
    """
    views = views_of(luma)
    found = set()
    for index, number in likely_copies(views, [one.points for one in closed]):
        one, view = closed[index], views[number]
        place = placed(one.points, view)
        if place is None:
            continue
        same = shows_a_face(one.faces, luma, place.move, is_negative=view.is_negative)
        if same or (same is None and place.points >= PLACED_WITHOUT_FACE):
            found.add(index)
    return sorted(found)
