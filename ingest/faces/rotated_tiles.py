"""Parts of a turned picture to show a detector, cut straight from the picture.

Turning a whole picture by 45 degrees doubles its area with empty corners. So only tiles that show
something are cut out: those outside the picture, and those without texture, are left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.protocols import RGB
from ingest.faces.views import View, spans

BLOCK = 8
"""Pixels a side to one pixel of a mask."""

Matrix = NDArray[np.float64]
"""Shape (3, 3): from coordinates of one picture to those of another, homogeneous."""
Mask = NDArray[np.uint8]
"""1 for each block of 8 x 8 pixels to look at, else 0."""


def rotation(degrees: float) -> Matrix:
    """Turns a picture anticlockwise, as it is seen (y runs down)."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])


def translation(x: float, y: float) -> Matrix:
    """Moves a picture right by ``x`` and down by ``y`` pixels."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def with_mirrored_edges(view: View, margin: int) -> View:
    """The view continued by so many pixels on each side: half a face there becomes a whole."""
    margin = min(margin, min(view.pixels.shape[:2]) - 1)
    pixels = cv2.copyMakeBorder(view.pixels, margin, margin, margin, margin, cv2.BORDER_REFLECT_101)
    return View(np.asarray(pixels, np.uint8), view.to_picture @ translation(-margin, -margin))


def texture_mask(rgb: RGB, least: int) -> Mask:
    """Where grey levels differ by ``least`` or more within some 20 px, and 16 px around."""
    height, width = rgb.shape[:2]
    quarter = max(1, width // 4), max(1, height // 4)
    grey = cv2.cvtColor(cv2.resize(rgb, quarter, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    around = np.ones((5, 5), np.uint8)
    differ = (cv2.dilate(grey, around) - cv2.erode(grey, around)) >= least
    wide = cv2.dilate(differ.astype(np.uint8) * 255, np.ones((9, 9), np.uint8))
    blocks = -(-width // BLOCK), -(-height // BLOCK)
    return np.asarray(cv2.resize(wide, blocks, interpolation=cv2.INTER_AREA) > 0, np.uint8)


def rotated_tiles(
    view: View, degrees: float, mask: Mask, side_at_most: int, overlap: int
) -> Iterator[View]:
    """Parts of the view, turned anticlockwise, that overlap and show all that the mask marks."""
    height, width = view.pixels.shape[:2]
    corners = np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    turned = rotation(degrees) @ corners
    low = turned.min(axis=1)[:2]
    across, down = (int(side) for side in np.ceil(turned.max(axis=1)[:2] - low - 1e-6))
    to_turned = translation(-low[0], -low[1]) @ rotation(degrees)
    to_block = np.diag([1 / BLOCK, 1 / BLOCK, 1.0])
    turn_mask = to_block @ to_turned @ np.linalg.inv(to_block)
    blocks = -(-across // BLOCK) + 1, -(-down // BLOCK) + 1
    turned_mask = cv2.warpAffine(mask, turn_mask[:2], blocks, flags=cv2.INTER_NEAREST)
    # Nearest neighbours may drop the outermost block of a corner.
    marked = np.asarray(cv2.dilate(turned_mask, np.ones((3, 3), np.uint8)), np.uint8)
    for left, top, right, bottom in _parts(marked, (across, down), side_at_most, overlap):
        to_tile = translation(-left, -top) @ to_turned
        size = right - left, bottom - top
        pixels = cv2.warpAffine(view.pixels, to_tile[:2], size, flags=cv2.INTER_LINEAR)
        yield View(np.asarray(pixels, np.uint8), view.to_picture @ np.linalg.inv(to_tile))


def _parts(
    mask: Mask, size: tuple[int, int], side_at_most: int, overlap: int
) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right and bottom of tiles that cover what is marked in a picture of this size."""
    for top, bottom in _marked_spans(_any(mask, 1), size[1], side_at_most, overlap):
        strip = mask[top // BLOCK : -(-bottom // BLOCK)]
        for left, right in _marked_spans(_any(strip, 0), size[0], side_at_most, overlap):
            part = strip[:, left // BLOCK : -(-right // BLOCK)]
            if not part.any():
                continue
            above, below = _extent(_any(part, 1))
            before, after = _extent(_any(part, 0))
            start_x, start_y = left // BLOCK * BLOCK, top // BLOCK * BLOCK
            yield (
                max(left, start_x + before),
                max(top, start_y + above),
                min(right, start_x + after),
                min(bottom, start_y + below),
            )


def _marked_spans(
    marked: NDArray[np.bool_], length: int, side_at_most: int, overlap: int
) -> list[tuple[int, int]]:
    """Spans that cover the pixels from the first marked block to the last."""
    if not marked.any():
        return []
    first, end = _extent(marked)
    last = min(length, end)
    pieces = spans(last - first, side_at_most, overlap) if last > first else []
    return [(first + start, first + stop) for start, stop in pieces]


def _any(mask: Mask, axis: int) -> NDArray[np.bool_]:
    """For each row (axis 1) or column (0) whether a block of it is marked."""
    return np.asarray(mask.any(axis=axis), np.bool_)


def _extent(marked: NDArray[np.bool_]) -> tuple[int, int]:
    """Pixels before the first marked block, and to the end of the last."""
    blocks = np.flatnonzero(marked)
    return int(blocks[0]) * BLOCK, (int(blocks[-1]) + 1) * BLOCK
