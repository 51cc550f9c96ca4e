"""Is the face of a portrait still found when it is small? Measured on the school's own portraits.

The portrait fades into a plain picture of a camera's size, at several heights of the face, and the
finder looks for it there as it looks at an event's photos. Faces at an event are turned, hidden and
blurred as well; and they have a body and surroundings, which help a finder.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.model import Box, FaceKind
from ingest.faces.clustering import overlaps
from ingest.faces.protocols import RGB, FaceFinder, FoundFace

HEIGHTS = (12, 16, 24, 32, 48, 64, 96)
"""Of the face's box in pixels; 12 and 16 px are where finding is known to fail."""

SHEET = (2560, 1920)
"""Width and height in pixels: above what the finder sees whole at 1664 px, so that small faces are
looked for in tiles, as in a camera's photo."""

AROUND = 1.0
"""How far the portrait is continued beyond its edges, in heights of the face: with a hard edge it
looks like a framed picture, and is found more easily (3 in 10 more at 24 and at 32 px, on ten
portraits of the made-up school)."""

SAME_PLACE = 0.2
"""Intersection over union from which a box counts: one that covers a part of the face holds the
picture as well as one that fits."""

Blend = NDArray[np.float32]
"""RGB and, last, how much of it shows, 0-1: shape (height, width, 4)."""


def detectability(
    rgb: RGB, finder: FaceFinder, portraits: FaceFinder
) -> Mapping[int, FaceKind | None] | None:
    """By height in pixels how the portrait's face is found again; None: it isn't.

    ``rgb`` has shape (height, width, 3), dtype uint8, colour order RGB. Heights above the face's
    own are left out: nothing is enlarged. None in all where the portrait shows no sure face.
    """
    sure = [face for face in portraits.find(rgb) if face.kind is FaceKind.FACE]
    if not sure:
        return None
    subject = max(sure, key=lambda face: face.box.width * face.box.height)
    sheet, places = size_sheet(rgb, subject.box)
    found = finder.find(sheet)
    return {height: _kind_at(found, place) for height, place in places.items()}


def size_sheet(rgb: RGB, box: Box) -> tuple[RGB, dict[int, Box]]:
    """One picture with the face at each height, and where it is there."""
    rgb, box = _moderate(rgb, box)
    margin = round(AROUND * box.height)
    soft = _fading(rgb, margin)
    width, height = SHEET
    plain = rgb[[0, -1]].reshape(-1, 3).mean(axis=0)
    sheet = np.full((height, width, 3), plain, np.float32)
    places: dict[int, Box] = {}
    for index, small in enumerate(HEIGHTS):
        if small > box.height:
            continue
        scale = small / box.height
        size = tuple(max(round(side * scale), 1) for side in soft.shape[1::-1])
        pasted = cv2.resize(soft, size, interpolation=cv2.INTER_AREA)
        # A row across the sheet, every second one lower: no two are close.
        left = (index + 1) * width // (len(HEIGHTS) + 1) - size[0] // 2
        top = height // 3 if index % 2 else 2 * height // 3
        there = sheet[top : top + size[1], left : left + size[0]]
        shows = pasted[: there.shape[0], : there.shape[1], 3:]
        there[:] = there * (1 - shows) + pasted[: there.shape[0], : there.shape[1], :3] * shows
        places[small] = Box(
            left + round((box.x + margin) * scale),
            top + round((box.y + margin) * scale),
            round(box.width * scale),
            small,
        )
    return sheet.round().astype(np.uint8), places


def _moderate(rgb: RGB, box: Box) -> tuple[RGB, Box]:
    """A portrait of many megapixels first made smaller: twice the largest height is enough."""
    scale = 2 * max(HEIGHTS) / box.height
    if scale >= 1:
        return rgb, box
    smaller = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    x, y, width, height = (round(side * scale) for side in box.as_list())
    return np.asarray(smaller, np.uint8), Box(x, y, width, height)


def _fading(rgb: RGB, margin: int) -> Blend:
    """The portrait continued at its edges, and fading out from half way there."""
    wide = cv2.copyMakeBorder(rgb, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    shows = np.zeros(wide.shape[:2], np.float32)
    half = margin // 2
    shows[half : wide.shape[0] - half, half : wide.shape[1] - half] = 1
    shows = cv2.blur(shows, (half + 1, half + 1))
    return np.dstack([wide, shows]).astype(np.float32)


def _kind_at(found: list[FoundFace], place: Box) -> FaceKind | None:
    """The surest face found at a place, face before possible; None where nothing was."""
    kinds = {face.kind for face in found if _overlap(face.box, place) >= SAME_PLACE}
    return next((kind for kind in (FaceKind.FACE, FaceKind.POSSIBLE) if kind in kinds), None)


def _overlap(one: Box, other: Box) -> float:
    rows = np.array([box.as_list() for box in (one, other)], dtype=np.float64)
    return float(overlaps(rows[0], rows[1:])[0])
