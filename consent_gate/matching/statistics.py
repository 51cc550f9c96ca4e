"""Small statistics of scores: a tail, an exact interval, a trade-off curve.

Arrays in, figures out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.thresholds import Tail

Scores = NDArray[np.float64]
"""Shape (comparisons,)."""

TAIL_SHARE = 0.002
"""Part of the impostor scores described as the tail, if that makes ``TAIL_COUNT`` of them.
Between 0.0005 and 0.005 the score read at 4 in a million moves by 0.01 (fit half of faces/)."""

TAIL_COUNT = 100
"""Fewest scores a tail is fitted to."""

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Interval:
        """The interval of ``factor`` times as much."""
        return Interval(self.value * factor, self.low * factor, self.high * factor)


def fit_tail(scores: Scores, total: int | None = None, shape: float | None = None) -> Tail:
    """A generalised Pareto tail by probability-weighted moments (Hosking and Wallis 1987).

    ``scores`` may be only the highest of ``total`` comparisons, if the tail lies within them.
    ``shape`` is taken as known where given: a school's few hundred pupils fix the scale but not
    the shape. Needs more than ``TAIL_COUNT`` scores; raises ValueError otherwise.
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


def share(errors: int, trials: int) -> Interval:
    """Share of errors with its exact interval (Clopper and Pearson 1934)."""
    if trials == 0:
        return Interval(float("nan"), 0.0, 1.0)
    from scipy.special import betaincinv  # half a second to load, and every command would wait

    tail = (1 - CONFIDENCE) / 2
    low = betaincinv(errors, trials - errors + 1, tail) if errors else 0.0
    high = betaincinv(errors + 1, trials - errors, 1 - tail) if errors < trials else 1.0
    return Interval(errors / trials, float(low), float(high))


def trade_off(impostor: Scores, genuine: Scores, points: int = 200) -> tuple[Scores, Scores]:
    """The DET curve: share of strangers accepted and of pupils missed, shape (points,) each.

    At ``points`` scores from the lowest to the highest of either; accepted means reaching it.
    """
    both = np.concatenate([impostor, genuine])
    lines = np.linspace(both.min(), both.max(), points)
    accepted = 1 - np.searchsorted(np.sort(impostor), lines, side="left") / len(impostor)
    missed = np.searchsorted(np.sort(genuine), lines, side="left") / len(genuine)
    return accepted, missed
