"""Identify faces in a picture by comparing them with the templates of enrolled pupils.

The rules, in order:

1. Vectors of different model versions are never compared: the face is ``NotMatched``.
2. A face whose vector is not finite is ``NotMatched``; it is never "unknown".
3. A face is matched only when its score with the nearest pupil reaches the threshold for a gallery
   of this size and for the number of this pupil's templates (see ``thresholds``), and no other
   pupil's score comes within the margin.
4. A face whose score reaches the threshold of a pupil while the scores of the nearest two pupils
   are within the margin is ambiguous. The result names the pupils within the margin.
5. A face below the threshold whose score reaches that for a roll of ``MINIMUM_ROLL`` pupils, while
   no other pupil of the whole school is within the margin, is a near match. The result says for how
   many pupils on a roll the score would suffice. It counts only at an event whose roll the school
   named (rule 7j of ``consent_gate.policy``).
6. A face that is matched, or nearly, to a pupil with remembered faces must also look like the
   pupil's portraits alone: like one in five hundred strangers. So one remembered face under the
   wrong name clears nobody who does not look like the pupil.
7. Every other face is unknown. The nearest pupil is never assumed.

``gallery`` computes the scores. The reported distance is 1 - score. The margin cannot detect a
sibling who is not enrolled: the policy does that (``sibling_guard``). Source: docs/adr/0004.

The functions use no files and no clock.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import (
    ROUNDING,
    SFACE,
    Gallery,
    Probes,
    Scores,
    fused_by_pupil,
    main_model,
    models_of,
    sface_by_pupil,
)
from consent_gate.matching.thresholds import Thresholds
from consent_gate.model import (
    MINIMUM_ROLL,
    Ambiguous,
    Identity,
    Match,
    NearMatch,
    NotMatched,
    Reason,
    Unknown,
)

_NOT_FINITE = NotMatched(Reason.NOT_EXAMINED, "The face could not be measured.")


def match_by_sface(
    gallery: Gallery, probes: Probes, thresholds: Thresholds
) -> list[Identity | None]:
    """Identify each face by SFace alone; None for a face that also needs dlib's score.

    A face is unknown if even the best dlib score could not lift it to a near match. A face is
    matched if it reaches ``Thresholds.accept_sface`` and no other pupil is within the margin; a
    part of the promised error rate is reserved for this.
    """
    faces = probes.vectors[SFACE]
    refusal = version_refusal(gallery, probes, thresholds, (SFACE,))
    if refusal or not gallery.pupils:
        return [refusal or Unknown()] * len(faces)
    accept = _accept_scores(gallery, thresholds.accept_sface)
    smallest = min(MINIMUM_ROLL, len(gallery.pupils))
    minimum = thresholds.min_sface_to_match(smallest) - ROUNDING
    by_pupil = sface_by_pupil(faces, gallery, thresholds)
    like = _like_portraits(
        gallery,
        by_pupil,
        thresholds.sface_tail.start,
        lambda portraits: sface_by_pupil(faces, portraits, thresholds),
    )
    identities: list[Identity | None] = []
    for row, supported in zip(by_pupil, like, strict=True):
        if not np.isfinite(row).all():
            identities.append(_NOT_FINITE)
        elif row.max() < minimum:
            identities.append(Unknown())
        else:
            identity = _identify(gallery, row, accept, thresholds.margin)
            alone = isinstance(identity, Match) and supported
            identities.append(identity if alone else None)
    return identities


def match(gallery: Gallery, probes: Probes, thresholds: Thresholds) -> list[Identity]:
    """Identify each face by the fused score of both models, or by the school's own model.

    ``thresholds`` says which. Returns one identity per row.
    """
    count = len(probes.vectors[main_model(thresholds)])
    refusal = version_refusal(gallery, probes, thresholds, models_of(thresholds))
    if refusal or not gallery.pupils:
        return [refusal or Unknown()] * count
    accept = _accept_scores(gallery, thresholds.accept_fused)
    by_pupil = fused_by_pupil(probes.vectors, gallery, thresholds)
    like = _like_portraits(
        gallery,
        by_pupil,
        thresholds.fused_tail.start,
        lambda portraits: fused_by_pupil(probes.vectors, portraits, thresholds),
    )
    return [
        _judged(gallery, row, accept, thresholds, supported=supported)
        for row, supported in zip(by_pupil, like, strict=True)
    ]


def _judged(
    gallery: Gallery,
    row: NDArray[np.float32],
    accept: NDArray[np.float64],
    thresholds: Thresholds,
    *,
    supported: bool,
) -> Identity:
    """Rules 2 to 7 for one face, given its fused score with each pupil."""
    if not np.isfinite(row).all():
        return _NOT_FINITE
    found = _near_match(gallery, row, accept, thresholds) or _identify(
        gallery, row, accept, thresholds.margin
    )
    return Unknown() if isinstance(found, Match | NearMatch) and not supported else found


def _like_portraits(
    gallery: Gallery,
    by_pupil: Scores,
    least: float,
    compare: Callable[[Gallery], Scores],
) -> list[bool]:
    """Rule 6: whether each face also looks like the portraits of the pupil nearest to it."""
    portraits = gallery.portraits
    if portraits is None or not len(by_pupil):
        return [True] * len(by_pupil)
    scores = compare(portraits)
    nearest = np.argmax(np.nan_to_num(by_pupil, nan=-1.0), axis=1)
    return [bool(score >= least) for score in scores[np.arange(len(nearest)), nearest]]


def version_refusal(
    gallery: Gallery, probes: Probes, thresholds: Thresholds, models: tuple[str, ...]
) -> NotMatched | None:
    """Rule 1: everything compared must come from the same models, in vectors of one length."""
    for model in models:
        versions = {probes.versions.get(model), thresholds.versions.get(model)}
        lengths = {probes.vectors[model].shape[1]}
        if gallery.pupils:
            versions.add(gallery.versions.get(model))
            lengths |= {gallery.vectors[model].shape[1]} if model in gallery.vectors else set()
        if len(versions) != 1 or None in versions or len(lengths) != 1:
            return NotMatched(
                Reason.NOT_EXAMINED, "The enrolled pictures were measured by another model."
            )
    return None


def _accept_scores(gallery: Gallery, accept: Callable[[int, int], float]) -> NDArray[np.float64]:
    """The score from which a face matches each pupil of the whole school, shape (pupils,)."""
    counts, place = np.unique(gallery.template_counts, return_inverse=True)
    return np.array([accept(len(gallery.pupils), int(count)) for count in counts])[place]


def _near_match(
    gallery: Gallery,
    row: NDArray[np.float32],
    accept: NDArray[np.float64],
    thresholds: Thresholds,
) -> NearMatch | None:
    """Rule 5 for one face, given its fused score with each pupil; None where it does not apply."""
    best = int(row.argmax())
    score, templates = float(row[best]), int(gallery.template_counts[best])
    sizes = range(MINIMUM_ROLL, len(gallery.pupils))
    reached = bisect_right(
        sizes, score, key=lambda pupils: thresholds.accept_fused(pupils, templates)
    )
    margin = score - float(np.delete(row, best).max(initial=-1.0))
    if score >= accept[best] or reached == 0 or margin < thresholds.margin:
        return None
    return NearMatch(gallery.pupils[best], 1.0 - score, margin, roll_size=sizes[reached - 1])


def _identify(
    gallery: Gallery, row: NDArray[np.float32], accept: NDArray[np.float64], margin: float
) -> Identity:
    """Rules 3, 4 and 7 for one face, given its score with each pupil."""
    best = int(row.argmax())
    score = float(row[best])
    others = np.delete(row, best)
    gap = score - float(others.max()) if others.size else score + 1.0
    if gap < margin and (row >= accept).any():
        near = np.nonzero(row > score - margin)[0]
        return Ambiguous(tuple(gallery.pupils[index] for index in near))
    if score < accept[best]:
        return Unknown()
    return Match(gallery.pupils[best], distance=1.0 - score, margin=gap)
