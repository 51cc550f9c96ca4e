"""Fill covered heads in the frames of a film, and check in the result that they are filled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from consent_gate.model import Box, Colour
from ingest.faces.protocols import RGB
from ingest.film.covers import Place
from publish.rendering.heads import clip
from publish.rendering.redact import Redaction, redact

EDGE_PX = 4
"""Pixels inside the edge of a cover in which the encoder mixes it with what is beside it."""
MAX_DIFFERENCE = 12.0
"""Largest mean difference, 0-255, of a part of a cover from its colour."""
PARTS = 6
"""Parts along each side of a cover that are compared one by one: the face alone fills one or more,
and the rest of the head must not outweigh it."""


def heads_of(places: Iterable[Place], scale: float) -> tuple[Box, ...]:
    """Return covered heads as whole pixels of the judged frame, rounded outwards.

    Args:
        places: In pixels of the upright original.
        scale: Width of the judged frame, divided by that of the original.
    """
    boxes = []
    for x, y, width, height in places:
        left, top = floor(x * scale), floor(y * scale)
        right, bottom = ceil((x + width) * scale), ceil((y + height) * scale)
        boxes.append(Box(left, top, max(right - left, 1), max(bottom - top, 1)))
    return tuple(boxes)


def covered_frame(rgb: RGB, heads: Sequence[Box], colour: Colour | None) -> RGB:
    """Return the frame with these heads filled; the frame itself where there are none.

    Args:
        rgb: The judged frame.
        heads: Covered heads in its pixels.
        colour: Colour of the covers. None: cells in the colours around each cover.
    """
    if not heads:
        return rgb
    return redact(rgb, tuple(Redaction(head, head, colour) for head in heads))


def heads_in(
    heads: Iterable[Box], judged: tuple[int, int], published: tuple[int, int]
) -> tuple[Box, ...]:
    """Return the filled regions of a judged frame in pixels of the published film.

    Args:
        heads: Covered heads in pixels of the judged frame.
        judged: Width and height of the judged frame.
        published: Width and height of the published film.
    """
    across, down = published[0] / judged[0], published[1] / judged[1]
    filled = (clip(head, *judged) for head in heads)
    return tuple(
        Box(
            ceil(head.x * across),
            ceil(head.y * down),
            floor(head.width * across),
            floor(head.height * down),
        )
        for head in filled
        if head is not None
    )


def are_filled(rgb: RGB, heads: Sequence[Box], colour: Colour | None) -> bool:
    """Return whether each of these regions of a published frame looks like a cover.

    Args:
        rgb: The published frame.
        heads: The filled regions in its pixels.
        colour: Colour of the covers. None: what is in the regions must follow from what is around
            them.
    """
    if not heads:
        return True
    # What was in the regions is taken out first, so nothing of it can be what is expected there.
    emptied = rgb.copy()
    for head in heads:
        emptied[head.y : head.y + head.height, head.x : head.x + head.width] = colour or 0
    expected = emptied
    if colour is None:
        expected = redact(emptied, tuple(Redaction(head, head, None) for head in heads))
    for head in heads:
        place = np.s_[
            head.y + EDGE_PX : head.y + head.height - EDGE_PX,
            head.x + EDGE_PX : head.x + head.width - EDGE_PX,
        ]
        if expected[place].size == 0:
            continue
        difference = np.abs(rgb[place].astype(np.int16) - expected[place]).mean(axis=2)
        if _largest_mean(difference) > MAX_DIFFERENCE:
            return False
    return True


def _largest_mean(difference: NDArray[np.float64]) -> float:
    """The mean of the part of a cover that differs most: shape (height, width)."""
    rows, columns = (min(PARTS, -(-side // EDGE_PX)) for side in difference.shape)
    parts = (
        part
        for row in np.array_split(difference, rows, axis=0)
        for part in np.array_split(row, columns, axis=1)
    )
    return max(float(part.mean()) for part in parts)
