"""Measure the cost of matching one face, and of the list of lookalikes, by size of the gallery.

    OMP_NUM_THREADS=1 python -m benchmarks.gallery_growth

The templates are random vectors, because the time of a matrix product does not depend on their
values. Only the list of lookalikes takes longer among people who look alike, because dlib is
compared if SFace does not exclude a pair. Times are processor seconds; memory is what a step needs
beyond the gallery.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import heading
from consent_gate.matching.gallery import (
    DLIB,
    MODELS,
    SFACE,
    Probes,
    Template,
    gallery_of,
)
from consent_gate.matching.identify import match, match_by_sface
from consent_gate.matching.lookalike_pairs import lookalikes
from consent_gate.matching.shipped_thresholds import shipped_thresholds

THRESHOLDS = shipped_thresholds()
SIZES = (500, 2000, 8000, 25_000)
FACES = (1, 12)
"""Numbers of faces in a picture; all faces of a picture are matched together."""
REPEATS = 20


def main() -> None:
    """Print one row a size."""
    print(heading("Gallery growth: processor time of one face, by templates"))
    print(
        "templates  gallery MB  faces a picture  SFace alone, ms a face  both models, ms a face"
        "  MB  lookalikes, s  MB"
    )
    for size in SIZES:
        gallery = gallery_of(
            [Template(f"{n:06d}", vectors, THRESHOLDS.versions) for n, vectors in _people(size)]
        )
        held = sum(rows.nbytes for rows in gallery.vectors.values()) / 1e6
        listed, listed_mb = _cost(partial(lookalikes, gallery, THRESHOLDS), 1)
        for faces in FACES:
            probes = Probes(
                {model: gallery.vectors[model][:faces] for model in MODELS}, THRESHOLDS.versions
            )
            first, _ = _cost(partial(match_by_sface, gallery, probes, THRESHOLDS), REPEATS)
            both, mb = _cost(partial(match, gallery, probes, THRESHOLDS), REPEATS)
            print(
                f"{size:9d}  {held:10.1f}  {faces:15d}  {1000 * first / faces:22.2f}  "
                f"{1000 * both / faces:22.2f}  {mb:2.0f}  {listed:13.2f}  {listed_mb:2.0f}"
            )


def _people(count: int) -> list[tuple[int, dict[str, NDArray[np.float32]]]]:
    """Random vectors; dlib's are near a common direction, as dlib's vectors of real faces are."""
    random = np.random.default_rng(0)
    shared = np.eye(128)[0]
    people = []
    for number in range(count):
        sface, dlib = random.normal(size=(2, 128))
        vectors = {SFACE: _unit(sface), DLIB: _unit(shared + 0.4 * _unit(dlib))}
        people.append((number, vectors))
    return people


def _unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def _cost(step: Callable[[], object], repeats: int) -> tuple[float, float]:
    """Mean processor seconds, and peak memory in MB."""
    tracemalloc.start()
    step()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    began = time.process_time()
    for _ in range(repeats):
        step()
    return (time.process_time() - began) / repeats, peak


if __name__ == "__main__":
    main()
