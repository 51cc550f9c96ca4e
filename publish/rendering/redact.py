"""Make a region of a picture unrecognisable, for good.

The pixels themselves are replaced, at full resolution, before any scaling, so nothing of the
region is left in the file to be recovered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from consent_gate.model import Box


class RedactionStyle(StrEnum):
    """How a region is covered."""

    SOLID = "solid"
    MOSAIC = "mosaic"


@dataclass(frozen=True)
class Redaction:
    """A region that staff want covered, in pixels of the upright original."""

    box: Box
    style: RedactionStyle = RedactionStyle.SOLID


MOSAIC_CELLS = 4
"""Cells along each side of a mosaic, at most. Networks recognise faces under finer ones (McPherson,
Shokri, Shmatikov 2016, "Defeating Image Obfuscation with Deep Learning": mosaics of 8 and more
cells across a face); sixteen colours are kept because a picture looks less brutal with them."""

_CELL_PX = 8
"""A cell is at least a JPEG block wide; small regions get fewer cells."""

SOLID_RGB = (96, 96, 96)
"""One grey for all: the region's own mean colour would tell skin from cloth."""


def grown(box: Box, width: int, height: int) -> Box | None:
    """The whole head, clipped to a picture of ``width`` x ``height`` pixels.

    None where nothing of it lies in the picture.
    """
    head = box.with_margin()
    left, top = max(0, head.x), max(0, head.y)
    right, bottom = min(width, head.x + head.width), min(height, head.y + head.height)
    if right <= left or bottom <= top:
        return None
    return Box(left, top, right - left, bottom - top)


def redact(rgb: NDArray[np.uint8], redactions: tuple[Redaction, ...]) -> NDArray[np.uint8]:
    """A copy of ``rgb`` (height, width, 3; uint8; RGB) with every region covered.

    Solid covers go on last, so that none can be softened by a mosaic that overlaps it.
    """
    covered = rgb.copy()
    height, width = rgb.shape[:2]
    for redaction in sorted(redactions, key=lambda r: r.style is RedactionStyle.SOLID):
        box = grown(redaction.box, width, height)
        if box is None:
            continue
        region = covered[box.y : box.y + box.height, box.x : box.x + box.width]
        if redaction.style is RedactionStyle.SOLID:
            region[:] = SOLID_RGB
        else:
            _mosaic(region)
    return covered


def _mosaic(region: NDArray[np.uint8]) -> None:
    """Replace each cell by its mean colour, in place."""
    height, width = region.shape[:2]
    rows, columns = _edges(height), _edges(width)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            cell = region[top:bottom, left:right]
            cell[:] = cell.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)


def _edges(length: int) -> list[int]:
    """Where the cells along a side of ``length`` pixels begin and end."""
    cells = max(1, min(MOSAIC_CELLS, length // _CELL_PX))
    return [length * i // cells for i in range(cells + 1)]
