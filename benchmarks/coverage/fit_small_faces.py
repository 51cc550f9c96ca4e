"""Fits the weights of ``ingest/faces/detectors/small_faces.py`` on the fit half of the test photos.

    python -m benchmarks.coverage.fit_small_faces collect FILE [--scenes 0:220] [--held-out]
    python -m benchmarks.coverage.fit_small_faces fit FILE --check FILE

``collect`` composes scenes: seven of ten are photos with small faces in all conditions and decoys,
the others crowds, pieces of photos of the made-up school and enlarged portraits. It runs the 8-bit
CenterFace on them at quarter turns, and writes the features of cells, what they show, and the
scores there. ``fit`` writes the weights, and prints the share of cells of faces and of others with
enough log-odds in the second file. That file is collected with ``--held-out``: it shows a quarter
of the people and photos of the fit half that the other one leaves out.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage.__main__ import photos
from benchmarks.coverage.faces import cutout, paste, read_face, strangers
from benchmarks.coverage.fit_classifier import is_held_out
from benchmarks.coverage.scenes import (
    FITTED_CONDITIONS,
    Pasted,
    compressed,
    crowd_scene,
    decoy,
    event_scene,
    free_place,
    in_condition,
    portrait_scene,
    varied,
)
from benchmarks.coverage.small_face_network import Cells, fit
from benchmarks.coverage.trials import background
from benchmarks.data import SHARED
from benchmarks.faces.crowd import is_for_report, truth
from ingest.faces.detectors.centerface_int8 import HEADS, CenterFaceInt8
from ingest.faces.detectors.small_faces import (
    CELL,
    EIGHTH_OF_A_TURN,
    HEIGHT,
    SIZES,
    STEP,
    features,
    small_faces,
)
from ingest.faces.protocols import RGB

FIRST_SEED, FIRST_HELD_OUT = 5_000_000, 500_000
MEGAPIXELS = (0.3, 0.5, 0.8)
PASTED = 14
"""Faces and decoys that are pasted on one picture, if there is room."""
HEIGHTS = (17, 40)
GLASSES_SHARE, DECOY_SHARE = 0.35, 0.25
PIECE, PORTRAIT = 896, 1000
"""Sides in pixels of pieces of school photos, and of the largest enlarged portrait."""
MARGIN = 48
"""The mirrored margin of the product."""
SEEN_FROM = 0.1
"""Score from which a detection may be somebody of the background; such cells are left out."""
LARGEST_UNKNOWN, LARGEST_KNOWN = 80, 70
"""Pixels: parts of larger faces of the background and of crowds show no small face."""
MAX_ANGLE, ANGLE = 50, 47
"""Degrees up to which a face counts as seen in a view; above the second its cells are left out."""
MIDDLE, LEAST_MIDDLE, AROUND = 0.3, 6, 0.55
"""Heights from a face's middle, at least so many pixels, within which its cells are. Others within
the last are left out."""
HARD, RANDOM = 40, 160
"""Cells of a view without a face: those with the highest scores, and others."""


@dataclass(frozen=True, eq=False)
class Composed:
    """A picture and what is known to be in it."""

    rgb: RGB
    pasted: Sequence[tuple[Pasted, float]]
    """What was pasted, and how far it was rotated, anticlockwise, in degrees."""
    known: Sequence[Pasted] = ()
    """Faces of a crowd."""
    is_portrait: bool = False


@dataclass(frozen=True, eq=False)
class Moved:
    """A picture with its margin, and how far that moves what is in it, in pixels."""

    rgb: RGB
    right: int
    down: int


@dataclass(frozen=True, eq=False)
class Shown:
    """A face in a view: its middle, height and angle."""

    x: float
    y: float
    height: float
    degrees: float = 0.0


def main() -> None:
    """Collect or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    collecting = commands.add_parser("collect")
    collecting.add_argument("file", type=Path)
    collecting.add_argument("--scenes", default="0:220", help="first and last number of a scene")
    collecting.add_argument("--held-out", action="store_true")
    fitting = commands.add_parser("fit")
    fitting.add_argument("file", type=Path)
    fitting.add_argument("--check", type=Path, required=True)
    chosen = parser.parse_args()
    if chosen.command == "fit":
        fit(Cells.read(chosen.file), Cells.read(chosen.check))
        return
    first, last = (int(number) for number in chosen.scenes.split(":"))
    collect(chosen.file, range(first, last), held_out=chosen.held_out)


def collect(file: Path, scenes: range, *, held_out: bool) -> None:
    """Write the cells of these scenes to ``file``."""
    network = CenterFaceInt8(SEEN_FROM, small_faces())
    parts = []
    for number in scenes:
        rng = np.random.default_rng(FIRST_SEED + number + (FIRST_HELD_OUT if held_out else 0))
        scene, is_plain = _scene(number % 10, rng, held_out=held_out), number % 10 >= 7
        edge = np.pad(scene.rgb, ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), "reflect")
        right, down = int(rng.integers(0, 16)), int(rng.integers(0, 16))
        moved = Moved(edge[down:, right:], MARGIN - right, MARGIN - down)
        for quarters in range(4):
            if is_plain and quarters != int(rng.integers(4)) and rng.random() < 0.6:
                continue
            parts.append(_cells(network, scene, moved, quarters, rng))
    Cells.joined(parts).write(file)


def _scene(kind: int, rng: np.random.Generator, *, held_out: bool) -> Composed:
    """A scene of one of ten kinds."""
    people = _half(strangers(SHARED / "faces" / "strangers", report=False), held_out)
    if kind == 7:
        crowds = _half(sorted((SHARED / "groups" / "images").iterdir()), held_out)
        photo = crowds[int(rng.integers(len(crowds)))]
        crowd = crowd_scene(photo, truth().get(photo.name, []), rng)
        return Composed(crowd.rgb, (), crowd.pasted)
    if kind == 8:
        events = _half(sorted((SHARED / "school" / "events").glob("*/*")), held_out)
        photo = events[int(rng.integers(len(events)))]
        rgb = event_scene(photo, int(rng.choice([1600, 2400]))).rgb
        if rgb.shape[0] > PIECE + 4:
            top, left = (int(rng.integers(0, side - PIECE)) for side in rgb.shape[:2])
            rgb = rgb[top : top + PIECE, left : left + PIECE]
        return Composed(np.ascontiguousarray(rgb), ())
    if kind == 9:
        rgb = portrait_scene(people[int(rng.integers(len(people)))], rng).rgb
        if max(rgb.shape) > PORTRAIT:
            small = cv2.resize(rgb, (PORTRAIT, PORTRAIT), interpolation=cv2.INTER_AREA)
            rgb = np.asarray(small, np.uint8)
        return Composed(rgb, (), is_portrait=True)
    return _pasted(people, _half(photos(report=False), held_out), rng)


def _half(paths: Sequence[Path], held_out: bool) -> list[Path]:
    """Those of the fit half that are held out, or those that are not."""
    fit_half = (path for path in paths if not is_for_report(path.name))
    return [path for path in fit_half if is_held_out(path) == held_out]


def _pasted(
    people: Sequence[Path], backgrounds: Sequence[Path], rng: np.random.Generator
) -> Composed:
    """A photo with small faces in all conditions, at any angle and place, and decoys."""
    photo = backgrounds[int(rng.integers(len(backgrounds)))]
    megapixels, upright = float(rng.choice(MEGAPIXELS)), bool(rng.integers(2))
    rgb = background(photo, megapixels, upright=upright).copy()
    pasted: list[tuple[Pasted, float]] = []
    for _ in range(PASTED):
        condition = FITTED_CONDITIONS[rng.integers(len(FITTED_CONDITIONS))]
        if rng.random() < GLASSES_SHARE:
            condition = "dark glasses" if rng.random() < 0.5 else "glasses"
        height = math.exp(rng.uniform(math.log(HEIGHTS[0]), math.log(HEIGHTS[1])))
        inside = (-0.05, 0.3) if condition == "half outside" else None
        place = free_place(rgb, height, [other for other, _ in pasted], rng, inside=inside)
        if place is None:
            continue
        is_face = rng.random() >= DECOY_SHARE
        if is_face:
            face = varied(read_face(people[int(rng.integers(len(people)))]), condition, rng)
        else:
            piece = decoy(backgrounds[int(rng.integers(len(backgrounds)))], rng)
            face = in_condition(piece, condition, rng)
        degrees = rng.uniform(0, 360)
        paste(rgb, cutout(face, height, degrees, feathered=bool(rng.integers(2))), place)
        pasted.append((Pasted(*place, height, is_face), degrees))
    rgb = compressed(rgb, rng)
    if rng.random() < 0.3:
        rgb = np.repeat(rgb.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    return Composed(rgb, pasted)


def _cells(
    network: CenterFaceInt8,
    scene: Composed,
    moved: Moved,
    quarters: int,
    rng: np.random.Generator,
) -> Cells:
    """Cells of one view: the moved picture after quarter turns."""
    view = np.ascontiguousarray(np.rot90(moved.rgb, quarters))
    outputs = network.outputs(view)
    heat, layers = outputs[0][0, 0], [values[0] for values in outputs[HEADS:]]

    def shown(face: Pasted, degrees: float = 0.0) -> Shown:
        x, y = face.x + moved.right, face.y + moved.down
        height, width = moved.rgb.shape[:2]
        for _ in range(quarters):
            x, y, width, height = y, width - x, height, width
        return Shown(x, y, face.height, (degrees + 90 * quarters + 180) % 360 - 180)

    faces = [shown(face, degrees) for face, degrees in scene.pasted if face.is_face]
    others = [shown(face) for face in scene.known if face.height < LARGEST_KNOWN]
    if not scene.is_portrait:
        for found in network.scored(outputs):
            seen = Shown(found.x + found.width / 2, found.y + found.height / 2, found.height)
            is_pasted = any(math.dist((seen.x, seen.y), (f.x, f.y)) < f.height for f in faces)
            if not is_pasted and found.height <= LARGEST_UNKNOWN:
                others.append(seen)
    labels, changes = _labels(heat.shape, view.shape, faces, others)
    high, wide = labels.shape
    scores = heat.reshape(high, 2, wide, 2).max(axis=(1, 3))
    rows, columns = np.nonzero(labels == 0)
    hardest = np.argsort(-scores[rows, columns])[:HARD]
    picked = np.unique([*hardest, *rng.permutation(len(rows))[:RANDOM]])
    is_face = np.nonzero(labels == 1)
    rows = np.concatenate([is_face[0], rows[picked]])
    columns = np.concatenate([is_face[1], columns[picked]])
    return Cells(
        features(layers, rows, columns),
        labels[rows, columns] == 1,
        changes[rows, columns],
        scores[rows, columns],
    )


def _labels(
    heat: Sequence[int], view: Sequence[int], faces: Sequence[Shown], others: Sequence[Shown]
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """1 for cells of a face, 0 for others, -1 for those that are left out, and the changes that
    lead to the face. The shapes are those of the scores and of the view."""
    rows, columns = np.mgrid[: heat[0] // 2, : heat[1] // 2]
    x, y = CELL * (columns + 0.5), CELL * (rows + 0.5)
    labels, changes = np.zeros(x.shape, np.int8), np.zeros((*x.shape, 4), np.float32)
    for other in others:
        labels[np.hypot(x - other.x, y - other.y) < 0.6 * other.height + 6] = -1
    for face in faces:
        labels[np.hypot(x - face.x, y - face.y) < AROUND * face.height] = -1
    for face in faces:
        if abs(face.degrees) >= MAX_ANGLE:
            continue
        far = np.hypot(x - face.x, y - face.y)
        is_middle = far < max(MIDDLE * face.height, LEAST_MIDDLE)
        labels[is_middle] = 1 if abs(face.degrees) <= ANGLE else -1
        changes[is_middle, 0] = (face.x - x[is_middle]) / STEP
        changes[is_middle, 1] = (face.y - y[is_middle]) / STEP
        changes[is_middle, 2] = math.log(face.height / HEIGHT) / SIZES
        changes[is_middle, 3] = face.degrees / EIGHTH_OF_A_TURN
    labels[view[0] // CELL :] = -1
    labels[:, view[1] // CELL :] = -1
    return labels, changes


if __name__ == "__main__":
    main()
