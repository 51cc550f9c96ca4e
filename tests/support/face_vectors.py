"""Made-up face vectors of people, for tests of matching."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import DLIB, SFACE, Probes, Template
from consent_gate.matching.shipped_thresholds import shipped_thresholds

THRESHOLDS = shipped_thresholds()


VERSIONS = dict(THRESHOLDS.versions)


def someone(seed: int) -> dict[str, NDArray[np.float32]]:
    """A person: a random direction for SFace, and one near what all faces share for dlib."""
    random = np.random.default_rng(seed)
    return {
        SFACE: unit(random.normal(size=128)),
        DLIB: unit(np.eye(128)[0] + 0.4 * unit(random.normal(size=128))),
    }


def seen_again(
    person: dict[str, NDArray[np.float32]], seed: int, change: float
) -> dict[str, NDArray[np.float32]]:
    """The same person in another picture: the larger ``change``, the less alike."""
    random = np.random.default_rng(seed)
    noise = change * unit(random.normal(size=128))
    return {
        SFACE: unit(person[SFACE] + noise),
        DLIB: unit(person[DLIB] + 0.4 * noise),
    }


def unit(vector: NDArray[np.float64] | NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def template(pupil: str, vectors: dict[str, NDArray[np.float32]]) -> Template:
    return Template(pupil, vectors, VERSIONS)


def faces(*people: dict[str, NDArray[np.float32]]) -> Probes:
    return Probes(
        {model: np.stack([person[model] for person in people]) for model in (SFACE, DLIB)},
        VERSIONS,
    )


def school(pupils: int, seed: int = 0) -> list[Template]:
    return [template(f"{number:06d}", someone(seed + number)) for number in range(pupils)]


NO_CENTRE = dataclasses.replace(THRESHOLDS, sface_centre=(0.0,) * 128, dlib_offset=0.0)
"""Scores are then plain cosines, which a test can choose."""


def alike_by(sface: float, dlib: float = 0.0) -> Probes:
    """A face with these cosines to the first of ``nobody_alike``, and 0 to all others."""
    vectors = {}
    for model, cosine in ((SFACE, sface), (DLIB, dlib)):
        vector = np.zeros((1, 128), np.float32)
        vector[0, 0], vector[0, -1] = cosine, np.sqrt(1 - cosine**2)
        vectors[model] = vector
    return Probes(vectors, VERSIONS)


NEARLY = 0.001
