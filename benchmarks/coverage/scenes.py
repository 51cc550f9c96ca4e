"""Composes pictures with several faces and decoys, from which the place classifier is fitted.

A decoy is a piece of another photo without a face, altered and pasted as a face is, so that the
classifier learns neither the edge of a paste nor the cover of a hidden face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps

from benchmarks.coverage.faces import Face, altered, cutout, paste, read_face
from benchmarks.coverage.occlusions import OCCLUSIONS, occluded, tinted
from benchmarks.coverage.trials import CONDITIONS, background
from benchmarks.faces.crowd import Face as CrowdFace
from ingest.faces.protocols import RGB
from ingest.faces.rotated_tiles import rotation, translation

FITTED_CONDITIONS = (*CONDITIONS, *OCCLUSIONS, "lower part", "glasses")
"""Equally often; the two that the benchmark asks for most are there twice."""
HEIGHTS = ((18, 32), (28, 60), (50, 110))
PASTED = 9
"""Faces and decoys that are pasted on one picture, if there is room."""
DECOY_SHARE = 0.28


@dataclass(frozen=True)
class Pasted:
    """Something in a scene: a face, a decoy or a face that nobody can judge."""

    x: float
    y: float
    height: float
    is_face: bool
    is_unclear: bool = False


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture and what is known to be in it."""

    rgb: RGB
    pasted: Sequence[Pasted]


def pasted_scene(
    people: Sequence[Path], backgrounds: Sequence[Path], rng: np.random.Generator
) -> Scene:
    """A photo with faces in all conditions, at any angle and place, and decoys."""
    photo = _any(backgrounds, rng)
    rgb = background(
        photo, float(rng.choice([0.5, 1.0, 2.0])), upright=bool(rng.integers(2))
    ).copy()
    is_grey = rng.random() < 0.3
    pasted: list[Pasted] = []
    for _ in range(PASTED):
        low, high = HEIGHTS[rng.integers(len(HEIGHTS))]
        height = math.exp(rng.uniform(math.log(low), math.log(high)))
        condition = FITTED_CONDITIONS[rng.integers(len(FITTED_CONDITIONS))]
        inside = (-0.05, 0.3) if condition == "half outside" else None
        place = free_place(rgb, height, pasted, rng, inside=inside)
        if place is None:
            continue
        is_face = rng.random() >= DECOY_SHARE
        face = read_face(_any(people, rng)) if is_face else decoy(_any(backgrounds, rng), rng)
        face = varied(face, condition, rng) if is_face else in_condition(face, condition, rng)
        degrees, feathered = rng.uniform(0, 360), bool(rng.integers(2))
        paste(rgb, cutout(face, height, degrees, feathered=feathered), place)
        pasted.append(Pasted(*place, height, is_face))
    if is_grey:
        rgb = np.repeat(rgb.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    return Scene(compressed(rgb, rng), pasted)


def crowd_scene(photo: Path, faces: Sequence[CrowdFace], rng: np.random.Generator) -> Scene:
    """A crowd picture, rotated and enlarged: real faces, some of them hidden."""
    rgb = np.asarray(cv2.imread(str(photo), cv2.IMREAD_COLOR_RGB), np.uint8)
    height, width = rgb.shape[:2]
    scale, degrees = rng.uniform(1.3, 2.6), 90 * rng.integers(4) + rng.uniform(-30, 30)
    turn = rotation(degrees) @ np.diag([scale, scale, 1.0])
    corners = turn @ np.array([[0, width, width, 0], [0, 0, height, height], [1.0, 1, 1, 1]])
    low = corners.min(axis=1)[:2]
    across, down = (int(side) for side in np.ceil(corners.max(axis=1)[:2] - low))
    turn = translation(-low[0], -low[1]) @ turn
    turned = cv2.warpAffine(
        rgb, turn[:2], (across, down), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    known = []
    for face in faces:
        x, y, wide, tall = face.box
        middle = turn @ np.array([x + wide / 2, y + tall / 2, 1.0])
        size = max(wide, tall, 2.0) * scale
        known.append(
            Pasted(float(middle[0]), float(middle[1]), size, is_face=True, is_unclear=face.unclear)
        )
    return Scene(np.asarray(turned, np.uint8), known)


def event_scene(photo: Path, long_side: int) -> Scene:
    """A photo of the made-up school, at most this long, with nothing pasted on it."""
    with Image.open(photo) as picture:
        rgb = np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))
    scale = min(1.0, long_side / max(rgb.shape[:2]))
    if scale < 1:
        rgb = np.asarray(cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    return Scene(np.ascontiguousarray(rgb, np.uint8), ())


def portrait_scene(photo: Path, rng: np.random.Generator) -> Scene:
    """A stranger's picture, enlarged and perhaps lying, with its grain: clothes and parts of a
    large face, which are no faces."""
    face, quarters = read_face(photo), int(rng.integers(4)) * int(rng.integers(2))
    side = int(rng.choice([500, 800, 1200, 1600]))
    zoom = side / face.rgb.shape[0]
    rgb = cv2.resize(face.rgb, (side, side), interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, rng.uniform(0, 8), rgb.shape)
    x, y, width, height = (zoom * length for length in face.box)
    middle = x + width / 2 - side / 2, y + height / 2 - side / 2
    for _ in range(quarters):
        middle = middle[1], -middle[0]
    turned = np.ascontiguousarray(np.rot90((rgb + grain).clip(0, 255).astype(np.uint8), quarters))
    shown = Pasted(middle[0] + side / 2, middle[1] + side / 2, height, is_face=True)
    return Scene(turned, [shown])


def free_place(
    rgb: RGB,
    height: float,
    taken: Sequence[Pasted],
    rng: np.random.Generator,
    *,
    inside: tuple[float, float] | None = None,
) -> tuple[float, float] | None:
    """The middle, in pixels, of a place apart from the others; None where there is no room.

    ``inside`` asks for a place at an edge of the picture, so far inside it (in face heights).
    """
    down, across = rgb.shape[:2]
    if min(down, across) < 2 * height:
        return None
    for _ in range(40):
        if inside is not None:
            off = rng.uniform(*inside) * height
            along = rng.uniform(height, across - height), rng.uniform(height, down - height)
            x, y = [
                (off, along[1]),
                (along[0], off),
                (across - off, along[1]),
                (along[0], down - off),
            ][rng.integers(4)]
        else:
            room = 0.75 * height
            x, y = rng.uniform(room, across - room), rng.uniform(room, down - room)
        if all(
            math.dist((x, y), (other.x, other.y)) > 1.25 * (height + other.height)
            for other in taken
        ):
            return float(x), float(y)
    return None


def decoy(photo: Path, rng: np.random.Generator) -> Face:
    """A piece of a photo in the size of a stranger's picture."""
    rgb = background(photo, 1.0, upright=True)
    side = int(rng.integers(60, 300))
    y, x = (int(rng.integers(0, length - side)) for length in rgb.shape[:2])
    piece = cv2.resize(rgb[y : y + side, x : x + side], (250, 250), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.5:
        piece = np.repeat(piece.mean(axis=2, keepdims=True), 3, axis=2)
    return Face(np.asarray(piece, np.uint8), (74.75, 66.5, 100.0, 130.0))


def varied(face: Face, condition: str, rng: np.random.Generator) -> Face:
    """The face in its condition, perhaps mirrored, coloured or in another light."""
    if rng.random() < 0.5:
        face = altered(face, "mirrored")
    face = in_condition(face, condition, rng)
    rgb = tinted(face.rgb, rng) if rng.random() < 0.5 else face.rgb
    if rng.random() < 0.3:
        rgb = np.asarray(255 * (rgb / 255.0) ** rng.uniform(0.6, 1.5), np.uint8)
    return Face(rgb, face.box)


def in_condition(face: Face, condition: str, rng: np.random.Generator) -> Face:
    return occluded(face, condition, rng) if condition in OCCLUSIONS else altered(face, condition)


def compressed(rgb: RGB, rng: np.random.Generator) -> RGB:
    """Often with the traces of JPEG."""
    if rng.random() >= 0.4:
        return rgb
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))]
    _, data = cv2.imencode(".jpg", rgb, quality)
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _any(files: Sequence[Path], rng: np.random.Generator) -> Path:
    return files[int(rng.integers(len(files)))]
