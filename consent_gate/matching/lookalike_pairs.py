"""Find pairs of enrolled pupils whom the models confuse. Uses no files and no clock."""

from __future__ import annotations

import numpy as np

from consent_gate.matching.gallery import (
    ROUNDING,
    Gallery,
    fused_scores,
    main_model,
    same_versions,
    sface_scores,
)
from consent_gate.matching.thresholds import Thresholds

BLOCK = 256
"""Templates compared with all others at a time in the search for lookalikes, so that memory grows
with the gallery and not with its square (measured by benchmarks/gallery_growth.py)."""


LOOKALIKE_RATE = 0.01
"""Two pupils are lookalikes from the score at which one unknown face in a hundred would be matched
to a pupil. This is ten times the promised rate, so that pairs are listed before they are confused.
"""


def lookalikes(gallery: Gallery, thresholds: Thresholds) -> list[tuple[str, str]]:
    """Return pairs of enrolled pupils whom the models confuse, each pair once, sorted.

    Two pupils are a pair if any template of one resembles any template of the other. The result is
    empty if the thresholds are for other models than the templates, because then nothing matches.
    """
    if not gallery.pupils or not same_versions(gallery.versions, thresholds):
        return []
    alike = thresholds.fused_tail.score_at(LOOKALIKE_RATE / len(gallery.pupils))
    pairs: set[tuple[int, int]] = set()
    for start in range(0, gallery.template_count, BLOCK):
        pairs |= _alike(gallery, thresholds, slice(start, start + BLOCK), alike)
    return [(gallery.pupils[a], gallery.pupils[b]) for a, b in sorted(pairs)]


def _alike(
    gallery: Gallery, thresholds: Thresholds, rows: slice, alike: float
) -> set[tuple[int, int]]:
    """Pairs of indices of pupils: one owns one of these rows, the other one of these or later rows.

    dlib compares only templates whose SFace score makes a pair possible. This is exact, and half
    the work.
    """
    block = {model: vectors[rows] for model, vectors in gallery.vectors.items()}
    main = main_model(thresholds)
    later = gallery.vectors[main][rows.start :]
    minimum = thresholds.min_sface(alike) - ROUNDING
    near = (sface_scores(block[main], later, thresholds) >= minimum).any(axis=0)
    columns = rows.start + np.nonzero(near)[0]
    others = {model: vectors[columns] for model, vectors in gallery.vectors.items()}
    found = np.argwhere(fused_scores(block, others, thresholds) >= alike)
    owners = np.stack(
        [gallery.owners[rows.start + found[:, 0]], gallery.owners[columns[found[:, 1]]]]
    )
    return {(int(a), int(b)) for a, b in np.sort(owners, axis=0).T if a != b}
