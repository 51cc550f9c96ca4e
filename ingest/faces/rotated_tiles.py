"""Tiles of a rotated picture, cut directly from the picture.

Rotating a whole picture by 45 degrees doubles its area with empty corners, and half of a school
photo is walls, floor and sky. So only places with corners are cut out: the eyes, nostrils and mouth
of a face have edges in several directions, a plain area has none, and a straight edge has one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.augmentation import AugmentedView
from ingest.faces.mask_cover import CoverCosts, Mask, cover
from ingest.faces.protocols import RGB

FINE = 4
"""Pixels a side of the picture to one pixel of a mask."""
CELL = 16
"""Pixels a side to one cell of a cover."""
CORNER_WINDOW = 5
"""Side of the window in which a corner is measured, in pixels of a mask."""
REACH = 24
"""Pixels around a corner that are searched. Features that lie up to twice as far apart belong to
one part of the mask."""
MULTIPLE = 32
"""The detectors fill both sides of a picture up to a multiple of this."""
CALL_COST = 8000
"""Pixels that take as long as one more call of a detector."""

Matrix = NDArray[np.float64]
"""Shape (3, 3): from coordinates of one picture to those of another, homogeneous."""


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


def corner_mask(rgb: RGB, min_gradient: float) -> Mask:
    """Where a face may be: around corners. One value for each 4 x 4 pixels.

    Args:
        rgb: The picture: (height, width, 3), uint8, RGB.
        min_gradient: Grey levels in 4 pixels by which a corner changes at least in every direction,
            as root mean square over 20 x 20 pixels.
    """
    height, width = rgb.shape[:2]
    size = -(-width // FINE), -(-height // FINE)
    grey = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return around_corners(np.asarray(grey, np.uint8), min_gradient)


def around_corners(grey: NDArray[np.uint8], min_gradient: float) -> Mask:
    """The same for a picture in grey that has one value for each 4 x 4 pixels."""
    # cornerMinEigenVal gives the square of twice the gradient, as a share of 255.
    least = cv2.cornerMinEigenVal(grey, CORNER_WINDOW, ksize=3)
    corners = (least >= (2 * min_gradient / 255) ** 2).astype(np.uint8)
    side = 2 * (REACH // FINE) + 1
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    return np.asarray(cv2.dilate(corners, around), np.uint8)


def rotated_tiles(
    view: AugmentedView, degrees: float, mask: Mask, max_side: int, overlap: int
) -> Iterator[AugmentedView]:
    """Overlapping tiles of the rotated view that cover everything the mask marks.

    Args:
        view: The picture to search.
        degrees: Anticlockwise rotation.
        mask: One value for each 4 x 4 pixels of the view.
        max_side: A tile has at most the area of a square of this side in pixels.
        overlap: Least overlap of two tiles in pixels.
    """
    height, width = view.pixels.shape[:2]
    corners = np.array([[0, width, width, 0], [0, 0, height, height], [1, 1, 1, 1]], np.float64)
    rotated = rotation(degrees) @ corners
    low = rotated.min(axis=1)[:2]
    across, down = (int(side) for side in np.ceil(rotated.max(axis=1)[:2] - low - 1e-6))
    to_rotated = translation(-low[0], -low[1]) @ rotation(degrees)
    costs = CoverCosts(
        overlap // CELL, MULTIPLE // CELL, max_side**2 // CELL**2, CALL_COST // CELL**2
    )
    for piece in cover(_cells(mask, to_rotated, (across, down)), costs):
        left, top = piece.left * CELL, piece.top * CELL
        size = min(piece.right * CELL, across) - left, min(piece.bottom * CELL, down) - top
        to_tile = translation(-left, -top) @ to_rotated
        if degrees:
            pixels = cv2.warpAffine(view.pixels, to_tile[:2], size, flags=cv2.INTER_LINEAR)
        else:  # the same pixels in a seventh of the time
            pixels = view.pixels[top : top + size[1], left : left + size[0]].copy()
        yield AugmentedView(np.asarray(pixels, np.uint8), view.to_picture @ np.linalg.inv(to_tile))


def _cells(mask: Mask, to_rotated: Matrix, size: tuple[int, int]) -> Mask:
    """The rotated mask, one value for each cell. ``size`` is that of the rotated view."""
    fine = np.diag([1 / FINE, 1 / FINE, 1.0])
    rotate = fine @ to_rotated @ np.linalg.inv(fine)
    # Masks mark pixels, whose centres lie half a pixel inside the corners that matrices move.
    centred = translation(-0.5, -0.5) @ rotate @ translation(0.5, 0.5)
    cells = -(-size[0] // CELL), -(-size[1] // CELL)
    steps = CELL // FINE
    rotated = cv2.warpAffine(
        mask * np.uint8(255),
        centred[:2],
        (cells[0] * steps, cells[1] * steps),
        flags=cv2.INTER_LINEAR,
    )
    # A rounded mean of 16 values of 0 to 255 would miss a value below 8.
    marked = (rotated > 0).astype(np.uint8) * np.uint8(255)
    return np.asarray(cv2.resize(marked, cells, interpolation=cv2.INTER_AREA) > 0, np.uint8)
