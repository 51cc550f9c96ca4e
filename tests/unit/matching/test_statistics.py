"""Fitted score tails, exact intervals and the trade-off between both kinds of error."""

from __future__ import annotations

import numpy as np
import pytest

from consent_gate.matching.statistics import det_curve, exact_share, fit_tail


def test_a_known_tail_is_found_again() -> None:
    random = np.random.default_rng(0)
    scores = random.exponential(0.03, size=200_000)
    tail = fit_tail(scores)
    truth = 0.03 * np.log(1e6)
    assert tail.score_at(1e-6) == pytest.approx(truth, rel=0.15)


def test_a_tail_of_too_few_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="Too few"):
        fit_tail(np.linspace(0, 1, 100))


def test_an_interval_is_the_exact_one() -> None:
    interval = exact_share(5, 100)  # Clopper and Pearson 1934, as tables give it
    assert (interval.low, interval.high) == pytest.approx((0.0164, 0.1128), abs=1e-4)


def test_no_error_in_a_thousand_trials_is_not_called_never() -> None:
    interval = exact_share(0, 1000)
    assert (interval.value, interval.low) == (0.0, 0.0)
    assert interval.high == pytest.approx(0.00368, abs=1e-5)


def test_the_trade_off_runs_from_accepting_all_to_missing_nearly_all() -> None:
    accepted_share, missed = det_curve(np.array([0.0, 0.1, 0.2]), np.array([0.6, 0.8]))
    assert accepted_share[0] == 1.0
    assert missed[0] == 0.0
    assert missed[-1] == 0.5
    assert accepted_share[-1] == 0.0
    accepted_share, _ = det_curve(np.array([0.0, 1.0]), np.array([0.5]), points=3)
    assert accepted_share.tolist() == [1.0, 0.5, 0.5], "who reaches the line is accepted"
