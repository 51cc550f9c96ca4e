"""Thresholds for a promised error rate: monotonic, invertible and readable from a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.matching.thresholds import Tail, Thresholds

SHIPPED = shipped_thresholds()

tails = st.builds(
    Tail,
    start=st.floats(-0.5, 0.9),
    share=st.floats(1e-4, 0.1),
    scale=st.floats(1e-3, 0.2),
    shape=st.floats(-0.4, 0.4),
)


@given(tails, st.floats(1e-9, 1.0), st.floats(1.0, 100.0))
def test_a_rarer_mistake_needs_a_higher_score(tail: Tail, rate: float, times: float) -> None:
    assert tail.score_at(rate / times) >= tail.score_at(rate)


@given(tails, st.floats(1e-3, 1.0))
def test_a_tail_reads_the_same_both_ways(tail: Tail, part: float) -> None:
    rate = tail.share * part
    assert tail.rate_at(tail.score_at(rate)) == pytest.approx(rate, rel=1e-6)


@given(st.integers(1, 30_000), st.integers(1, 30_000))
def test_a_larger_school_is_never_judged_more_loosely(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert SHIPPED.accept_fused(large) >= SHIPPED.accept_fused(small)
    assert SHIPPED.accept_sface(large) >= SHIPPED.accept_sface(small)


@given(st.integers(1, 30_000), st.integers(1, 20), st.integers(1, 20))
def test_a_pupil_with_more_templates_is_never_judged_more_loosely(
    pupils: int, one: int, other: int
) -> None:
    few, many = sorted((one, other))
    for accept in (SHIPPED.accept_fused, SHIPPED.accept_sface):
        assert accept(pupils, many) >= accept(pupils, few) >= accept(pupils)


@pytest.mark.parametrize("pupils", [50, 700, 25_000])
@pytest.mark.parametrize("templates", [1, 2, 5])
def test_both_lines_together_spend_the_promise_and_no_more(pupils: int, templates: int) -> None:
    fused = SHIPPED.fused_tail.rate_at(SHIPPED.accept_fused(pupils, templates))
    alone = SHIPPED.sface_tail.rate_at(SHIPPED.accept_sface(pupils, templates))
    assert pupils * templates * (fused + alone) == pytest.approx(SHIPPED.false_accept_rate)


def test_thresholds_survive_being_written_down() -> None:
    assert Thresholds.from_json(SHIPPED.to_json()) == SHIPPED


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{}", SHIPPED.to_json().replace("0.001", "NaN", 1)]
)
def test_a_damaged_file_of_thresholds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Thresholds.from_json(text)
