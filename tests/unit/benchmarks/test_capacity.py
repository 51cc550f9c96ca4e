"""The capacity page is computed from measurements and states its assumptions."""

from __future__ import annotations

import pytest

from benchmarks.capacity import Assumed, kill_sentence, need, page

MEASURED = {
    "real": {
        "machine": "two cores",
        "rows": [
            {
                "workers": 1,
                "photos_a_minute": 30.0,
                "efficiency": 1.0,
                "worker_cpu": 1.7,
                "server_cpu": 0.02,
                "load": 1.0,
            }
        ],
        "bytes": {"rows": 5_000.0, "originals": 2e6, "previews": 2e5, "approved": 3e5},
        "photos": 160,
    },
    "queue": {
        "machine": "two cores",
        "sleep": 0.05,
        "rows": [
            {"workers": 1, "a_second": 15, "worker_cpu": 0.03, "server_cpu": 0.02, "load": 1.0}
        ],
        "turn": {"clock": 0.04, "processor": 0.03},
        "fetch": {"1000": 0.001, "100000": 0.0012},
    },
}


def test_a_million_photos_cost_what_a_million_times_one_costs() -> None:
    a_week = need(1_000_000, 7, MEASURED, Assumed(kept_busy=0.85, pounds_per_core_hour=0.03))
    seconds = 1_000_000 * 1.7 / 0.85
    assert a_week.core_days == pytest.approx(seconds / 86_400)
    assert a_week.cores == pytest.approx(seconds / (7 * 86_400))
    assert a_week.pounds == pytest.approx(seconds / 3600 * 0.03)
    assert a_week.server_cores == pytest.approx(1_000_000 * 0.02 / (7 * 86_400))
    assert a_week.database_bytes == 5e9


def test_more_schools_leave_each_more_of_its_turn() -> None:
    one, sixty = (need(10**6, 7, MEASURED, Assumed(schools=n)).share_of_turn for n in (1, 60))
    assert one == pytest.approx(10**6 / (7 * 86_400) * 0.04)
    assert sixty == pytest.approx(one / 60)


def test_the_page_says_what_is_assumed_and_how_busy_the_machine_was() -> None:
    text = page(MEASURED, Assumed())
    for words in (
        "Assumed, not measured",
        "£0.03",
        "85%",
        "load is given",
        "1,000,000 photos",
        "160 photos",
    ):
        assert words in text


def test_the_test_of_killed_machines_is_told_in_a_sentence() -> None:
    summary = "300 photos, killed: {'worker': 2, 'gate': 1, 'postgresql': 3}"
    assert kill_sentence(summary) == (
        "While 300 photos were taken in, SIGKILL ended workers twice, the gate once"
        " and PostgreSQL 3 times, at random moments."
    )
    text = page(MEASURED | {"kill": {"line": summary, "passed": True}}, Assumed())
    assert kill_sentence(summary) in text
    assert "{" not in text


def test_a_summary_of_another_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="no summary"):
        kill_sentence("300 photos")
