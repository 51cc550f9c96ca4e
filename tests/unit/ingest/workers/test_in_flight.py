"""Examinations in flight are counted until their result is stored."""

from __future__ import annotations

from concurrent.futures import Future

from ingest.workers.in_flight import InFlight, completed_future


def test_finished_examinations_count_until_they_are_removed() -> None:
    running = InFlight[str, int](2)
    slow: Future[int] = Future()
    running.add("slow", slow)
    running.add("quick", completed_future(1))
    assert running.capacity == 0
    ((subject, future),) = running.ended()
    assert (subject, future.result(), running.capacity) == ("quick", 1, 0)
    running.remove(future)
    assert (running.capacity, list(running.subjects), running.ended()) == (1, ["slow"], [])


def test_waiting_returns_finished_examinations_and_not_for_an_empty_list() -> None:
    running = InFlight[str, int](2)
    assert running.wait_for_any() == []
    running.add("slow", Future())
    running.add("quick", completed_future(1))
    assert [subject for subject, _ in running.wait_for_any()] == ["quick"]


def test_all_examinations_are_returned_including_finished_ones() -> None:
    running = InFlight[str, int](2)
    running.add("slow", Future())
    running.add("quick", completed_future(1))
    assert running.clear() == ["slow", "quick"]
    assert len(running) == 0
