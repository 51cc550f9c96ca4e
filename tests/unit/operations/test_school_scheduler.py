"""Which school a machine works for next when it serves several."""

from __future__ import annotations

from consent_gate.operations.school_scheduler import TURN_SECONDS, SchoolScheduler

LIVE, ARCHIVE = 20, 0


def turns(rota: SchoolScheduler, ranks: dict[str, int], count: int) -> list[str]:
    """Schools in the order served, each for as long as a turn."""
    order = []
    for n in range(count):
        school = rota.next(ranks, n * TURN_SECONDS)
        assert school is not None
        rota.served[school] = n * TURN_SECONDS
        order.append(school)
    return order


def test_schools_with_as_urgent_work_take_turns() -> None:
    ranks = {"oakwood": LIVE, "elmfield": LIVE, "ashdown": LIVE}
    assert turns(SchoolScheduler(), ranks, 6) == ["ashdown", "elmfield", "oakwood"] * 2


def test_photos_of_today_at_one_school_go_before_another_schools_archive() -> None:
    rota = SchoolScheduler()
    assert turns(rota, {"oakwood": ARCHIVE}, 3) == ["oakwood"] * 3
    assert rota.next({"oakwood": ARCHIVE, "elmfield": LIVE}, 100) == "elmfield"


def test_a_turn_is_cut_short_for_more_urgent_work_only() -> None:
    rota = SchoolScheduler(served={"oakwood": 0.0})
    assert rota.should_preempt("oakwood", {"oakwood": ARCHIVE, "elmfield": LIVE}, 1)
    assert not rota.should_preempt("oakwood", {"oakwood": LIVE, "elmfield": LIVE}, 1)
    assert not rota.should_preempt("oakwood", {"oakwood": LIVE, "elmfield": ARCHIVE}, 1e6)


def test_a_turn_ends_for_as_urgent_work_when_its_time_is_over() -> None:
    rota = SchoolScheduler(served={"oakwood": 0.0})
    assert rota.should_preempt("oakwood", {"oakwood": LIVE, "elmfield": LIVE}, TURN_SECONDS)
    assert not rota.should_preempt("oakwood", {"oakwood": LIVE}, 1e6), "nobody else waits"


def test_a_school_whose_turn_failed_is_left_alone_for_a_while() -> None:
    rota = SchoolScheduler(paused_until={"oakwood": 60.0})
    assert rota.next({"oakwood": LIVE, "elmfield": ARCHIVE}, 1) == "elmfield"
    assert rota.next({"oakwood": LIVE}, 1) is None
    assert rota.next({"oakwood": LIVE, "elmfield": ARCHIVE}, 61) == "oakwood"
