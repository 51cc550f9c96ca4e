"""Count how often a stranger would reach the line for the roll of a class, and estimate the tail.

Each pupil's template plays a stranger at the event of every class but the pupil's own. The lead
over the next pupil of the school is left out, so the figures are an upper bound.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import Gallery, fused_by_pupil
from consent_gate.matching.statistics import exact_share, fit_tail
from consent_gate.matching.thresholds import Tail, Thresholds

ROLL = 30
"""Pupils of a class."""

RESAMPLINGS = 200
TOP = 3000
"""Highest scores from which the tail of a resampling is fitted."""


def strangers_on_rolls(gallery: Gallery, thresholds: Thresholds, groups: dict[str, str]) -> str:
    """Two lines for the report. The line of each pupil is that of the pupil's templates.

    Args:
        gallery: The templates of the school.
        thresholds: Those in force.
        groups: Class by admission number.
    """
    of = np.array([groups[pupil] for pupil in gallery.pupils])
    scores = fused_by_pupil(gallery.vectors, gallery, thresholds).astype(np.float64)
    lines = np.array([thresholds.accept_fused(ROLL, int(k)) for k in gallery.template_counts])
    met = accepted = 0
    for group in sorted(set(of)):
        members = np.nonzero(of == group)[0]
        reached = scores[of[gallery.owners] != group][:, members] >= lines[members]
        met += len(reached)
        accepted += int(reached.any(axis=1).sum())
    share = exact_share(accepted, met)
    apart = gallery.owners[:, None] != np.arange(len(gallery.pupils))[None]
    pairs, shape = scores[apart], thresholds.fused_tail.shape
    rate = _on_roll(fit_tail(pairs, shape=shape), lines)
    random, top = np.random.default_rng(0), np.argsort(pairs)[-TOP:]
    rates = []
    for _ in range(RESAMPLINGS):
        size = len(gallery.pupils)
        drawn = np.bincount(random.integers(size, size=size), minlength=size)
        times = (drawn[gallery.owners][:, None] * drawn[None])[apart]
        tail = fit_tail(np.repeat(pairs[top], times[top]), int(times.sum()), shape)
        rates.append(_on_roll(tail, lines))
    low, high = np.quantile(rates, (0.025, 0.975))
    return (
        f"strangers who reach the line for {ROLL} pupils: {accepted} of {met}"
        f" (95 %: up to {share.high:.2%})\n    tail's estimate for one stranger and one roll of"
        f" {ROLL}: {rate * 1000:.2f} in 1 000 (95 %: {low * 1000:.2f} to {high * 1000:.2f})"
    )


def _on_roll(tail: Tail, lines: NDArray[np.float64]) -> float:
    """The probability that one of ``ROLL`` comparisons reaches the line; ``lines`` by pupil."""
    rate = float(np.mean([tail.rate_at(line) for line in lines]))
    return float(1 - (1 - rate) ** ROLL)
