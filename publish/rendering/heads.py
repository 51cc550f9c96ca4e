"""Work out which part of a picture has to be covered so that a whole head is hidden.

Boxes of faces end at the brow, the chin and the cheeks. Hair, ears and hats are recognisable too.
The shares were chosen by looking at faces with their covers (docs/adr/0024-covered-heads.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from consent_gate.model import Box, Examined, FaceEvidence

ABOVE = 0.75
"""Share of the box's height by which a cover goes beyond it at the top, for hair and hats."""

AROUND = 0.6
"""The same at the other sides. The top of a head that lies or hangs is there, and the landmarks of
such faces do not say reliably that they are turned."""

TURNED = 0.9
"""The same where a face is turned, or nothing was measured of it: the back of the head is there."""

TURNED_FROM = 0.35
"""``Quality.yaw`` from which a face counts as turned: about 35 degrees."""

_SMALLEST = 3
"""Pixels that a cover goes beyond every side at least; boxes of small faces are that uncertain."""


def head_of(box: Box, face: FaceEvidence | None = None) -> Box:
    """Return the box around a whole head; it may reach beyond the picture.

    Args:
        box: The box of the face, in pixels.
        face: What was measured of it. None if nothing was, or if a person drew the box.
    """
    is_frontal = face is not None and face.quality is not None and face.quality.yaw < TURNED_FROM
    beside, up, down = (
        max(_SMALLEST, math.ceil(length))
        for length in margins_of(box.width, box.height, is_frontal=is_frontal)
    )
    return Box(box.x - beside, box.y - up, box.width + 2 * beside, box.height + up + down)


def margins_of(
    width: float, height: float, *, is_frontal: bool = False
) -> tuple[float, float, float]:
    """Return how far a cover goes beyond a face's box: beside it, above it and below it.

    Args:
        width: Width of the box, in pixels.
        height: Its height.
        is_frontal: Whether the face was measured, and is not turned.
    """
    around = AROUND if is_frontal else TURNED
    return around * width, max(ABOVE, around) * height, around * height


def heads_of(picture: Examined) -> dict[Box, Box]:
    """Return what covers each face and each name of a picture, by its box."""
    names = {name.box: name.box.with_margin() for name in picture.names}
    return names | dict(_heads(picture))


def clip(box: Box, width: int, height: int) -> Box | None:
    """Return the part of a box that lies in a picture of this size; None if there is none."""
    left, top = max(0, box.x), max(0, box.y)
    right, bottom = min(width, box.x + box.width), min(height, box.y + box.height)
    if right <= left or bottom <= top:
        return None
    return Box(left, top, right - left, bottom - top)


def _heads(picture: Examined) -> Iterator[tuple[Box, Box]]:
    for face in picture.faces:
        yield face.box, head_of(face.box, face)
