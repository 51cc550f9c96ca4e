"""Fit the lowest face quality that is matched (docs/adr/0004, rules 4 and 5) on the fit half."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.faces.embeddings import (
    BLURS,
    LIGHTS,
    SIZES,
    UNALTERED,
    Measured,
    Sample,
    measured,
)
from benchmarks.faces.quality_bins import MEASURES, Measure, bins
from consent_gate.matching.calibration import ASSURANCE, RESAMPLINGS
from consent_gate.matching.gallery import DLIB, SFACE, Gallery, fused_scores
from consent_gate.matching.statistics import exact_share, fit_tail
from consent_gate.matching.thresholds import QualityThresholds, Thresholds

RECOGNISED = 0.1
"""Below a floor, a smaller share of faces than this is recognised (docs/adr/0004, rule 4)."""
MIN_FACES_BELOW = 30
"""Number of faces that must lie below a floor (docs/adr/0004, rule 4)."""


@dataclass(frozen=True, eq=False)
class ConditionResult:
    """Members' faces under one condition, compared with the whole fit half."""

    condition: str
    shown: int
    """Number of pictures, with or without a face found."""
    faces: list[Measured]
    """Pictures in which a face was found."""
    own: NDArray[np.float64]
    """Score with the person's first picture, shape (faces,)."""
    others: NDArray[np.float64]
    """Scores with everybody else's pictures, shape (faces, templates); NaN for the person's own."""


def met_again(
    fit_half: Sequence[Sample], gallery: Gallery, thresholds: Thresholds
) -> list[ConditionResult]:
    """Measure the second picture of each member, unaltered and altered in several ways."""
    enrolled = set(gallery.pupils)
    chosen = [sample for sample in seconds(fit_half) if sample.person in enrolled]
    conditions = (UNALTERED, *SIZES, *BLURS, *LIGHTS)
    return [
        _met(condition, measured(chosen, condition), gallery, thresholds)
        for condition in conditions
    ]


def chosen_floors(
    met: Sequence[ConditionResult], seen: Sequence[Measured], thresholds: Thresholds, school: int
) -> QualityThresholds:
    """The floors by rules 4 and 5, for a school of so many templates.

    ``seen`` are the faces of the whole fit half as they are enrolled.
    """
    line = thresholds.accept_fused(school)
    faces = [face for one in met for face in one.faces]
    recognised = np.concatenate([one.own for one in met]) >= line
    figures = {
        m.field: _floor(m, m.of(faces), recognised) or _poorest(m, m.of([*faces, *seen]))
        for m in MEASURES
    }
    height = max(figures.pop("height_px"), _safe_height(met, thresholds, school))
    return QualityThresholds(height_px=round(height), **figures)


def print_bins(met: Sequence[ConditionResult], thresholds: Thresholds, school: int) -> None:
    """Both errors by each measure of quality."""
    line = thresholds.accept_fused(school)
    faces = [face for one in met for face in one.faces]
    own = np.concatenate([one.own for one in met]) >= line
    others = np.concatenate([(one.others >= line).sum(axis=1) for one in met])
    print(f"\n{'measure':16s}    from   faces   own pupil recognised       others over the line")
    for measure in MEASURES:
        for low, chosen in bins(measure, measure.of(faces)):
            rate = exact_share(int(own[chosen].sum()), int(chosen.sum()))
            print(
                f"{measure.label:16s} {low:7.2f} {chosen.sum():7d}   {rate.value:6.1%} "
                f"({rate.low:.1%}-{rate.high:.1%})   {others[chosen].sum():7d}"
            )


def print_conditions(met: Sequence[ConditionResult], thresholds: Thresholds, school: int) -> None:
    """Print both errors for each alteration."""
    line = thresholds.accept_fused(school)
    print(
        f"\ncondition        found   recognised   unknown faces taken for one of {school}, "
        "per 1000 by the tail (80 % interval)"
    )
    for one in met:
        if not one.faces:
            print(f"{one.condition:15s}    0/{one.shown}")
            continue
        point, low, high = _taken(one, thresholds, school)
        print(
            f"{one.condition:15s} {len(one.faces):4d}/{one.shown}  {(one.own >= line).mean():8.1%}"
            f"   {1000 * point:8.2f} ({1000 * low:.2f}-{1000 * high:.2f})"
        )


def seconds(chosen: Sequence[Sample]) -> list[Sample]:
    """The second picture of each member."""
    by_person: dict[str, list[Sample]] = defaultdict(list)
    for sample in chosen:
        if sample.member:
            by_person[sample.person].append(sample)
    return [pictures[1] for pictures in by_person.values()]


def _met(
    condition: str, looks: Sequence[Measured], gallery: Gallery, thresholds: Thresholds
) -> ConditionResult:
    faces = [face for face in looks if face.vectors is not None]
    if not faces:
        return ConditionResult(
            condition, len(looks), [], np.zeros(0), np.zeros((0, gallery.template_count))
        )
    probes = {m: np.stack([f.vectors[m] for f in faces if f.vectors]) for m in (SFACE, DLIB)}
    scores = fused_scores(probes, gallery.vectors, thresholds).astype(np.float64)
    people = np.array([gallery.pupils.index(face.sample.person) for face in faces])
    same = people[:, None] == gallery.owners[None, :]
    first = np.searchsorted(gallery.owners, people)
    own = scores[np.arange(len(faces)), first]
    return ConditionResult(condition, len(looks), faces, own, np.where(same, np.nan, scores))


def _floor(
    measure: Measure, values: NDArray[np.float64], recognised: NDArray[np.bool_]
) -> float | None:
    """Rule 4, for one measure; the ceiling where a high figure is a poor one."""
    sign = -1 if measure.poor_is_high else 1
    for edge in sorted((sign * edge for edge in measure.edges), reverse=True):
        below = sign * values < edge
        if below.sum() >= MIN_FACES_BELOW and recognised[below].mean() < RECOGNISED:
            return float(sign * edge)
    return None


def _poorest(measure: Measure, values: NDArray[np.float64]) -> float:
    """The poorest value, rounded towards poorer, so that the poorest measured face passes."""
    if measure.poor_is_high:
        return math.ceil(float(values.max()) * 100) / 100
    return math.floor(float(values.min()) * 100) / 100


def _safe_height(met: Sequence[ConditionResult], thresholds: Thresholds, school: int) -> float:
    """Rule 5: a height above every size that certainly breaks the promise; 0 if none does."""
    broken = [
        max(face.quality.height_px for face in one.faces if face.quality)
        for one in met
        if one.condition in SIZES and one.faces
        if _taken(one, thresholds, school)[1] > thresholds.false_accept_rate
    ]
    return max(broken, default=0) + bool(broken)


def _taken(met: ConditionResult, thresholds: Thresholds, school: int) -> tuple[float, float, float]:
    """Share of unknown faces taken for one of ``school`` templates, by a tail of these scores.

    With the range of all but one in ten resamplings of the people at either end. The tail's shape
    is that of the fit half.
    """
    line, shape = thresholds.accept_fused(school), thresholds.fused_tail.shape
    people = np.array([face.sample.person for face in met.faces])
    names, rows = np.unique(people, return_inverse=True)
    random = np.random.default_rng(0)

    def rate(chosen: NDArray[np.intp]) -> float:
        scores = met.others[chosen]
        return school * fit_tail(scores[~np.isnan(scores)], shape=shape).rate_at(line)

    resampled = [
        rate(np.concatenate([np.nonzero(rows == name)[0] for name in drawn]))
        for drawn in random.integers(len(names), size=(RESAMPLINGS, len(names)))
    ]
    low, high = np.quantile(resampled, [1 - ASSURANCE, ASSURANCE])
    return rate(np.arange(len(people))), float(low), float(high)
