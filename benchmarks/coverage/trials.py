"""Composes a trial, a stranger's face pasted on a photo, and decides whether it was found."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from benchmarks.coverage.faces import altered, cutout, paste, read_face
from ingest.faces.protocols import RGB, FoundFace

LARGEST_RENDITION = 3000
"""Longest side in pixels of a picture that may be published, in the default settings."""
ANGLES = tuple(range(0, 360, 15))
PLACES = {"middle": (0.5, 0.5), "corner": (0.0, 0.0), "side": (1.0, 0.45), "bottom": (0.3, 1.0)}
"""Place of the face's middle, as shares of the area in which the whole face is in the picture."""
CONDITIONS = ("whole", "low contrast", "half hidden", "dark glasses", "half outside")


@dataclass(frozen=True)
class Trial:
    """Which face is pasted on which photo, and how."""

    face: Path
    background: Path
    angle: float
    """Degrees, anticlockwise."""
    height: int
    """Height of the face's box before it is turned, in pixels of the largest rendition."""
    megapixels: float
    place: str
    condition: str
    feathered: bool
    seed: int = 0


@lru_cache(maxsize=4)
def background(path: Path, megapixels: float, upright: bool) -> RGB:
    """The photo in this size, cropped to 3:2. A photo that is too small is repeated in mirrors."""
    with Image.open(path) as picture:
        rgb = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    long_side = round(math.sqrt(megapixels * 1.5e6))
    width, height = long_side, round(long_side / 1.5)
    if not upright:
        width, height = height, width
    scale = max(width / rgb.shape[1], height / rgb.shape[0])
    if scale > 3:  # mirror copies keep the detail that enlarging would blur
        tall, wide = math.ceil(height / 3 / rgb.shape[0]), math.ceil(width / 3 / rgb.shape[1])
        signs = [1 if i % 2 == 0 else -1 for i in range(max(tall, wide))]
        rows = [
            np.hstack([rgb[::down, ::right] for right in signs[:wide]]) for down in signs[:tall]
        ]
        rgb = np.ascontiguousarray(np.vstack(rows))
        scale = max(width / rgb.shape[1], height / rgb.shape[0])
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    size = max(width, round(rgb.shape[1] * scale)), max(height, round(rgb.shape[0] * scale))
    return np.ascontiguousarray(cv2.resize(rgb, size, interpolation=how)[:height, :width])


def composed(trial: Trial) -> tuple[RGB, tuple[float, float, float]]:
    """Compose a trial. Returns the picture, and x, y and height of the face in its pixels."""
    picture = background(trial.background, trial.megapixels, trial.seed % 3 != 2).copy()
    long_side = max(picture.shape[:2])
    height = trial.height * max(1.0, long_side / LARGEST_RENDITION)
    face = altered(read_face(trial.face), trial.condition)
    piece = cutout(face, height, trial.angle, feathered=trial.feathered)
    middle = _middle(picture, trial, height)
    paste(picture, piece, middle)
    return picture, (*middle, height)


def _middle(picture: RGB, trial: Trial, height: float) -> tuple[float, float]:
    down, across = picture.shape[:2]
    share = PLACES[trial.place]
    if trial.condition == "half outside":
        return (0.0, share[1] * down) if trial.seed % 2 else (0.5 * across, float(down))
    room = 0.75 * height
    x, y = (
        room + part * max(0.0, side - 2 * room)
        for part, side in zip(share, (across, down), strict=True)
    )
    rng = np.random.default_rng(zlib.crc32(repr(trial.seed).encode()))
    jitter = rng.uniform(-16, 16, 2) if trial.place == "middle" else (0, 0)
    return float(x + jitter[0]), float(y + jitter[1])


def is_covered(found: Sequence[FoundFace], x: float, y: float, height: float) -> bool:
    """Whether a box of about the face's size has its middle on the face.

    A box whose middle is more than half a face away, or whose size differs much, would show
    staff something else.
    """
    for face in found:
        box = face.box
        apart = math.hypot(box.x + box.width / 2 - x, box.y + box.height / 2 - y)
        size = math.sqrt(box.width * box.height)
        if apart <= 0.5 * height and 0.35 * height <= size <= 2.2 * height:
            return True
    return False
