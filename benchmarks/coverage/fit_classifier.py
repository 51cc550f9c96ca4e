"""Fits the weights of ``ingest/faces/place_classifier.py`` on the fit half of the test photos.

    python -m benchmarks.coverage.fit_classifier collect FILE [--scenes 0:400] [--held-out]
    python -m benchmarks.coverage.fit_classifier fit FILE... [--check FILE...]

``collect`` composes scenes, lets the product propose places in them, and writes the features of
the places and whether they show a face. Several processes can share the scenes. ``fit`` writes the
weights, or with ``--check`` prints what the classifier finds in scenes collected with
``--held-out``: they show a quarter of the people and photos of the fit half that the other scenes
leave out.

The weights are one number for each feature. No photo can be recovered from them.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.coverage.__main__ import photos
from benchmarks.coverage.faces import strangers
from benchmarks.coverage.perceptron import averaged, fitted_network
from benchmarks.coverage.scenes import (
    Pasted,
    Scene,
    crowd_scene,
    event_scene,
    pasted_scene,
    portrait_scene,
)
from benchmarks.data import SHARED
from benchmarks.faces.crowd import is_for_report, truth
from consent_gate.model import FaceKind
from ingest.faces.augmentation import halvings
from ingest.faces.finder import FaceFinder, default_finder
from ingest.faces.likely_places import QUICK
from ingest.faces.place_classifier import WEIGHTS, Linear, Perceptron, PlaceFeatures
from ingest.faces.place_crops import Proposal, place_crop
from ingest.faces.verification import CLASSIFIED

HELD_OUT_SHARE = 4
"""One in so many people and photos is held out for the check."""
MAX_NEGATIVES = 40
"""Places without a face of one scene: half of them those with the highest scores."""
MAX_SHIFTED = 20
"""Places of one scene that show a part of a face, or a face beside the middle: no faces either."""
MAX_POSITIVES = 40
SAME, SHIFTED, APART = 0.45, 0.6, 1.0
"""Distances from a face in its heights: less than the first it is the face; from the second on it
is a part of it or beside it; from the third on it is something else. The rest is left out."""
PART_SIZE = 0.42
"""Share of a face's height below which a place on that face shows a part of it."""
NETWORKS = 3
"""Networks from different first weights; the mean of their log-odds counts."""
PENALTY = 0.05
"""Weight of the squared weights in the fit; of 0.02 to 0.2 the check found no better one."""
NEGATIVES_WEIGHT = 1.5
"""Weight of all places without a face together, against that of all faces."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Classified places."""

    features: NDArray[np.float16]
    """Of each place and its mirror image: shape (n, 2, 4608)."""
    quick: NDArray[np.float16]
    """Of the small crop: shape (n, 2048)."""
    is_face: NDArray[np.bool_]
    scene: NDArray[np.int64]
    face: NDArray[np.int64]
    """Index of the face in its scene; -1 where there is none."""


def main() -> None:
    """Collect or fit."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    collecting = commands.add_parser("collect")
    collecting.add_argument("file", type=Path)
    collecting.add_argument("--scenes", default="0:400", help="first and last number of a scene")
    collecting.add_argument("--held-out", action="store_true")
    fitting = commands.add_parser("fit")
    fitting.add_argument("files", type=Path, nargs="+")
    fitting.add_argument("--check", type=Path, nargs="+", default=[])
    chosen = parser.parse_args()
    if chosen.command == "collect":
        first, last = (int(number) for number in chosen.scenes.split(":"))
        collect(chosen.file, range(first, last), held_out=chosen.held_out)
        return
    examples = read(chosen.files)
    large = examples.features.reshape(-1, examples.features.shape[2])
    labels = np.repeat(examples.is_face, 2)
    network = averaged([fitted_network(large, labels, seed) for seed in range(NETWORKS)])
    quick = fitted(examples.quick, examples.is_face)
    if chosen.check:
        check(read(chosen.check), network, quick)
        return
    write(network, quick)


def write(network: Perceptron, quick: Linear) -> None:
    """Write the weights where the product reads them."""
    arrays = {"quick_weights": quick.weights, "quick_intercept": np.array(quick.intercept)}
    arrays |= {field.name: getattr(network, field.name) for field in fields(network)}
    halves = {name: values.astype(np.float16) for name, values in arrays.items()}
    # The spread of a feature can be too small for 16 bits.
    halves |= {name: arrays[name].astype(np.float32) for name in ("mean", "spread")}
    np.savez_compressed(WEIGHTS, allow_pickle=False, **halves)
    print("SHA256 =", hashlib.sha256(WEIGHTS.read_bytes()).hexdigest())


def collect(file: Path, scenes: range, *, held_out: bool) -> None:
    """Write the examples of these scenes to ``file``."""
    finder = default_finder()
    upright, features = finder.upright_only(), PlaceFeatures()
    large: list[NDArray[np.float16]] = []
    quick: list[NDArray[np.float16]] = []
    labels: list[tuple[bool, int, int]] = []
    for number in scenes:
        scene = scene_of(number, held_out=held_out)
        views = halvings(scene.rgb)
        for place, face in _chosen(finder, upright, scene, np.random.default_rng(number)):
            crops = [place_crop(views, place, variant).pixels for variant in CLASSIFIED]
            quick += [*features.of([place_crop(views, place, QUICK).pixels]).astype(np.float16)]
            large.append(features.of(crops).astype(np.float16))
            labels.append((face >= 0, number, face))
        if number % 10 == 9 or number == scenes[-1]:
            is_face, numbers, faces = zip(*labels, strict=True)
            np.savez(file, features=large, quick=quick, is_face=is_face, scene=numbers, face=faces)
            print(f"{number}: {len(labels)} places, {sum(is_face)} of faces", flush=True)


def read(files: Sequence[Path]) -> Examples:
    """The examples of several files."""
    parts = [np.load(file, allow_pickle=False) for file in files]
    names = ("features", "quick", "is_face", "scene", "face")
    return Examples(*(np.concatenate([part[name] for part in parts]) for name in names))


def fitted(features: NDArray[np.float16], labels: NDArray[np.bool_]) -> Linear:
    """Weights and intercept of a logistic regression with a penalty on standardised weights."""
    rows = features.astype(np.float32)
    mean, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-3
    rows = (rows - mean) / spread
    is_face = labels.astype(np.float32)
    negatives = NEGATIVES_WEIGHT * is_face.sum() / max(1.0, (1 - is_face).sum())
    weight = np.where(labels, 1.0, negatives).astype(np.float32)
    weight /= weight.sum()

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = rows @ values[:-1].astype(np.float32) + np.float32(values[-1])
        wrong = weight * (1 / (1 + np.exp(-log_odds)) - is_face)
        total = float((weight * (np.logaddexp(0, log_odds) - is_face * log_odds)).sum())
        slope = np.append(wrong @ rows + PENALTY * values[:-1], wrong.sum())
        return total + PENALTY / 2 * float(values[:-1] @ values[:-1]), slope.astype(np.float64)

    start = np.zeros(rows.shape[1] + 1)
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    weights = best[:-1] / spread
    return Linear(weights.astype(np.float32), float(best[-1] - mean @ weights))


def check(examples: Examples, network: Perceptron, small: Linear) -> None:
    """Print the share of faces found, and false places a scene, by cut-off."""
    count, crops, width = examples.features.shape
    log_odds = network.log_odds(examples.features.reshape(-1, width).astype(np.float32))
    log_odds = log_odds.reshape(count, crops).mean(axis=1)
    quick = small.log_odds(examples.quick.astype(np.float32))
    is_face = examples.is_face
    sure = quick[is_face & (log_odds >= 1)]
    for share in (0.002, 0.005, 0.01, 0.02):
        least = float(np.quantile(sure, share))
        rejected = 100 * np.mean(quick[~is_face] < least)
        print(f"the small crop loses {share:.1%} below {least:.2f}: {rejected:.0f} % of others too")
    faces = sorted(set(zip(examples.scene[is_face], examples.face[is_face], strict=True)))
    best = [
        log_odds[is_face & (examples.scene == scene) & (examples.face == face)].max()
        for scene, face in faces
    ]
    kinds = ("pasted", "pasted", "pasted", "crowd", "event or portrait")
    for cutoff in (0, 1, 1.5, 2, 3, 4):
        found = 100 * np.mean([value >= cutoff for value in best])
        print(f"from {cutoff}: {found:.1f} % of {len(faces)} proposed faces; false places a scene:")
        for kind in dict.fromkeys(kinds):
            of_kind = np.array([kinds[scene % 5] == kind for scene in examples.scene])
            false = (log_odds[~is_face & of_kind] >= cutoff).sum()
            print(f"    {kind}: {false / max(1, len(set(examples.scene[of_kind]))):.2f}")


def scene_of(number: int, *, held_out: bool) -> Scene:
    """Three of five scenes have pasted faces, one is a crowd.

    The fifth is a photo of the school or, every second time, an enlarged portrait.
    """
    rng = np.random.default_rng(number)
    everybody = strangers(SHARED / "faces" / "strangers", report=False)
    people = [path for path in everybody if is_held_out(path) == held_out]
    events = [
        path
        for path in sorted((SHARED / "school" / "events").glob("*/*"))
        if not is_for_report(path.name) and is_held_out(path) == held_out
    ]
    crowds = [
        path
        for path in sorted((SHARED / "groups" / "images").iterdir())
        if not is_for_report(path.name) and is_held_out(path) == held_out
    ]
    if number % 5 == 3:
        photo = crowds[int(rng.integers(len(crowds)))]
        return crowd_scene(photo, truth().get(photo.name, []), rng)
    if number % 10 == 9:
        return portrait_scene(people[int(rng.integers(len(people)))], rng)
    if number % 5 == 4:
        return event_scene(events[number // 5 % len(events)], int(rng.choice([1600, 2400, 3000])))
    backgrounds = [path for path in photos(report=False) if is_held_out(path) == held_out]
    return pasted_scene(people, backgrounds, rng)


def is_held_out(path: Path) -> bool:
    return zlib.crc32(path.name.encode()) % HELD_OUT_SHARE == 0


def _chosen(
    finder: FaceFinder, upright: FaceFinder, scene: Scene, rng: np.random.Generator
) -> Iterator[tuple[Proposal, int]]:
    """Places to learn from, each with the index of its face or -1."""
    sure = [face.box for face in upright.find(scene.rgb) if face.kind is FaceKind.FACE]
    known = [Pasted(b.x + b.width / 2, b.y + b.height / 2, b.height, is_face=True) for b in sure]
    faces: list[tuple[Proposal, int]] = []
    others: list[Proposal] = []
    shifted: list[Proposal] = []
    for place in finder.places(scene.rgb):
        index = _shown(place, scene.pasted)
        if index is not None:
            if scene.pasted[index].is_face and not scene.pasted[index].is_unclear:
                faces.append((place, index))
            elif not scene.pasted[index].is_face:
                others.append(place)
        elif _shown(place, known) is None:
            all_faces = [*scene.pasted, *known]
            nearest = _nearest(place, all_faces)
            if nearest >= APART:
                others.append(place)
            elif nearest >= SHIFTED or _is_part(place, all_faces):
                shifted.append(place)
    half = MAX_NEGATIVES // 2
    yield from (faces[i] for i in rng.permutation(len(faces))[:MAX_POSITIVES])
    yield from ((place, -1) for place in others[:half])
    rest = others[half:]
    yield from ((rest[i], -1) for i in rng.permutation(len(rest))[:half])
    yield from ((shifted[i], -1) for i in rng.permutation(len(shifted))[:MAX_SHIFTED])


def _shown(place: Proposal, pasted: Sequence[Pasted]) -> int | None:
    """The index of what the place shows; None where it is none of these."""
    for index, one in enumerate(pasted):
        distance = math.dist(place.centre, (one.x, one.y)) / one.height
        if distance < SAME and 0.5 < place.height / one.height < 2:
            return index
    return None


def _is_part(place: Proposal, faces: Sequence[Pasted]) -> bool:
    """Whether the place shows an eye, a mouth or another small part of one of these faces."""
    return any(
        face.is_face
        and place.height < PART_SIZE * face.height
        and math.dist(place.centre, (face.x, face.y)) < SHIFTED * face.height
        for face in faces
    )


def _nearest(place: Proposal, pasted: Sequence[Pasted]) -> float:
    """Distance to the nearest face, in its heights, or in those of the place if it is larger."""
    return min(
        (
            math.dist(place.centre, (one.x, one.y)) / max(one.height, place.height)
            for one in pasted
            if one.is_face
        ),
        default=math.inf,
    )


if __name__ == "__main__":
    main()
