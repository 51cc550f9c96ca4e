"""Statistics of scores: fit a tail, compute an exact interval and a DET curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.thresholds import Tail

Scores = NDArray[np.float64]
"""Shape (comparisons,)."""

TAIL_SHARE = 0.002
"""Share of the impostor scores in the tail, if that is at least ``TAIL_COUNT`` scores. For shares
from 0.0005 to 0.005 the score at a rate of 4 in a million changes by 0.01 (fit half of faces/)."""

TAIL_COUNT = 100
"""Smallest number of scores that a tail is fitted to."""

CONFIDENCE = 0.95
"""Of every ``Interval``."""


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Interval:
        """Return the estimate and its interval multiplied by ``factor``."""
        return Interval(self.value * factor, self.low * factor, self.high * factor)


def fit_tail(scores: Scores, total: int | None = None, shape: float | None = None) -> Tail:
    """Fit a generalised Pareto tail by probability-weighted moments (Hosking and Wallis 1987).

    ``scores`` may have only the highest of ``total`` comparisons, if it has the whole tail. With
    ``shape`` only the scale is fitted: the few hundred pupils of a school do not suffice to fit the
    shape.

    Raises:
        ValueError: There are not more than ``TAIL_COUNT`` scores.
    """
    if len(scores) <= TAIL_COUNT:
        raise ValueError("Too few comparisons to describe their tail.")
    total = total or len(scores)
    count = min(max(round(TAIL_SHARE * total), TAIL_COUNT), len(scores) - 1)
    top = np.sort(np.partition(scores, -count - 1)[-count - 1 :])
    start, excess = float(top[0]), top[1:] - top[0]
    first = float(excess.mean())
    if shape is None:
        rank = (np.arange(count) + 0.65) / count
        second = float(((1 - rank) * excess).mean())
        shape = 2 - first / max(first - 2 * second, 1e-9)
    return Tail(start, count / total, max((1 - shape) * first, 1e-9), shape)


def exact_share(errors: int, trials: int) -> Interval:
    """Return the share of errors with its exact interval (Clopper and Pearson 1934).

    Without trials the share is NaN and the interval 0 to 1.
    """
    if trials == 0:
        return Interval(float("nan"), 0.0, 1.0)
    from scipy.special import (
        betaincinv,
    )  # loading takes half a second; other commands must not wait

    tail = (1 - CONFIDENCE) / 2
    low = betaincinv(errors, trials - errors + 1, tail) if errors else 0.0
    high = betaincinv(errors + 1, trials - errors, 1 - tail) if errors < trials else 1.0
    return Interval(errors / trials, float(low), float(high))


def det_curve(impostor: Scores, genuine: Scores, points: int = 200) -> tuple[Scores, Scores]:
    """Return the DET curve: the shares of impostors accepted and of genuine pairs missed.

    Both have the shape (points,), for ``points`` thresholds from the lowest to the highest score.
    A score that equals the threshold is accepted.
    """
    both = np.concatenate([impostor, genuine])
    thresholds = np.linspace(both.min(), both.max(), points)
    accepted = 1 - np.searchsorted(np.sort(impostor), thresholds, side="left") / len(impostor)
    missed = np.searchsorted(np.sort(genuine), thresholds, side="left") / len(genuine)
    return accepted, missed
