"""Rank the pupils whom a face resembles most, for a person who says who it is.

A rank is no match: the first pupil of the list may look nothing like the face. So no rule of the
gate uses it.
"""

from __future__ import annotations

import numpy as np

from consent_gate.matching.gallery import Gallery, Probes, fused_by_pupil
from consent_gate.matching.thresholds import Thresholds


def nearest_pupils(
    gallery: Gallery, face: Probes, thresholds: Thresholds, count: int
) -> tuple[str, ...]:
    """Return the admission numbers of the pupils nearest to one face, nearest first.

    Pupils who are no more like the face than two strangers are to each other are left out.

    Args:
        gallery: The templates that may be compared.
        face: The vectors of one face.
        thresholds: The thresholds in force.
        count: How many pupils at most.

    Returns:
        Nothing where the templates were made by other models than the face's vectors.
    """
    known = dict(gallery.versions)
    if not gallery.pupils or known != dict(face.versions) or known != dict(thresholds.versions):
        return ()
    if not all(np.isfinite(vector).all() for vector in face.vectors.values()):
        return ()
    scores = fused_by_pupil(face.vectors, gallery, thresholds)[0]
    order = np.argsort(-scores, kind="stable")[:count]
    return tuple(gallery.pupils[index] for index in order if scores[index] > 0)
