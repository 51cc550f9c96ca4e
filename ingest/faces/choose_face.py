"""Choose one face of those found in a picture by its place, and the part of a picture around it."""

from __future__ import annotations

from collections.abc import Sequence

from consent_gate.model import Box, FaceKind
from ingest.faces.protocols import RGB, FoundFace


def around(rgb: RGB, box: Box) -> Box:
    """The part of a picture with a face in its middle: the box and as much again on each side."""
    height, width = rgb.shape[:2]
    left, top = max(0, box.x - box.width), max(0, box.y - box.height)
    right = min(width, box.x + 2 * box.width)
    bottom = min(height, box.y + 2 * box.height)
    return Box(left, top, max(1, right - left), max(1, bottom - top))


def at_place(found: Sequence[FoundFace], box: Box, least: float) -> FoundFace | None:
    """The certain face that lies most in a box, with an overlap above ``least``; None for none."""
    near = [face for face in certain(found) if face.box.overlap(box) > least]
    return max(near, key=lambda face: face.box.overlap(box), default=None)


def certain(found: Sequence[FoundFace]) -> list[FoundFace]:
    """The faces on which the detectors agree."""
    return [face for face in found if face.kind is FaceKind.FACE]
