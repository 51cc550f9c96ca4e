"""Measuring, on a school's own enrolled portraits, how often two people look alike to the models.

Every template compared with *another* pupil, as the gate compares (``gallery``: with the average of
that pupil's templates), is an impostor comparison; every pair of one pupil's own templates is a
genuine one. The impostor pairs fix the thresholds (see ``thresholds``); the
genuine pairs tell what the thresholds cost. Portraits are taken alike, event photos are not: the
share of pupils missed at events will be higher than the share missed between portraits, and
nothing here pretends otherwise.

Arrays in, figures out: no files, no clock. Random numbers come from a fixed seed, so the same
templates always give the same figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from consent_gate.matching.gallery import Gallery
from consent_gate.matching.pair_scores import PairScores, pair_scores
from consent_gate.matching.statistics import (
    CONFIDENCE,
    TAIL_COUNT,
    TAIL_SHARE,
    Interval,
    Scores,
    fit_tail,
    share,
)
from consent_gate.matching.thresholds import SOLO_SHARE, Tail, Thresholds

MINIMUM_PUPILS = 50
"""Below this a school's own pairs (1 225 of 50 pupils) can't place a tail that must be read at
one error in a thousand faces: the values in force are kept."""

RESAMPLINGS = 200
"""Bootstrap repetitions; pupils are resampled, not pairs, for pairs of one pupil go together."""

ASSURANCE = 0.9
"""Thresholds are raised until this share of resamplings keeps the promise."""


@dataclass(frozen=True)
class Volume:
    """How many faces the school's gate will see."""

    unknown_faces_a_year: float
    """Faces of people who aren't enrolled: visitors, pupils without biometric consent."""
    publishable_share: float
    """Share of enrolled pupils who may be published somewhere: a stranger taken for any other
    pupil is held anyway."""
    basis: str
    """Where the number of faces comes from, in words for the report."""


@dataclass(frozen=True)
class DetectionCounts:
    """What the finder made of so many portraits at one height."""

    face: int
    possible: int
    """The detectors disagreed: the picture is held."""
    missed: int
    """The one that can do harm: a picture may go out with a person nobody saw."""

    @property
    def shown(self) -> int:
        """How many were looked for."""
        return self.face + self.possible + self.missed

    @property
    def found(self) -> Interval:
        """Share found, sure or not, with its 95 % interval."""
        return share(self.face + self.possible, self.shown)


@dataclass(frozen=True)
class DetectionBySize:
    """How the finder fares as the school's own portraits shrink."""

    portraits: int
    unusable: int
    """Portraits left out: unreadable, or no face found at full size."""
    sizes: Mapping[int, DetectionCounts]
    """By height of the face in pixels, ascending."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the school's own templates say."""

    pupils: int
    templates: int
    impostor: Scores
    """Fused scores of all templates with all other pupils."""
    genuine: Scores
    """Fused scores of all pairs of one pupil's templates; may be empty."""
    proposed: Thresholds | None
    """None where there are too few pupils to say: keep what is in force."""
    explanation: str
    """For staff: what was measured, and what wasn't."""
    accept: float
    """Fused score a match needs among this many pupils, by the proposal or, where there is
    none, by what is in force."""
    missed: Interval | None
    """Share of genuine pairs below ``accept``; None without genuine pairs."""
    taken: Interval
    """Share of pupils who would be taken for another if they weren't enrolled themselves:
    counted, not modelled."""
    volume: Volume
    wrong_a_year: Interval | None
    """Unknown faces a year taken for a pupil who may be published. An upper bound of wrong
    releases, as everyone else in the picture must be cleared too. None with too few pupils."""


def calibrate(
    gallery: Gallery,
    current: Thresholds,
    volume: Volume,
    siblings: Collection[tuple[str, str]] = (),
) -> Calibration:
    """Measure a school's templates and propose thresholds for a person to accept.

    Pairs of ``siblings`` (admission numbers) are left out: one pair of twins would lift the line
    above every pupil, and the sibling guard and the lookalike list look after them.
    Raises ValueError when the templates are of other models than ``current``.
    """
    if gallery.versions and dict(gallery.versions) != dict(current.versions):
        raise ValueError("The templates and the thresholds belong to different models.")
    enough = len(gallery.pupils) >= MINIMUM_PUPILS
    proposed = refit(gallery, current, siblings) if enough else None
    in_force = proposed or current
    accept = in_force.accept_fused(len(gallery.pupils))
    pairs = pair_scores(gallery, in_force, siblings)
    missed = int((pairs.genuine < accept).sum())
    faces = volume.unknown_faces_a_year * volume.publishable_share * len(gallery.pupils)
    return Calibration(
        pupils=len(gallery.pupils),
        templates=gallery.templates,
        impostor=pairs.fused,
        genuine=pairs.genuine,
        proposed=proposed,
        explanation=_explanation(gallery, len(pairs.genuine)),
        accept=accept,
        missed=share(missed, len(pairs.genuine)) if len(pairs.genuine) else None,
        taken=_taken(pairs, accept),
        volume=volume,
        wrong_a_year=_rate(pairs, accept, in_force.fused_tail.shape).times(faces)
        if enough
        else None,
    )


def refit(
    gallery: Gallery,
    current: Thresholds,
    siblings: Collection[tuple[str, str]] = (),
    pupils: int | None = None,
) -> Thresholds:
    """``current`` with tails placed by this gallery's impostor scores.

    The promise is kept with assurance for a school of so many ``pupils``: as many as are
    measured, unless told otherwise. Raises ValueError when there are too few pupils for a tail.
    """
    rate = current.false_accept_rate / max(pupils or len(gallery.pupils), 1)
    pairs = pair_scores(gallery, current, siblings)
    return replace(
        current,
        fused_tail=_assured_tail(pairs, pairs.fused, current.fused_tail, (1 - SOLO_SHARE) * rate),
        sface_tail=_assured_tail(pairs, pairs.sface, current.sface_tail, SOLO_SHARE * rate),
        fitted_on=f"own templates: {gallery.templates} of {len(gallery.pupils)} pupils",
    )


def _assured_tail(pairs: PairScores, scores: Scores, current: Tail, rate: float) -> Tail:
    """The tail of ``scores``, shifted up until most resamplings keep ``rate``.

    Its shape stays that of ``current``, which was fitted to far more pairs.
    """
    tail = fit_tail(scores, shape=current.shape)
    resampled = _resampled_tails(pairs, scores, current.shape)
    lines = [other.score_at(rate) for other in resampled]
    shift = float(np.quantile(lines, ASSURANCE)) - tail.score_at(rate)
    return replace(tail, start=tail.start + max(shift, 0.0))


def _resampled_tails(pairs: PairScores, scores: Scores, shape: float) -> Iterator[Tail]:
    """Tails of as many pupils drawn with replacement, again and again.

    A pair counts as often as both its pupils were drawn, multiplied. Only the highest scores are
    carried along, five times as many as a tail needs.
    """
    random = np.random.default_rng(0)
    keep = min(5 * max(round(TAIL_SHARE * len(scores)), TAIL_COUNT), len(scores))
    top = np.argpartition(scores, -keep)[-keep:]
    for _ in range(RESAMPLINGS):
        drawn = np.bincount(
            random.integers(pairs.pupils, size=pairs.pupils), minlength=pairs.pupils
        )
        rows = drawn * pairs.templates_each
        total = int(rows.sum() * drawn.sum() - (rows * drawn).sum())  # siblings' few: neglected
        times = drawn[pairs.first[top]] * drawn[pairs.second[top]]
        yield fit_tail(np.repeat(scores[top], times), total, shape)


def _taken(pairs: PairScores, accept: float) -> Interval:
    """Each pupil as a stranger: is another pupil close enough to any of their templates?"""
    mistaken = np.unique(pairs.first[pairs.fused >= accept])
    return share(len(mistaken), pairs.pupils)


def _rate(pairs: PairScores, accept: float, shape: float) -> Interval:
    """How often one comparison of two people reaches ``accept``: modelled, as it is so rare."""
    point = fit_tail(pairs.fused, shape=shape).rate_at(accept)
    rates = [tail.rate_at(accept) for tail in _resampled_tails(pairs, pairs.fused, shape)]
    low, high = np.quantile(rates, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(point, float(low), float(high))


def _explanation(gallery: Gallery, genuine: int) -> str:
    """What was measured and what wasn't, for staff."""
    if len(gallery.pupils) < MINIMUM_PUPILS:
        return (
            f"Only {len(gallery.pupils)} pupils are enrolled. That is too few to measure how "
            f"alike this school's children look to the machine ({MINIMUM_PUPILS} are needed), so "
            "the values in force are kept."
        )
    if genuine == 0:
        return (
            "Every pupil has one enrolment picture, so how often the machine fails to recognise "
            "a pupil could not be measured here; how often it takes one pupil for another could."
        )
    return (
        "How often a pupil isn't recognised was measured between enrolment pictures. Event "
        "photos are harder: expect more pupils to be held for a person than this says."
    )
