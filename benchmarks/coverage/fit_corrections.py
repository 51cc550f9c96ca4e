"""Fits the corrections of ``ingest/faces/place_classifier.py`` on the fit half of the test photos.

    python -m benchmarks.coverage.fit_corrections collect FILE [--scenes 0:420] [--held-out]
    python -m benchmarks.coverage.fit_corrections fit FILE --check FILE

``collect`` pastes small faces on photos and cuts out places that lie beside them, are too large or
too small, or askew. It writes the features of the small crops and the changes that lead to the
faces. ``fit`` writes the weights, and prints how far from the faces the places of the second file
are before and after a correction. That file is collected with ``--held-out``: it shows a quarter of
the people and photos of the fit half that the other one leaves out.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage.__main__ import photos
from benchmarks.coverage.adam import Adam
from benchmarks.coverage.faces import cutout, paste, read_face, strangers
from benchmarks.coverage.fit_classifier import is_held_out
from benchmarks.coverage.scenes import FITTED_CONDITIONS, Pasted, compressed, free_place, varied
from benchmarks.coverage.trials import background
from benchmarks.data import SHARED
from ingest.faces.augmentation import halvings
from ingest.faces.likely_places import BATCH, QUICK
from ingest.faces.place_classifier import (
    CORRECTION_WEIGHTS,
    EIGHTH_OF_A_TURN,
    MAX_SPREADS,
    PlaceFeatures,
)
from ingest.faces.place_crops import Proposal, place_crop
from ingest.faces.protocols import RGB

FIRST_SEED = 900_000
MEGAPIXELS = (0.4, 0.7, 1.0)
FACES, PLACES = 12, 10
"""Faces of one scene, and places of one face."""
HEIGHTS = (17, 44)
GLASSES_SHARE = 0.35
"""Share of faces that get dark glasses of some kind, beside those that get a random condition."""
BESIDE, TOO_LARGE, SIZES, ASKEW = 0.22, -0.12, 0.32, 22.0
"""Spreads of the places around a face: in heights, mean and spread of the logarithm of the size,
degrees."""
UNITS, NETWORKS = 48, 2
"""Units of each network, and networks from different first weights, whose mean counts."""
EPOCHS, ROWS, RATE, DECAY, DROPPED = 8, 256, 2e-3, 3e-3, 0.2
MOST = 0.3
"""A larger error counts as this one in the slope, so that hopeless places do not count more."""

Floats = NDArray[np.float32]
Weights = list[Floats]
"""Hidden weights and bias, output weights and bias."""


@dataclass(frozen=True)
class Placed:
    """A face in a scene."""

    face: Pasted
    degrees: float
    """How far it was rotated, anticlockwise."""


def main() -> None:
    """Collect or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    collecting = commands.add_parser("collect")
    collecting.add_argument("file", type=Path)
    collecting.add_argument("--scenes", default="0:420", help="first and last number of a scene")
    collecting.add_argument("--held-out", action="store_true")
    fitting = commands.add_parser("fit")
    fitting.add_argument("file", type=Path)
    fitting.add_argument("--check", type=Path, required=True)
    chosen = parser.parse_args()
    if chosen.command == "collect":
        first, last = (int(number) for number in chosen.scenes.split(":"))
        collect(chosen.file, range(first, last), held_out=chosen.held_out)
    else:
        fit(chosen.file, chosen.check)


def collect(file: Path, scenes: range, *, held_out: bool) -> None:
    """Write the features of places of these scenes, and their changes, to ``file``."""
    features = PlaceFeatures()
    rows: list[NDArray[np.float16]] = []
    changes: list[tuple[float, float, float, float]] = []
    for number in scenes:
        rng = np.random.default_rng(FIRST_SEED + number)
        rgb, placed = _scene(rng, held_out=held_out)
        views = halvings(rgb)
        places = [example for one in placed for example in _places(one, rng)]
        crops = [place_crop(views, place, QUICK).pixels for place, _ in places]
        for start in range(0, len(crops), BATCH):
            rows.append(features.of(crops[start : start + BATCH]).astype(np.float16))
        changes += [change for _, change in places]
    np.savez(file, features=np.concatenate(rows), changes=np.array(changes, np.float32))


def fit(file: Path, check: Path) -> None:
    """Fit the networks to one file, print the errors in the other, and write the weights."""
    with np.load(file) as data, np.load(check) as other:
        features, changes = data["features"], data["changes"]
        unseen, wanted = other["features"].astype(np.float32), other["changes"]
    sample = features[::3].astype(np.float32)
    mean, spread = sample.mean(0), sample.std(0)
    spread = spread + 0.01 * spread.mean() + np.float32(1e-3)

    def standardised(rows: NDArray[np.floating]) -> Floats:
        scaled = (rows.astype(np.float32) - mean) / spread
        return np.asarray(np.clip(scaled, -MAX_SPREADS, MAX_SPREADS), np.float32)

    inputs = standardised(features)
    networks = [_network(inputs, changes, seed) for seed in range(NETWORKS)]
    hidden, hidden_bias, output, output_bias = zip(*networks, strict=True)
    arrays = {
        "hidden": np.concatenate(hidden, axis=1).astype(np.float16),
        "hidden_bias": np.concatenate(hidden_bias).astype(np.float16),
        "output": (np.concatenate(output) / NETWORKS).astype(np.float16),
        "output_bias": (sum(output_bias) / NETWORKS).astype(np.float16),
        "mean": mean.astype(np.float32),
        "spread": spread.astype(np.float32),
    }
    units = np.maximum(standardised(unseen) @ arrays["hidden"] + arrays["hidden_bias"], 0)
    _print_errors(wanted, units @ arrays["output"] + arrays["output_bias"])
    np.savez_compressed(CORRECTION_WEIGHTS, allow_pickle=False, **arrays)
    digest = hashlib.sha256(CORRECTION_WEIGHTS.read_bytes()).hexdigest()
    print("CORRECTION_SHA256 =", digest)


def _scene(rng: np.random.Generator, *, held_out: bool) -> tuple[RGB, list[Placed]]:
    """A photo with small faces in all conditions, at any angle and place."""
    everybody = strangers(SHARED / "faces" / "strangers", report=False)
    people = [path for path in everybody if is_held_out(path) == held_out]
    backgrounds = [path for path in photos(report=False) if is_held_out(path) == held_out]
    photo = backgrounds[int(rng.integers(len(backgrounds)))]
    megapixels, upright = float(rng.choice(MEGAPIXELS)), bool(rng.integers(2))
    rgb = background(photo, megapixels, upright=upright).copy()
    placed: list[Placed] = []
    for _ in range(FACES):
        condition = FITTED_CONDITIONS[rng.integers(len(FITTED_CONDITIONS))]
        if rng.random() < GLASSES_SHARE:
            condition = "dark glasses" if rng.random() < 0.5 else "glasses"
        height = math.exp(rng.uniform(math.log(HEIGHTS[0]), math.log(HEIGHTS[1])))
        inside = (-0.05, 0.3) if condition == "half outside" else None
        taken = [other.face for other in placed]
        middle = free_place(rgb, height, taken, rng, inside=inside)
        if middle is None:
            continue
        face = varied(read_face(people[int(rng.integers(len(people)))]), condition, rng)
        degrees = rng.uniform(0, 360)
        paste(rgb, cutout(face, height, degrees, feathered=bool(rng.integers(2))), middle)
        placed.append(Placed(Pasted(*middle, height, is_face=True), degrees))
    rgb = compressed(rgb, rng)
    if rng.random() < 0.3:
        rgb = np.repeat(rgb.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    return rgb, placed


def _places(
    placed: Placed, rng: np.random.Generator
) -> Iterator[tuple[Proposal, tuple[float, float, float, float]]]:
    """Places around a face, each with the change that leads to it (see ``Corrections.values``)."""
    face = placed.face
    for _ in range(PLACES):
        x, y = rng.normal(0, BESIDE, 2) * face.height
        size = math.exp(rng.normal(TOO_LARGE, SIZES))
        askew = rng.normal(0, ASKEW) if rng.random() < 0.8 else rng.uniform(-60, 60)
        centre = (face.x + x, face.y + y)
        place = Proposal(centre, face.height * size, -placed.degrees + askew, 0)
        turn = math.radians(place.degrees)
        x, y = -x / place.height, -y / place.height
        right = math.cos(turn) * x + math.sin(turn) * y
        down = -math.sin(turn) * x + math.cos(turn) * y
        yield place, (right, down, -math.log(size), -askew / EIGHTH_OF_A_TURN)


def _network(inputs: Floats, changes: Floats, seed: int) -> Weights:
    """A network with one hidden layer, fitted to the changes."""
    rng = np.random.default_rng(seed)
    count, width = inputs.shape
    weights: Weights = [
        rng.normal(0, np.sqrt(2 / width), (width, UNITS)).astype(np.float32),
        np.zeros(UNITS, np.float32),
        rng.normal(0, np.sqrt(1 / UNITS), (UNITS, 4)).astype(np.float32),
        changes.mean(0),
    ]
    adam = Adam(weights, EPOCHS * (count // ROWS), RATE, DECAY)
    for _ in range(EPOCHS):
        order = rng.permutation(count)
        for start in range(0, ROWS * (count // ROWS), ROWS):
            chosen = order[start : start + ROWS]
            kept = (rng.random((ROWS, width), dtype=np.float32) > DROPPED) / (1 - DROPPED)
            adam.step(_slopes(weights, inputs[chosen] * kept, changes[chosen]))
    return weights


def _slopes(
    weights: Sequence[Floats], rows: NDArray[np.floating], wanted: Floats
) -> list[NDArray[np.floating]]:
    """The slope of the squared error of the given rows, for each array of weights."""
    hidden, hidden_bias, output, output_bias = weights
    units = np.maximum(rows @ hidden + hidden_bias, 0)
    errors = np.clip(units @ output + output_bias - wanted, -MOST, MOST) / ROWS
    of_units = (errors @ output.T) * (units > 0)
    return [rows.T @ of_units, of_units.sum(0), units.T @ errors, errors.sum(0)]


def _print_errors(wanted: Floats, given: Floats) -> None:
    """Print how wrong the places are before and after a correction."""
    for name, errors in (("before", wanted), ("after", wanted - given)):
        beside = np.hypot(errors[:, 0], errors[:, 1])
        size, turn = np.median(np.abs(errors[:, 2])), np.median(np.abs(errors[:, 3]))
        print(
            f"{name}: {np.median(beside):.2f} heights beside the face in half of the places, "
            f"{np.quantile(beside, 0.9):.2f} in nine of ten; logarithm of the size wrong by "
            f"{size:.2f}, angle by {EIGHTH_OF_A_TURN * turn:.1f} degrees in half of them"
        )


if __name__ == "__main__":
    main()
