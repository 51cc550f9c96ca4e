"""Cover regions of a picture so that nobody in them can be recognised.

The pixels are replaced at full resolution, before scaling, so the file contains nothing from which
the region could be restored.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from consent_gate.model import Box
from publish.rendering.heads import clip, head_of


class RedactionStyle(StrEnum):
    """How a region is covered."""

    SOLID = "solid"
    MOSAIC = "mosaic"


@dataclass(frozen=True)
class Redaction:
    """A region to cover, in pixels of the upright original."""

    box: Box
    """The face, or the text, that must not be seen."""
    region: Box | None = None
    """What is covered. None: the whole head around a face of which nothing was measured."""
    style: RedactionStyle = RedactionStyle.SOLID

    @property
    def covers(self) -> Box:
        """What is covered; it may reach beyond the picture."""
        return self.region or head_of(self.box)


MOSAIC_CELLS = 4
"""Largest number of cells along each side of a mosaic. Networks recognise faces under mosaics of 8
and more cells across a face (McPherson, Shokri, Shmatikov 2016, "Defeating Image Obfuscation with
Deep Learning")."""

_CELL_PX = 8
"""Smallest side of a cell in pixels, as a JPEG block; small regions get fewer cells."""

SOLID_RGB = (96, 96, 96)
"""The same grey for all covers: the region's own mean colour would show the colour of the skin."""


def redact(rgb: NDArray[np.uint8], redactions: tuple[Redaction, ...]) -> NDArray[np.uint8]:
    """A copy of ``rgb`` with all regions covered.

    Solid covers are applied last, so that no overlapping mosaic changes them.

    Args:
        rgb: (height, width, 3), uint8, RGB.
        redactions: The regions, in pixels of ``rgb``.
    """
    covered = rgb.copy()
    height, width = rgb.shape[:2]
    for redaction in sorted(redactions, key=lambda r: r.style is RedactionStyle.SOLID):
        box = clip(redaction.covers, width, height)
        if box is None:
            continue
        region = covered[box.y : box.y + box.height, box.x : box.x + box.width]
        if redaction.style is RedactionStyle.SOLID:
            region[:] = SOLID_RGB
        else:
            _mosaic(region)
    return covered


def _mosaic(region: NDArray[np.uint8]) -> None:
    """Replace each cell by its mean colour, in place; ``region`` is (height, width, 3), uint8."""
    height, width = region.shape[:2]
    rows, columns = _edges(height), _edges(width)
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            cell = region[top:bottom, left:right]
            cell[:] = cell.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)


def _edges(length: int) -> list[int]:
    """The borders of the cells along a side of ``length`` pixels."""
    cells = max(1, min(MOSAIC_CELLS, length // _CELL_PX))
    return [length * i // cells for i in range(cells + 1)]
