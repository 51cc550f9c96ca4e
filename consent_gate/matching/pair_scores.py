"""Whom the models could confuse: a school's templates, each compared with every other pupil.

Compared as the gate compares (``gallery``): with the average of the other pupil's templates.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import (
    SFACE,
    Gallery,
    fused_by_pupil,
    fused_scores,
    sface_by_pupil,
)
from consent_gate.matching.statistics import Scores
from consent_gate.matching.thresholds import Thresholds

MAXIMUM_TEMPLATES = 2000
"""Enough for four million comparisons; of a larger trust's pupils, evenly spread ones are taken."""


@dataclass(frozen=True, eq=False)
class PairScores:
    """Templates compared with unrelated pupils."""

    pupils: int
    """How many pupils were compared."""
    templates_each: NDArray[np.intp]
    """Shape (pupils,)."""
    first: NDArray[np.intp]
    """Number of the template's owner, below ``pupils``, shape (pairs,)."""
    second: NDArray[np.intp]
    """Number of the pupil whom it is compared with."""
    fused: Scores
    sface: Scores
    genuine: Scores
    """Fused scores of pairs of one pupil's own templates, each once, shape (those pairs,)."""


def pair_scores(
    gallery: Gallery, thresholds: Thresholds, siblings: Collection[tuple[str, str]]
) -> PairScores:
    """Compare every template with every pupil, ``MAXIMUM_TEMPLATES`` or about so many."""
    if not gallery.templates:
        nobody, none = gallery.owners, np.zeros(0)
        return PairScores(0, nobody, nobody, nobody, none, none, none)
    part = _evenly_spread(gallery)
    count = len(part.pupils)
    first, second = np.repeat(part.owners, count), np.tile(np.arange(count), part.templates)
    apart = (first != second) & ~_related(part.pupils, first, second, siblings)
    fused = fused_by_pupil(part.vectors, part, thresholds).ravel()[apart]
    sface = sface_by_pupil(part.vectors[SFACE], part, thresholds).ravel()[apart]
    return PairScores(
        pupils=count,
        templates_each=np.bincount(part.owners),
        first=first[apart],
        second=second[apart],
        fused=fused.astype(np.float64),
        sface=sface.astype(np.float64),
        genuine=_own_pairs(part, thresholds),
    )


def _evenly_spread(gallery: Gallery) -> Gallery:
    """Pupils with all their templates, evenly spread, as many as may be compared."""
    count = min(MAXIMUM_TEMPLATES * len(gallery.pupils) // gallery.templates, len(gallery.pupils))
    chosen = np.linspace(0, len(gallery.pupils) - 1, count).astype(np.intp)
    rows = np.isin(gallery.owners, chosen)
    return Gallery(
        tuple(gallery.pupils[pupil] for pupil in chosen),
        np.searchsorted(chosen, gallery.owners[rows]),
        {model: vectors[rows] for model, vectors in gallery.vectors.items()},
        gallery.versions,
    )


def _own_pairs(gallery: Gallery, thresholds: Thresholds) -> Scores:
    """Pupil by pupil: a trust's pairs together are too many to hold."""
    ends = [*gallery.starts[1:], gallery.templates]
    scores = [np.zeros(0, np.float32)]
    for start, end in zip(gallery.starts, ends, strict=True):
        own = {model: vectors[start:end] for model, vectors in gallery.vectors.items()}
        scores.append(fused_scores(own, own, thresholds)[np.triu_indices(end - start, 1)])
    return np.concatenate(scores).astype(np.float64)


def _related(
    names: Sequence[str],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    siblings: Collection[tuple[str, str]],
) -> NDArray[np.bool_]:
    """Which pairs are siblings; those who weren't compared don't matter."""
    index = {pupil: position for position, pupil in enumerate(names)}
    size = len(index)
    keys = {
        min(index[a], index[b]) * size + max(index[a], index[b])
        for a, b in siblings
        if a in index and b in index
    }
    return np.isin(np.minimum(first, second) * size + np.maximum(first, second), list(keys))
