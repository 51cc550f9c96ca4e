"""Work under way, counted until its result is safe."""

from __future__ import annotations

from concurrent.futures import Future

from ingest.workers.in_flight import InFlight, completed_future


def test_what_has_ended_takes_up_room_until_it_is_removed() -> None:
    running = InFlight[str, int](2)
    slow: Future[int] = Future()
    running.add("slow", slow)
    running.add("quick", completed_future(1))
    assert running.capacity == 0
    ((subject, future),) = running.ended()
    assert (subject, future.result(), running.capacity) == ("quick", 1, 0)
    running.remove(future)
    assert (running.capacity, list(running.subjects), running.ended()) == (1, ["slow"], [])


def test_waiting_gives_what_has_ended_and_does_not_wait_for_nothing() -> None:
    running = InFlight[str, int](2)
    assert running.wait_for_any() == []
    running.add("slow", Future())
    running.add("quick", completed_future(1))
    assert [subject for subject, _ in running.wait_for_any()] == ["quick"]


def test_all_are_given_back_those_that_ended_too() -> None:
    running = InFlight[str, int](2)
    running.add("slow", Future())
    running.add("quick", completed_future(1))
    assert running.clear() == ["slow", "quick"]
    assert len(running) == 0
