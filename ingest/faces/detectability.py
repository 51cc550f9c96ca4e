"""Measure, on the school's own portraits, whether a face is still found when it is small.

The portrait is blended into a plain picture of a camera's size, at several heights of the face. The
finder then searches it as it searches an event photo. Faces in event photos are also rotated,
hidden and blurred; on the other hand, bodies and surroundings help a finder.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.model import Box, FaceKind
from ingest.faces.protocols import RGB, FaceFinder, FoundFace

HEIGHTS = (12, 16, 24, 32, 48, 64, 96)
"""Heights of the face's box in pixels; at 12 and 16 px detection is known to fail."""

SHEET_SIZE = (2560, 1920)
"""Width and height in pixels: larger than the 1664 px at which the finder searches whole pictures,
so that it searches tiles for small faces, as in a camera's photo."""

BORDER_HEIGHTS = 1.0
"""How far the portrait is extended beyond its edges, in heights of the face. A hard edge would make
the face easier to find (3 in 10 more at 24 and at 32 px, on ten portraits of the made-up
school)."""

SAME_PLACE_IOU = 0.2
"""Intersection over union from which a box counts, as a box over a part of the face also holds the
picture."""

Blend = NDArray[np.float32]
"""RGB and opacity (0-1), shape (height, width, 4), dtype float32."""


def detectability(
    rgb: RGB, finder: FaceFinder, portraits: FaceFinder
) -> Mapping[int, FaceKind | None] | None:
    """By height in pixels, the kind as which the portrait's face is found; None where it is missed.

    Heights above the face's own are left out, as nothing is enlarged. Returns None where the
    portrait shows no certain face at full size.

    Args:
        rgb: Shape (height, width, 3), dtype uint8, colour order RGB.
        finder: The finder to measure.
        portraits: The finder for portraits, which locates the face at full size.
    """
    sure = [face for face in portraits.find(rgb) if face.kind is FaceKind.FACE]
    if not sure:
        return None
    subject = max(sure, key=lambda face: face.box.width * face.box.height)
    sheet, places = make_test_sheet(rgb, subject.box)
    found = finder.find(sheet)
    return {height: _kind_at(found, place) for height, place in places.items()}


def make_test_sheet(rgb: RGB, box: Box) -> tuple[RGB, dict[int, Box]]:
    """A picture with the face at each height, and the box of the face by height, in pixels."""
    rgb, box = _reduce(rgb, box)
    margin = round(BORDER_HEIGHTS * box.height)
    faded = _fade_edges(rgb, margin)
    width, height = SHEET_SIZE
    plain = rgb[[0, -1]].reshape(-1, 3).mean(axis=0)
    sheet = np.full((height, width, 3), plain, np.float32)
    places: dict[int, Box] = {}
    for index, target_height in enumerate(HEIGHTS):
        if target_height > box.height:
            continue
        scale = target_height / box.height
        size = tuple(max(round(side * scale), 1) for side in faded.shape[1::-1])
        pasted = cv2.resize(faded, size, interpolation=cv2.INTER_AREA)
        # One row across the sheet, every second face lower, so that no two are close.
        left = (index + 1) * width // (len(HEIGHTS) + 1) - size[0] // 2
        top = height // 3 if index % 2 else 2 * height // 3
        region = sheet[top : top + size[1], left : left + size[0]]
        opacity = pasted[: region.shape[0], : region.shape[1], 3:]
        region[:] = (
            region * (1 - opacity) + pasted[: region.shape[0], : region.shape[1], :3] * opacity
        )
        places[target_height] = Box(
            left + round((box.x + margin) * scale),
            top + round((box.y + margin) * scale),
            round(box.width * scale),
            target_height,
        )
    return sheet.round().astype(np.uint8), places


def _reduce(rgb: RGB, box: Box) -> tuple[RGB, Box]:
    """Reduce a large portrait so that the face has twice the largest height."""
    scale = 2 * max(HEIGHTS) / box.height
    if scale >= 1:
        return rgb, box
    smaller = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    x, y, width, height = (round(side * scale) for side in box.as_list())
    return np.asarray(smaller, np.uint8), Box(x, y, width, height)


def _fade_edges(rgb: RGB, margin: int) -> Blend:
    """The portrait extended at its edges and fading out from half of the margin."""
    wide = cv2.copyMakeBorder(rgb, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    opacity = np.zeros(wide.shape[:2], np.float32)
    half = margin // 2
    opacity[half : wide.shape[0] - half, half : wide.shape[1] - half] = 1
    opacity = cv2.blur(opacity, (half + 1, half + 1))
    return np.dstack([wide, opacity]).astype(np.float32)


def _kind_at(found: list[FoundFace], place: Box) -> FaceKind | None:
    """The kind of face found at a place, a certain face first; None where there is none."""
    kinds = {face.kind for face in found if face.box.overlap(place) >= SAME_PLACE_IOU}
    return next((kind for kind in (FaceKind.FACE, FaceKind.POSSIBLE) if kind in kinds), None)
