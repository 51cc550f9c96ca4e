"""Fits the map of ``ingest/faces/face_map.py`` on the fit half of the test photos.

    python -m benchmarks.coverage.fit_face_map collect FILE [--scenes 0:450] [--altered] [--hard]
    python -m benchmarks.coverage.fit_face_map fit FILE...
    python -m benchmarks.coverage.fit_face_map check [--scenes 50000:50080] [--altered]

``collect`` writes the features of cells of scenes of ``fit_classifier``: cells in the middle of
faces, and others. With ``--altered`` the scenes are darker or paler, flatter, blurred, noisy or
grey. With ``--hard`` half of the other cells are those that the present map marks. ``fit`` writes
the weights. ``check`` searches scenes of people and photos that the fit leaves out, with the map
and with all angles everywhere. It prints how many faces each search finds, and its processor time.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from benchmarks.coverage.adam import Adam
from benchmarks.coverage.fit_classifier import scene_of
from benchmarks.coverage.scenes import Pasted
from benchmarks.coverage.trials import is_covered
from benchmarks.machine import heading
from ingest.faces.detectors import CenterFace
from ingest.faces.detectors.boxes import padded_to
from ingest.faces.detectors.centerface import INPUT, MULTIPLE
from ingest.faces.detectors.centerface_int8 import MappingCenterFaceInt8, quantised_model
from ingest.faces.detectors.onnx import only_layers, session, with_byte_input
from ingest.faces.face_map import CELL, COARSE_LAYER, LAYER, WEIGHTS
from ingest.faces.finder import default_finder
from ingest.faces.place_proposals import RotationSettings
from ingest.faces.protocols import RGB

FINE_CHANNELS, COARSE_CHANNELS = 32, 96
HEIGHTS = (14.0, 140.0)
"""Of faces in pixels that the map shall show."""
MIDDLE, LEAST_MIDDLE = 0.25, 6.0
"""Cells nearer than this to the centre of a face are its middle: in heights, and in pixels."""
AROUND, LEAST_AROUND = 0.9, 12.0
"""Other cells nearer than this are left out."""
OF_FACE, OTHERS, HARD = 8, 80, 150
"""Cells of one face, cells of no face of one scene, and of these those that the map marks."""
MARKED = -5.0
UNITS, EPOCHS, ROWS, RATE, DECAY, DROPPED, MAX_SPREADS = 64, 12, 512, 2e-3, 1e-3, 0.1, 6.0

Floats = NDArray[np.float32]
Weights = list[Floats]
"""Hidden weights and bias, output weights and bias."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Cells to learn from."""

    features: NDArray[np.float16]
    """Shape (n, 9 * FINE_CHANNELS + 9 * COARSE_CHANNELS)."""
    face: NDArray[np.int64]
    """Number of the face in whose middle each cell lies; 0 for none."""


class InnerLayers:
    """Computes both layers of the 8-bit CenterFace that the map reads."""

    def __init__(self) -> None:
        model = with_byte_input(quantised_model(), INPUT)
        self._session = session(only_layers(model, (LAYER, COARSE_LAYER)), integer=True)

    def of(self, rgb: RGB) -> tuple[Floats, Floats]:
        """The layers of ``rgb`` (height, width, 3; uint8; RGB): (channels, rows, columns)."""
        four = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), np.uint8)
        fine, coarse = self._session.run(None, {INPUT: padded_to(four, MULTIPLE)[np.newaxis]})
        return fine[0], coarse[0]


def main() -> None:
    """Collect, fit or check."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    collecting = commands.add_parser("collect")
    collecting.add_argument("file", type=Path)
    collecting.add_argument("--scenes", default="0:450", help="first and last number of a scene")
    collecting.add_argument("--altered", action="store_true")
    collecting.add_argument("--hard", action="store_true")
    fitting = commands.add_parser("fit")
    fitting.add_argument("files", type=Path, nargs="+")
    checking = commands.add_parser("check")
    checking.add_argument("--scenes", default="50000:50080")
    checking.add_argument("--altered", action="store_true")
    chosen = parser.parse_args()
    if chosen.command == "fit":
        fit(chosen.files)
        return
    numbers = range(*(int(number) for number in chosen.scenes.split(":")))
    if chosen.command == "collect":
        collect(chosen.file, numbers, altered=chosen.altered, hard=chosen.hard)
    else:
        check(numbers, altered=chosen.altered)


def collect(file: Path, numbers: range, *, altered: bool, hard: bool) -> None:
    """Write the examples of these scenes to ``file``."""
    second, mapping, inner = CenterFace(0.1), MappingCenterFaceInt8(), InnerLayers()
    features, faces = [], []
    count = 0
    for number in numbers:
        rgb, pasted = _scene(number, held_out=False, altered=altered)
        fine, coarse = inner.of(rgb)
        labels, middles = _labels(rgb, pasted, fine.shape[1:], second)
        rng = np.random.default_rng(number)
        cells = [rng.choice(one, min(OF_FACE, one.size), replace=False) for one in middles]
        face = [np.full(one.size, count + index + 1) for index, one in enumerate(cells)]
        count += len(cells)
        others = np.flatnonzero(labels == 0)
        marked = others[:0]
        if hard:
            log_odds = mapping.detect_and_map(rgb)[1].ravel()
            marked = others[log_odds[others] > MARKED]
            marked = rng.choice(marked, min(HARD, marked.size), replace=False)
        other = rng.choice(others, min(OTHERS if hard else 2 * OTHERS, others.size), replace=False)
        cells += [np.union1d(other, marked)]
        face += [np.zeros(cells[-1].size, np.int64)]
        features.append(_features(fine, coarse, np.concatenate(cells)))
        faces.append(np.concatenate(face))
    np.savez(file, features=np.concatenate(features), face=np.concatenate(faces))


def fit(files: Sequence[Path]) -> None:
    """Fit the network and write its weights."""
    examples = _read(files)
    sample = examples.features[::5].astype(np.float32)
    spread = sample.std(axis=0)
    mean, spread = sample.mean(axis=0), spread + 0.05 * spread.mean() + np.float32(1e-3)
    hidden, bias, output, output_bias = _network(examples, mean, spread)
    hidden, bias = hidden / spread[:, None], bias - (mean / spread) @ hidden
    split = 9 * FINE_CHANNELS
    np.savez_compressed(
        WEIGHTS,
        allow_pickle=False,
        fine=hidden[:split].T.reshape(UNITS, FINE_CHANNELS, 3, 3).astype(np.float16),
        coarse=hidden[split:].T.reshape(UNITS, COARSE_CHANNELS, 3, 3).astype(np.float16),
        bias=bias.astype(np.float32),
        output=output.reshape(1, UNITS, 1, 1).astype(np.float32),
        output_bias=output_bias.astype(np.float32),
    )
    print("SHA256 =", hashlib.sha256(WEIGHTS.read_bytes()).hexdigest())


def check(numbers: range, *, altered: bool) -> None:
    """Print what is found with the map and with all angles everywhere."""
    print(heading("Faces found with the map and without"))
    everywhere = default_finder(rotations=RotationSettings(min_log_odds=-math.inf))
    for name, finder in (("with the map", default_finder()), ("everywhere", everywhere)):
        began, boxes, found, count = time.process_time(), 0, 0, 0
        for number in numbers:
            rgb, pasted = _scene(number, held_out=True, altered=altered)
            faces = finder.find(rgb)
            boxes += len(faces)
            known = [one for one in pasted if one.is_face and not one.is_unclear]
            count += len(known)
            found += sum(is_covered(faces, one.x, one.y, one.height) for one in known)
        seconds = time.process_time() - began
        print(f"{name}: {found} of {count} faces, {boxes} boxes, {seconds:.0f} processor seconds")


def _scene(number: int, *, held_out: bool, altered: bool) -> tuple[RGB, Sequence[Pasted]]:
    scene = scene_of(number, held_out=held_out)
    rgb = np.ascontiguousarray(scene.rgb)
    return (_altered(rgb, number) if altered else rgb), scene.pasted


def _altered(rgb: RGB, number: int) -> RGB:
    """The picture as a poor camera or poor light would show it."""
    rng = np.random.default_rng(1_000_000 + number)
    picture = (rgb.astype(np.float32) / 255) ** np.exp(rng.uniform(-0.9, 0.9))
    if rng.random() < 0.6:
        contrast = rng.uniform(0.2, 1)
        picture = rng.uniform(0, 1 - contrast) + contrast * picture
    if rng.random() < 0.25:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.5, 1.6))
    if rng.random() < 0.3:
        picture = picture + rng.normal(0, rng.uniform(0, 0.05), picture.shape)
    if rng.random() < 0.3:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    return np.ascontiguousarray((np.clip(picture, 0, 1) * 255).astype(np.uint8))


def _labels(
    rgb: RGB, pasted: Sequence[Pasted], shape: tuple[int, ...], second: CenterFace
) -> tuple[NDArray[np.int8], list[NDArray[np.intp]]]:
    """For each cell 1 in the middle of a face, -1 near one, else 0; and the middle of each face.

    Faces that nobody pasted are those that ``second`` finds upright; they are left out.
    """
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    x, y = (columns.ravel() + 0.5) * CELL, (rows.ravel() + 0.5) * CELL
    labels = np.zeros(x.size, np.int8)
    labels[(x > rgb.shape[1]) | (y > rgb.shape[0])] = -1
    for box in second.detect(rgb):
        apart = np.hypot(x - box.x - box.width / 2, y - box.y - box.height / 2)
        labels[apart < AROUND * max(box.width, box.height)] = -1
    middles = []
    faces = [one for one in pasted if one.is_face or one.is_unclear]
    for one in faces:
        labels[np.hypot(x - one.x, y - one.y) < max(AROUND * one.height, LEAST_AROUND)] = -1
    for one in faces:
        if one.is_unclear or not HEIGHTS[0] <= one.height <= HEIGHTS[1]:
            continue
        near = np.hypot(x - one.x, y - one.y) <= max(MIDDLE * one.height, LEAST_MIDDLE)
        labels[near] = 1
        middles.append(np.flatnonzero(near))
    return labels, middles


def _features(fine: Floats, coarse: Floats, cells: NDArray[np.intp]) -> NDArray[np.float16]:
    """Both layers in 3 x 3 cells around each cell."""
    rows, columns = cells // fine.shape[2], cells % fine.shape[2]
    parts = []
    for layer, y, x in ((fine, rows, columns), (coarse, rows // 2, columns // 2)):
        padded = np.pad(layer, ((0, 0), (1, 1), (1, 1)))
        windows = sliding_window_view(padded, (3, 3), axis=(1, 2))
        parts.append(windows[:, y, x].transpose(1, 0, 2, 3).reshape(cells.size, -1))
    return np.concatenate(parts, axis=1).astype(np.float16)


def _read(files: Sequence[Path]) -> Examples:
    features, faces, last = [], [], 0
    for file in files:
        with np.load(file) as data:
            features.append(data["features"])
            faces.append(np.where(data["face"] > 0, data["face"] + last, 0))
        last = max(last, int(faces[-1].max()))
    return Examples(np.concatenate(features), np.concatenate(faces))


def _network(examples: Examples, mean: Floats, spread: Floats) -> Weights:
    """A network with one hidden layer.

    Every face counts as much as another, and all faces as much as all other cells.
    """
    rng = np.random.default_rng(0)
    is_face, width = examples.face > 0, examples.features.shape[1]
    counts = np.bincount(examples.face)[examples.face]
    importance = np.where(is_face, 1 / counts, 1.0)
    for half in (is_face, ~is_face):
        importance[half] /= 2 * importance[half].mean() * half.mean()
    weights: Weights = [
        rng.normal(0, math.sqrt(2 / width), (width, UNITS)).astype(np.float32),
        np.zeros(UNITS, np.float32),
        rng.normal(0, math.sqrt(1 / UNITS), (UNITS, 1)).astype(np.float32),
        np.zeros(1, np.float32),
    ]
    adam = Adam(weights, EPOCHS * (is_face.size // ROWS), RATE, DECAY)
    for rows in _batches(is_face.size, rng):
        inputs = (examples.features[rows].astype(np.float32) - mean) / spread
        inputs = np.clip(inputs, -MAX_SPREADS, MAX_SPREADS)
        inputs *= (rng.random(inputs.shape, dtype=np.float32) > DROPPED) / (1 - DROPPED)
        adam.step(_slopes(weights, inputs, is_face[rows], importance[rows]))
    return weights


def _batches(count: int, rng: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    for _ in range(EPOCHS):
        order = rng.permutation(count)
        for start in range(0, count - ROWS + 1, ROWS):
            yield order[start : start + ROWS]


def _slopes(
    weights: Weights,
    inputs: Floats,
    is_face: NDArray[np.bool_],
    importance: NDArray[np.float64],
) -> list[NDArray[np.floating]]:
    """The slope of the logistic loss of the given rows, for each array of weights."""
    hidden, bias, output, output_bias = weights
    units = np.maximum(inputs @ hidden + bias, 0)
    share = 1 / (1 + np.exp(-(units @ output + output_bias)[:, 0]))
    errors = ((share - is_face) * importance / ROWS).astype(np.float32)[:, None]
    of_units = (errors @ output.T) * (units > 0)
    return [inputs.T @ of_units, of_units.sum(0), units.T @ errors, errors.sum(0)]


if __name__ == "__main__":
    main()
