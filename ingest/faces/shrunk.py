"""Is the face of a portrait still found when it is small? Measured on the school's own portraits.

The face is pasted at several heights on a plain picture of a camera's size, and the finder looks
for it there as it looks at an event's photos. It is the best case: at an event a face may be
turned, hidden or blurred as well, so fewer are found there than this says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import cv2
import numpy as np

from consent_gate.model import Box, FaceKind
from ingest.faces.merge import SAME_FACE, overlaps
from ingest.faces.protocols import RGB, FoundFace

HEIGHTS = (12, 16, 24, 32, 48, 64, 96)
"""Of the face's box in pixels, as in issue 3; 12 and 16 px are where finding is known to fail."""

SHEET = (2560, 1920)
"""Width and height in pixels: above 1.25 times the finder's wide view, so that small faces are
looked for in tiles, as in a camera's photo."""

ROOM = 2.0
"""Side of the piece of portrait that is pasted, in heights of the face."""


class Finder(Protocol):
    """Finds every face of a picture; see ``ingest.faces.finder``."""

    def find(self, rgb: RGB) -> list[FoundFace]:
        """All faces and possible faces of an upright RGB picture."""
        ...


def found_when_small(
    rgb: RGB, finder: Finder, portraits: Finder
) -> Mapping[int, FaceKind | None] | None:
    """By height in pixels how the portrait's face is found again; None: it isn't.

    ``rgb`` has shape (height, width, 3), dtype uint8, colour order RGB. Heights above the face's
    own are left out: nothing is enlarged. None in all where the portrait shows no sure face.
    """
    sure = [face for face in portraits.find(rgb) if face.kind is FaceKind.FACE]
    if not sure:
        return None
    subject = max(sure, key=lambda face: face.box.width * face.box.height)
    sheet, places = sheet_of(rgb, subject.box)
    found = finder.find(sheet)
    return {height: _kind_at(found, place) for height, place in places.items()}


def sheet_of(rgb: RGB, box: Box) -> tuple[RGB, dict[int, Box]]:
    """One picture with the face at each height, and where it is there."""
    piece, offset = _piece(rgb, box)
    width, height = SHEET
    plain = piece[[0, -1]].reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    sheet = np.full((height, width, 3), plain, np.uint8)
    places: dict[int, Box] = {}
    for index, small in enumerate(HEIGHTS):
        if small > box.height:
            continue
        scale = small / box.height
        size = tuple(max(round(side * scale), 1) for side in piece.shape[1::-1])
        pasted = cv2.resize(piece, size, interpolation=cv2.INTER_AREA)
        # A row across the sheet, every second one lower: no two are close.
        left = (index + 1) * width // (len(HEIGHTS) + 1)
        top = height // 3 if index % 2 else 2 * height // 3
        sheet[top : top + size[1], left : left + size[0]] = pasted
        places[small] = Box(
            left + round(offset[0] * scale),
            top + round(offset[1] * scale),
            round(box.width * scale),
            small,
        )
    return sheet, places


def _piece(rgb: RGB, box: Box) -> tuple[RGB, tuple[int, int]]:
    """The face with room around it, and where its box lies in that."""
    reach = round(ROOM * box.height / 2)
    middle_x, middle_y = box.x + box.width // 2, box.y + box.height // 2
    left, top = max(0, middle_x - reach), max(0, middle_y - reach)
    piece = rgb[top : middle_y + reach, left : middle_x + reach]
    return np.ascontiguousarray(piece), (box.x - left, box.y - top)


def _kind_at(found: list[FoundFace], place: Box) -> FaceKind | None:
    """The surest face found at a place, face before possible; None where nothing was."""
    kinds = {face.kind for face in found if _overlap(face.box, place) >= SAME_FACE}
    return next((kind for kind in (FaceKind.FACE, FaceKind.POSSIBLE) if kind in kinds), None)


def _overlap(one: Box, other: Box) -> float:
    rows = np.array([box.as_list() for box in (one, other)], dtype=np.float64)
    return float(overlaps(rows[0], rows[1:])[0])
