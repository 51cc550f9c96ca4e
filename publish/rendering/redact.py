"""Cover regions of a picture so that nobody in them can be recognised.

The pixels are replaced at full resolution, before scaling, so the file contains nothing from which
the region could be restored. What replaces them depends on the settings and on pixels outside all
covers, never on a covered pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from consent_gate.model import COVER_GREY, Box, Colour
from publish.rendering.heads import clip, head_of


@dataclass(frozen=True)
class Redaction:
    """A region to cover, in pixels of the upright original."""

    box: Box
    """The face, or the text, that must not be seen."""
    region: Box | None = None
    """What is covered. None: the whole head around a face of which nothing was measured."""
    colour: Colour | None = COVER_GREY
    """Colour of the cover. None: large square cells in the colours around the cover."""

    @property
    def covers(self) -> Box:
        """What is covered; it may reach beyond the picture."""
        return self.region or head_of(self.box)


CELLS = 8
"""Cells along the longer side of a cover in the colours around it."""

_RIM = 8
"""Share of a cover's shorter side, 1 / _RIM, that is read around it."""

_SMALLEST_RIM = 2
"""The same in pixels for small covers."""


def redact(rgb: NDArray[np.uint8], redactions: tuple[Redaction, ...]) -> NDArray[np.uint8]:
    """A copy of ``rgb`` with all regions covered.

    Args:
        rgb: (height, width, 3), uint8, RGB.
        redactions: The regions, in pixels of ``rgb``.
    """
    covered = rgb.copy()
    height, width = rgb.shape[:2]
    clipped = [(clip(r.covers, width, height), r.colour) for r in redactions]
    regions = [(box, colour) for box, colour in clipped if box is not None]
    is_seen: NDArray[np.bool_] | None = None
    for box, colour in regions:
        if colour is None:
            if is_seen is None:
                is_seen = _outside(height, width, [box for box, _ in regions])
            _fill_with_cells(covered, box, is_seen)
        else:
            _part(covered, box)[:] = colour
    return covered


def _outside(height: int, width: int, boxes: list[Box]) -> NDArray[np.bool_]:
    """Which pixels lie outside all covers: (height, width)."""
    is_seen = np.ones((height, width), np.bool_)
    for box in boxes:
        is_seen[box.y : box.y + box.height, box.x : box.x + box.width] = False
    return is_seen


def _part(rgb: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    return rgb[box.y : box.y + box.height, box.x : box.x + box.width]


def _fill_with_cells(rgb: NDArray[np.uint8], box: Box, is_seen: NDArray[np.bool_]) -> None:
    """Fill a cover, in place, with cells in the colours of the rim around it.

    Each cell is the mean of the rim's colours; the nearer a part of the rim is, the more it counts.

    Args:
        rgb: (height, width, 3), uint8, RGB.
        box: The cover, within the picture.
        is_seen: Which pixels of ``rgb`` lie outside all covers; no others are read.
    """
    side = max(1, -(-max(box.width, box.height) // CELLS))
    rows = _edges(box.y, box.height, side)
    columns = _edges(box.x, box.width, side)
    places, colours = _rim(rgb, box, is_seen, rows, columns)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            if not len(places):
                rgb[top:bottom, left:right] = COVER_GREY
                continue
            middle = ((top + bottom) / 2, (left + right) / 2)
            nearness = 1 / ((places - middle) ** 2).sum(axis=1)
            mean = nearness @ colours / nearness.sum()
            rgb[top:bottom, left:right] = np.clip(mean.round(), 0, 255).astype(np.uint8)


def _rim(
    rgb: NDArray[np.uint8],
    box: Box,
    is_seen: NDArray[np.bool_],
    rows: list[int],
    columns: list[int],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The middles (n, 2), as row and column, and mean colours (n, 3) of the parts of the rim."""
    depth = max(_SMALLEST_RIM, min(box.width, box.height) // _RIM)
    below, right = box.y + box.height, box.x + box.width
    parts = [
        *((top, bottom, box.x - depth, box.x) for top, bottom in pairwise(rows)),
        *((top, bottom, right, right + depth) for top, bottom in pairwise(rows)),
        *((box.y - depth, box.y, first, last) for first, last in pairwise(columns)),
        *((below, below + depth, first, last) for first, last in pairwise(columns)),
    ]
    places, colours = [], []
    for top, bottom, first, last in parts:
        place = np.s_[max(0, top) : max(0, bottom), max(0, first) : max(0, last)]
        seen = rgb[place][is_seen[place]]
        if len(seen):
            places.append(((top + bottom) / 2, (first + last) / 2))
            colours.append(seen.mean(axis=0))
    return np.array(places, np.float64), np.array(colours, np.float64)


def _edges(start: int, length: int, side: int) -> list[int]:
    """The borders of the cells along a side; the cells are about ``side`` pixels long."""
    cells = max(1, round(length / side))
    return [start + length * i // cells for i in range(cells + 1)]
