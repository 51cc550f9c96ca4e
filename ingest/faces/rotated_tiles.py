"""Tiles of a rotated picture, cut directly from the picture.

Rotating a whole picture by 45 degrees doubles its area with empty corners. So only tiles with
texture are cut out; those outside the picture or without texture are skipped.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.augmentation import AugmentedView, spans
from ingest.faces.protocols import RGB

BLOCK = 8
"""Pixels a side to one pixel of a mask."""

Matrix = NDArray[np.float64]
"""Shape (3, 3): from coordinates of one picture to those of another, homogeneous."""
Mask = NDArray[np.uint8]
"""1 for each block of 8 x 8 pixels to search, else 0."""


def rotation(degrees: float) -> Matrix:
    """The matrix that rotates a picture anticlockwise as displayed (y runs down)."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])


def translation(x: float, y: float) -> Matrix:
    """The matrix that moves a picture right by ``x`` and down by ``y`` pixels."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def with_mirrored_edges(view: AugmentedView, margin: int) -> AugmentedView:
    """The view with ``margin`` mirrored pixels on each side: half a face there becomes whole."""
    margin = min(margin, min(view.pixels.shape[:2]) - 1)
    pixels = cv2.copyMakeBorder(view.pixels, margin, margin, margin, margin, cv2.BORDER_REFLECT_101)
    return AugmentedView(
        np.asarray(pixels, np.uint8), view.to_picture @ translation(-margin, -margin)
    )


def texture_mask(rgb: RGB, min_contrast: int) -> Mask:
    """Where grey levels differ by ``min_contrast`` or more within 20 px, and 16 px around."""
    height, width = rgb.shape[:2]
    quarter = max(1, width // 4), max(1, height // 4)
    grey = cv2.cvtColor(cv2.resize(rgb, quarter, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    around = np.ones((5, 5), np.uint8)
    differ = (cv2.dilate(grey, around) - cv2.erode(grey, around)) >= min_contrast
    wide = cv2.dilate(differ.astype(np.uint8) * 255, np.ones((9, 9), np.uint8))
    blocks = -(-width // BLOCK), -(-height // BLOCK)
    return np.asarray(cv2.resize(wide, blocks, interpolation=cv2.INTER_AREA) > 0, np.uint8)


def rotated_tiles(
    view: AugmentedView, degrees: float, mask: Mask, side_at_most: int, overlap: int
) -> Iterator[AugmentedView]:
    """Overlapping tiles of the rotated view that cover everything the mask marks.

    Args:
        view: The picture to search.
        degrees: Anticlockwise rotation.
        mask: One value for each block of the view.
        side_at_most: Longest side of a tile in pixels.
        overlap: Least overlap of two tiles in pixels.
    """
    height, width = view.pixels.shape[:2]
    corners = np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    rotated = rotation(degrees) @ corners
    low = rotated.min(axis=1)[:2]
    across, down = (int(side) for side in np.ceil(rotated.max(axis=1)[:2] - low - 1e-6))
    to_rotated = translation(-low[0], -low[1]) @ rotation(degrees)
    to_block = np.diag([1 / BLOCK, 1 / BLOCK, 1.0])
    rotate_mask = to_block @ to_rotated @ np.linalg.inv(to_block)
    blocks = -(-across // BLOCK) + 1, -(-down // BLOCK) + 1
    rotated_mask = cv2.warpAffine(mask, rotate_mask[:2], blocks, flags=cv2.INTER_NEAREST)
    # Nearest neighbours may drop the outermost block of a corner.
    marked = np.asarray(cv2.dilate(rotated_mask, np.ones((3, 3), np.uint8)), np.uint8)
    for left, top, right, bottom in _parts(marked, (across, down), side_at_most, overlap):
        to_tile = translation(-left, -top) @ to_rotated
        size = right - left, bottom - top
        pixels = cv2.warpAffine(view.pixels, to_tile[:2], size, flags=cv2.INTER_LINEAR)
        yield AugmentedView(np.asarray(pixels, np.uint8), view.to_picture @ np.linalg.inv(to_tile))


def _parts(
    mask: Mask, size: tuple[int, int], side_at_most: int, overlap: int
) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right and bottom of tiles that cover all marked blocks of a picture."""
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
    """Whether any block is marked, for each row (axis 1) or column (axis 0)."""
    return np.asarray(mask.any(axis=axis), np.bool_)


def _extent(marked: NDArray[np.bool_]) -> tuple[int, int]:
    """Pixels before the first marked block, and to the end of the last."""
    blocks = np.flatnonzero(marked)
    return int(blocks[0]) * BLOCK, (int(blocks[-1]) + 1) * BLOCK
