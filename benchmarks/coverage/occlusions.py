"""Hides parts of faces in many ways, for fitting: the trials of the benchmark use other ones."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage.faces import Face
from ingest.faces.protocols import RGB

OCCLUSIONS = ("lower part", "upper part", "side", "glasses")
SKIN = ((230, 190, 165), (200, 150, 120), (150, 105, 80), (105, 72, 55), (240, 210, 190))
"""RGB colours of skin. The faces of the collection are grey."""

Mask = NDArray[np.bool_]


def occluded(face: Face, kind: str, rng: np.random.Generator) -> Face:
    """The face with a part covered by a random texture; ``kind`` is one of ``OCCLUSIONS``."""
    x, y, width, height = face.box
    rows, columns = np.mgrid[: face.rgb.shape[0], : face.rgb.shape[1]].astype(np.float32)
    across, down = (columns - x) / width - 0.5, (rows - y) / height
    cover = _texture(rng, face.rgb.shape[:2])
    if kind == "lower part":
        edge = rng.uniform(0.5, 0.68) + rng.uniform(-0.2, 0.2) * across
        edge = edge + rng.uniform(-0.3, 0.3) * across**2
        mask = (down > edge) & (down < rng.uniform(1, 1.4)) & (abs(across) < rng.uniform(0.5, 0.9))
    elif kind == "upper part":
        low, high = rng.uniform(-0.6, -0.1), rng.uniform(0.3, 0.45)
        mask = (down > low) & (down < high) & (abs(across) < rng.uniform(0.5, 0.9))
    elif kind == "side":
        edge = rng.uniform(-0.1, 0.1) + rng.uniform(-0.2, 0.2) * (down - 0.5)
        mask = (rng.choice([-1, 1]) * across > edge) & (abs(across) < 0.9) & (abs(down - 0.5) < 0.9)
    else:
        mask = _glasses(across, down, rng)
        shade = rng.integers(0, 70) + rng.normal(0, 3, down.shape)
        shade = shade + rng.uniform(-40, 40) * (down - 0.37)
        cover = np.repeat(shade.clip(0, 255)[:, :, None], 3, axis=2).astype(np.uint8)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), rng.uniform(0.3, 2))[:, :, None]
    return Face((face.rgb * (1 - soft) + cover * soft).astype(np.uint8), face.box)


def tinted(rgb: RGB, rng: np.random.Generator) -> RGB:
    """A grey picture in a colour of skin."""
    skin = np.array(SKIN[rng.integers(len(SKIN))], np.float32)
    strength = rng.uniform(0.3, 1)
    colour = 1 - strength + strength * skin / skin.mean()
    return np.asarray((rgb.mean(axis=2, keepdims=True) * colour).clip(0, 255), np.uint8)


def _glasses(
    across: NDArray[np.float32], down: NDArray[np.float32], rng: np.random.Generator
) -> Mask:
    """Dark glasses: two lenses, a bridge and temples, or a bar."""
    middle = rng.uniform(0.34, 0.42)
    if rng.random() < 0.35:
        bar = abs(down - middle) < rng.uniform(0.08, 0.13)
        return np.asarray(bar & (abs(across) < rng.uniform(0.38, 0.5)))
    wide, tall, apart = rng.uniform(0.16, 0.24), rng.uniform(0.08, 0.14), rng.uniform(0.2, 0.25)
    roundness = rng.choice([2, 4, 8])
    lenses = [
        abs((across - side * apart) / wide) ** roundness + abs((down - middle) / tall) ** roundness
        < 1
        for side in (-1, 1)
    ]
    bridge = (abs(across) < 0.1) & (abs(down - middle + tall * 0.3) < 0.02)
    temples = (abs(across) < 0.52) & (abs(down - middle) < 0.015)
    return np.asarray(lenses[0] | lenses[1] | bridge | temples)


def _texture(rng: np.random.Generator, size: tuple[int, int]) -> RGB:
    """Cloth, skin or paper: a plain colour, noise, stripes or clouds, with a gradient."""
    height, width = size
    colour = rng.integers(0, 256, 3) if rng.random() < 0.6 else np.full(3, rng.integers(0, 256))
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    light = rng.uniform(-50, 50) * (rows / height - 0.5)
    pattern = rng.integers(4)
    if pattern == 1:
        light = light + rng.normal(0, rng.uniform(3, 25), size)
    elif pattern == 2:
        angle, period = rng.uniform(0, math.pi), rng.uniform(4, 30)
        phase = (columns * math.cos(angle) + rows * math.sin(angle)) * 2 * math.pi / period
        light = light + rng.uniform(10, 60) * np.sign(np.sin(phase))
    elif pattern == 3:
        clouds = rng.normal(0, 40, (max(2, height // 12), max(2, width // 12))).astype(np.float32)
        light = light + cv2.resize(clouds, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray((colour + light[:, :, None]).clip(0, 255), np.uint8)
