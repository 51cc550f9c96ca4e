"""Compare each template of a gallery with every other pupil.

The comparison is that of ``gallery``: with the average of the other pupil's templates.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import (
    Gallery,
    fused_by_pupil,
    fused_scores,
    main_model,
    sface_by_pupil,
)
from consent_gate.matching.statistics import Scores
from consent_gate.matching.thresholds import Thresholds

MAXIMUM_TEMPLATES = 2000
"""Gives up to four million comparisons. Of a larger gallery an evenly spread selection of pupils is
used."""


@dataclass(frozen=True, eq=False)
class PairScores:
    """The scores of templates compared with unrelated pupils."""

    pupils: int
    """How many pupils were compared."""
    template_counts: NDArray[np.intp]
    """Number of templates of each pupil, shape (pupils,)."""
    first: NDArray[np.intp]
    """Index of the pupil who owns the template, shape (pairs,)."""
    second: NDArray[np.intp]
    """Index of the pupil whom the template is compared with, shape (pairs,)."""
    fused: Scores
    """Fused scores, shape (pairs,)."""
    sface: Scores
    """Scores of the main model, shape (pairs,)."""
    genuine: Scores
    """Fused scores of all pairs of templates of the same pupil, shape (genuine pairs,)."""


def pair_scores(
    gallery: Gallery, thresholds: Thresholds, siblings: Collection[tuple[str, str]]
) -> PairScores:
    """Compare about ``MAXIMUM_TEMPLATES`` templates with every other pupil of the selection.

    ``siblings`` has pairs of admission numbers; these pairs are left out.
    """
    if not gallery.template_count:
        no_pupils, no_scores = gallery.owners, np.zeros(0)
        return PairScores(0, no_pupils, no_pupils, no_pupils, no_scores, no_scores, no_scores)
    part = _evenly_spread(gallery)
    count = len(part.pupils)
    first, second = np.repeat(part.owners, count), np.tile(np.arange(count), part.template_count)
    apart = (first != second) & ~_related(part.pupils, first, second, siblings)
    fused = fused_by_pupil(part.vectors, part, thresholds).ravel()[apart]
    sface = sface_by_pupil(part.vectors[main_model(thresholds)], part, thresholds).ravel()[apart]
    return PairScores(
        pupils=count,
        template_counts=np.bincount(part.owners),
        first=first[apart],
        second=second[apart],
        fused=fused.astype(np.float64),
        sface=sface.astype(np.float64),
        genuine=_own_pairs(part, thresholds),
    )


def _evenly_spread(gallery: Gallery) -> Gallery:
    """A part of the gallery: evenly spread pupils with all their templates."""
    count = min(
        MAXIMUM_TEMPLATES * len(gallery.pupils) // gallery.template_count, len(gallery.pupils)
    )
    chosen = np.linspace(0, len(gallery.pupils) - 1, count).astype(np.intp)
    rows = np.isin(gallery.owners, chosen)
    return Gallery(
        tuple(gallery.pupils[pupil] for pupil in chosen),
        np.searchsorted(chosen, gallery.owners[rows]),
        {model: vectors[rows] for model, vectors in gallery.vectors.items()},
        gallery.versions,
    )


def _own_pairs(gallery: Gallery, thresholds: Thresholds) -> Scores:
    """Computed pupil by pupil, because one matrix for a whole trust is too large for memory."""
    ends = [*gallery.first_rows[1:], gallery.template_count]
    scores = [np.zeros(0, np.float32)]
    for start, end in zip(gallery.first_rows, ends, strict=True):
        own = {model: vectors[start:end] for model, vectors in gallery.vectors.items()}
        scores.append(fused_scores(own, own, thresholds)[np.triu_indices(end - start, 1)])
    return np.concatenate(scores).astype(np.float64)


def _related(
    pupils: Sequence[str],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    siblings: Collection[tuple[str, str]],
) -> NDArray[np.bool_]:
    """Mask of the pairs that are siblings. Siblings who were not compared are ignored."""
    index = {pupil: position for position, pupil in enumerate(pupils)}
    size = len(index)
    keys = {
        min(index[a], index[b]) * size + max(index[a], index[b])
        for a, b in siblings
        if a in index and b in index
    }
    return np.isin(np.minimum(first, second) * size + np.maximum(first, second), list(keys))
