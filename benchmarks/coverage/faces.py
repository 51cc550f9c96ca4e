"""Cuts out strangers' faces, alters them as a trial asks and pastes them on pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.faces.crowd import is_for_report
from ingest.faces.protocols import RGB

TYPICAL_BOX = (0.299, 0.266, 0.40, 0.52)
"""x, y, width and height of the face in an LFW picture, as shares of its side. Source: the median
box of both detectors on the fit half of the strangers."""
HEAD_REACH = (0.85, 0.85)
"""Half axes of the ellipse that a feathered paste shows, in face widths and heights."""
FEATHER = 0.12
"""Width of the fading edge, in face heights."""


@dataclass(frozen=True, eq=False)
class Face:
    """A picture of one person and where the face lies in it."""

    rgb: RGB
    box: tuple[float, float, float, float]
    """x, y, width, height in pixels."""


def strangers(folder: Path, *, report: bool) -> list[Path]:
    """Paths of the pictures of one half, by name."""
    return [path for path in sorted(folder.glob("*.jpg")) if is_for_report(path.name) == report]


@lru_cache(maxsize=1024)
def read_face(path: Path) -> Face:
    """Read a stranger's picture. Its box is the typical one of the collection."""
    with Image.open(path) as picture:
        rgb = np.asarray(picture.convert("RGB"))
    height, width = rgb.shape[:2]
    x, y, across, down = TYPICAL_BOX
    return Face(rgb, (x * width, y * height, across * width, down * height))


def altered(face: Face, condition: str) -> Face:
    """The face in a condition: half hidden, dark glasses, low contrast or mirrored; else whole."""
    x, y, width, height = (round(side) for side in face.box)
    rgb = face.rgb.copy()
    if condition == "half hidden":  # a scarf, a hand or a book covers the lower half
        rgb[y + round(0.55 * height) : y + round(1.15 * height), max(0, x - width // 6) :][
            :, : round(1.33 * width)
        ] = (96, 82, 70)
    elif condition == "dark glasses":
        top, bottom = y + round(0.27 * height), y + round(0.48 * height)
        rgb[top:bottom, x + round(0.05 * width) : x + round(0.95 * width)] = (18, 18, 20)
    elif condition == "low contrast":
        rgb = np.asarray(rgb.mean() + (rgb - rgb.mean()) * 0.35, np.uint8)
    elif condition == "mirrored":
        rgb = np.ascontiguousarray(rgb[:, ::-1])
        return Face(rgb, (rgb.shape[1] - face.box[0] - width, *face.box[1:]))
    return Face(rgb, face.box)


@dataclass(frozen=True, eq=False)
class Cutout:
    """A turned and resized face for a paste. Its middle is the middle of the face's box."""

    rgb: NDArray[np.float32]
    """Shape (height, width, 3), 0-255."""
    opacity: NDArray[np.float32]
    """Shape (height, width, 1), 0-1."""
    size: float
    """Height of the face's box before it was turned, in pixels."""


def cutout(face: Face, height: float, degrees: float, *, feathered: bool) -> Cutout:
    """Turn a face anticlockwise about its middle, with its box ``height`` pixels high."""
    x, y, width, tall = face.box
    middle = x + width / 2, y + tall / 2
    reach = 2 * max(face.rgb.shape[:2])
    turn = np.asarray(cv2.getRotationMatrix2D(middle, degrees, 1.0), np.float64)
    turn[:, 2] += np.array([reach / 2 - middle[0], reach / 2 - middle[1]])
    opacity = _opacity(face, feathered=feathered)
    layers = np.dstack([face.rgb.astype(np.float32), opacity])
    turned = cv2.warpAffine(layers, turn, (reach, reach), flags=cv2.INTER_LINEAR)
    colour = cv2.warpAffine(
        face.rgb, turn, (reach, reach), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    side = max(4, round(reach * height / tall))
    area = cv2.INTER_AREA if side < reach else cv2.INTER_CUBIC
    rgb = cv2.resize(colour, (side, side), interpolation=area).astype(np.float32)
    shown = cv2.resize(np.ascontiguousarray(turned[:, :, 3]), (side, side), interpolation=area)
    shown = np.clip(shown, 0, 1)
    rows, columns = np.flatnonzero(shown.max(axis=1) > 0), np.flatnonzero(shown.max(axis=0) > 0)
    half = (
        int(
            max(
                side // 2 - rows[0],
                rows[-1] - side // 2,
                side // 2 - columns[0],
                columns[-1] - side // 2,
            )
        )
        + 1
    )
    half = min(half, side // 2)
    cut = slice(side // 2 - half, side // 2 + half)
    return Cutout(rgb[cut, cut], shown[cut, cut, None].astype(np.float32), height)


def _opacity(face: Face, *, feathered: bool) -> NDArray[np.float32]:
    """Opacity of each pixel, ``(height, width)``: 1 on the head, fading to 0, or all 1."""
    height, width = face.rgb.shape[:2]
    if not feathered:
        return np.ones((height, width), np.float32)
    x, y, across, down = face.box
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    far = np.hypot(
        (columns - x - across / 2) / (HEAD_REACH[0] * across),
        (rows - y - down / 2) / (HEAD_REACH[1] * down),
    )
    return np.asarray(np.clip((1 - far) / FEATHER, 0, 1), np.float32)


def paste(picture: RGB, piece: Cutout, middle: Sequence[float]) -> None:
    """Paste a cutout on ``picture``, in place. Parts beyond its edge are left out."""
    half = piece.rgb.shape[0] // 2
    left, top = round(middle[0]) - half, round(middle[1]) - half
    height, width = picture.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + 2 * half), min(height, top + 2 * half)
    if x1 <= x0 or y1 <= y0:
        return
    rows, columns = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    target, opacity = picture[y0:y1, x0:x1], piece.opacity[rows, columns]
    target[:] = (target * (1 - opacity) + piece.rgb[rows, columns] * opacity).round().clip(0, 255)
