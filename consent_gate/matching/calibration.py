"""Measure on a school's templates how often the models confuse two people, and fit thresholds.

A template compared with *another* pupil (in the way of ``gallery``: with the average of that
pupil's templates) is an impostor comparison. A pair of templates of the same pupil is a genuine
one. The impostor scores give the thresholds (see ``thresholds``). The genuine scores show how many
pupils the thresholds miss. Event photos differ more than portraits do, so more pupils are missed in
event photos than these figures say.

The functions use no files and no clock. Random numbers come from a fixed seed, so the same
templates always give the same figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from consent_gate.matching.gallery import Gallery, same_versions
from consent_gate.matching.pair_scores import PairScores, pair_scores
from consent_gate.matching.statistics import (
    CONFIDENCE,
    TAIL_COUNT,
    TAIL_SHARE,
    Interval,
    Scores,
    exact_share,
    fit_tail,
)
from consent_gate.matching.thresholds import SOLO_SHARE, Tail, Thresholds

MINIMUM_PUPILS = 50
"""With fewer pupils there are too few pairs (50 pupils have 1 225) to fit a tail for one error in a
thousand faces. The thresholds in force are then kept."""

RESAMPLINGS = 200
"""Bootstrap repetitions. Pupils are resampled, not pairs, because the pairs of a pupil depend on
each other."""

ASSURANCE = 0.9
"""Thresholds are raised until this share of the resamplings keeps the promised rate."""


@dataclass(frozen=True)
class Volume:
    """How many faces the gate of this school examines."""

    unknown_faces_a_year: float
    """Faces of people who are not enrolled: visitors, pupils without biometric consent."""
    publishable_share: float
    """Share of enrolled pupils who may be published in some channel. A stranger who is matched to
    any other pupil is held anyway."""
    basis: str
    """Source of the number of faces, as a text for the report."""


@dataclass(frozen=True)
class DetectionCounts:
    """How the detectors classified the portraits at one height of the face."""

    face: int
    possible: int
    """The detectors disagreed: the picture is held."""
    missed: int
    """The dangerous case: a picture may be released with a person who was not detected."""

    @property
    def shown(self) -> int:
        """Number of portraits at this height."""
        return self.face + self.possible + self.missed

    @property
    def found(self) -> Interval:
        """Share found as a face or a possible face, with its 95 % interval."""
        return exact_share(self.face + self.possible, self.shown)


@dataclass(frozen=True)
class DetectionBySize:
    """How well the detectors find the school's own portraits when these are scaled down."""

    portraits: int
    unusable: int
    """Number of portraits left out: unreadable, or without a face found at full size."""
    sizes: Mapping[int, DetectionCounts]
    """By height of the face in pixels, ascending."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """The result of a calibration on a school's own templates."""

    pupils: int
    """Number of pupils."""
    templates: int
    """Number of templates."""
    impostor: Scores
    """Fused scores of all templates with all other pupils."""
    genuine: Scores
    """Fused scores of all pairs of one pupil's templates; may be empty."""
    proposed: Thresholds | None
    """None with too few pupils: the thresholds in force are kept."""
    explanation: str
    """A text for staff: what was measured and what was not."""
    accept: float
    """Fused score from which a face matches a pupil with one template among this many pupils, by
    the proposed thresholds, or by those in force if there is no proposal. It is higher for a pupil
    with more templates."""
    missed: Interval | None
    """Share of genuine pairs below ``accept``; None without genuine pairs."""
    confused: Interval
    """Share of pupils who would be matched to another pupil if they were not enrolled themselves;
    counted, not modelled."""
    volume: Volume
    false_accepts_a_year: Interval | None
    """Unknown faces a year that are matched to a pupil who may be published. This is an upper bound
    of wrong releases, because everyone else in the picture must be cleared too. None with too few
    pupils."""


def calibrate(
    gallery: Gallery,
    current: Thresholds,
    volume: Volume,
    siblings: Collection[tuple[str, str]] = (),
) -> Calibration:
    """Measure a school's templates and propose thresholds for a person to accept.

    ``siblings`` has pairs of admission numbers, which are left out. One pair of twins would raise
    the threshold above every pupil; the sibling guard and the list of lookalikes cover siblings.

    Raises:
        ValueError: The templates come from other models than ``current``.
    """
    if gallery.versions and not same_versions(gallery.versions, current):
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
        templates=gallery.template_count,
        impostor=pairs.fused,
        genuine=pairs.genuine,
        proposed=proposed,
        explanation=_explanation(gallery, len(pairs.genuine)),
        accept=accept,
        missed=exact_share(missed, len(pairs.genuine)) if len(pairs.genuine) else None,
        confused=_confused(pairs, in_force, len(gallery.pupils)),
        volume=volume,
        false_accepts_a_year=_rate(pairs, accept, in_force.fused_tail.shape).times(faces)
        if enough
        else None,
    )


def refit(
    gallery: Gallery,
    current: Thresholds,
    siblings: Collection[tuple[str, str]] = (),
    pupils: int | None = None,
) -> Thresholds:
    """Return ``current`` with tails fitted to the impostor scores of this gallery.

    The promised rate is kept, with ``ASSURANCE``, for a school of ``pupils`` pupils; by default as
    many as there are in the gallery.

    Raises:
        ValueError: There are too few pupils to fit a tail.
    """
    rate = current.false_accept_rate / max(pupils or len(gallery.pupils), 1)
    pairs = pair_scores(gallery, current, siblings)
    return replace(
        current,
        fused_tail=_assured_tail(pairs, pairs.fused, current.fused_tail, (1 - SOLO_SHARE) * rate),
        sface_tail=_assured_tail(pairs, pairs.sface, current.sface_tail, SOLO_SHARE * rate),
        fitted_on=f"own templates: {gallery.template_count} of {len(gallery.pupils)} pupils",
    )


def _assured_tail(pairs: PairScores, scores: Scores, current: Tail, rate: float) -> Tail:
    """The tail of ``scores``, shifted up until ``ASSURANCE`` of the resamplings keep ``rate``.

    Its shape is that of ``current``, which was fitted to far more pairs.
    """
    tail = fit_tail(scores, shape=current.shape)
    resampled = _resampled_tails(pairs, scores, current.shape)
    thresholds = [other.score_at(rate) for other in resampled]
    shift = float(np.quantile(thresholds, ASSURANCE)) - tail.score_at(rate)
    return replace(tail, start=tail.start + max(shift, 0.0))


def _resampled_tails(pairs: PairScores, scores: Scores, shape: float) -> Iterator[Tail]:
    """Bootstrap: yield ``RESAMPLINGS`` tails, each of as many pupils drawn with replacement.

    The weight of a pair is the product of how often its two pupils were drawn. Only the highest
    scores are used, five times as many as a tail needs.
    """
    random = np.random.default_rng(0)
    keep = min(5 * max(round(TAIL_SHARE * len(scores)), TAIL_COUNT), len(scores))
    top = np.argpartition(scores, -keep)[-keep:]
    for _ in range(RESAMPLINGS):
        drawn = np.bincount(
            random.integers(pairs.pupils, size=pairs.pupils), minlength=pairs.pupils
        )
        rows = drawn * pairs.template_counts
        total = int(rows.sum() * drawn.sum() - (rows * drawn).sum())  # pairs of siblings neglected
        times = drawn[pairs.first[top]] * drawn[pairs.second[top]]
        yield fit_tail(np.repeat(scores[top], times), total, shape)


def _confused(pairs: PairScores, thresholds: Thresholds, pupils: int) -> Interval:
    """Share of pupils with a template that matches another of so many pupils."""
    counts, place = np.unique(pairs.template_counts, return_inverse=True)
    accept = np.array([thresholds.accept_fused(pupils, int(count)) for count in counts])
    confused = np.unique(pairs.first[pairs.fused >= accept[place][pairs.second]])
    return exact_share(len(confused), pairs.pupils)


def _rate(pairs: PairScores, accept: float, shape: float) -> Interval:
    """Probability that one comparison of two people reaches ``accept``, from the fitted tail."""
    point = fit_tail(pairs.fused, shape=shape).rate_at(accept)
    rates = [tail.rate_at(accept) for tail in _resampled_tails(pairs, pairs.fused, shape)]
    low, high = np.quantile(rates, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(point, float(low), float(high))


def _explanation(gallery: Gallery, genuine: int) -> str:
    """A text for staff: what was measured and what was not."""
    if len(gallery.pupils) < MINIMUM_PUPILS:
        return (
            f"Only {len(gallery.pupils)} pupils are enrolled. At least {MINIMUM_PUPILS} are needed "
            "to measure how often the computer confuses the children of this school. The values in "
            "force are kept."
        )
    if genuine == 0:
        return (
            "Every pupil has only one enrolment picture. How often the computer confuses two "
            "pupils was measured. How often it fails to recognise a pupil could not be measured."
        )
    return (
        "How often a pupil is not recognised was measured between enrolment pictures. Event photos "
        "are harder: expect that more pupils are not recognised there."
    )
