"""Rank the pupils whom a face resembles most, for a person who says who it is.

A rank is no match: the first pupil of the list may look nothing like the face. So no rule of the
gate uses it.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

import numpy as np

from consent_gate.matching.gallery import Gallery, Probes, fused_by_pupil, same_versions
from consent_gate.matching.thresholds import Thresholds

LEAST_LIKENESS = 0.26
"""Fused score under which a pupil is not offered, so that few visitors get an offer. Chosen by
``benchmarks.faces.candidate_floor`` on the fit half of the test photos."""


def nearest_pupils(
    gallery: Gallery,
    face: Probes,
    thresholds: Thresholds,
    count: int,
    allowed: Collection[str],
) -> tuple[str, ...]:
    """Return the admission numbers of the pupils nearest to one face, nearest first.

    Pupils with a lower score than ``LEAST_LIKENESS`` are left out, so that most visitors get no
    offer.

    Args:
        gallery: The templates in force.
        face: The vectors of one face.
        thresholds: The thresholds in force.
        count: How many pupils at most.
        allowed: Admission numbers of the pupils who may be compared for this face.

    Returns:
        Nothing where the templates were made by other models than the face's vectors.
    """
    versions = (gallery.versions, face.versions)
    if not gallery.pupils or not all(same_versions(each, thresholds) for each in versions):
        return ()
    if not all(np.isfinite(vector).all() for vector in face.vectors.values()):
        return ()
    scores = fused_by_pupil(face.vectors, gallery, thresholds)[0]
    near = np.flatnonzero(scores >= LEAST_LIKENESS)
    by_likeness = near[np.argsort(-scores[near], kind="stable")]
    numbers = (gallery.pupils[row] for row in by_likeness)
    return tuple(islice((number for number in numbers if number in allowed), count))
