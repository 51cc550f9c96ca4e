"""When a file counts as copied, computed from sizes, dates and the clock."""

from __future__ import annotations

import pytest

from ingest.inbox.stability import MAX_WAIT, FileStat, NotReadyReason, StabilityTracker

PHOTO = "sports-day/IMG_0042.jpg"


def look(size: int = 5_000_000, modified: int = 1) -> FileStat:
    return FileStat(size, modified, modified)


def test_a_photo_is_due_when_it_was_quiet_for_the_settling_time() -> None:
    files = StabilityTracker(settle_seconds=5)
    files.observe(PHOTO, look(), now=0)
    files.observe(PHOTO, look(), now=4.9)
    assert files.due(4.9) == []
    files.observe(PHOTO, look(), now=5)
    assert files.due(5) == [PHOTO]


def test_an_hour_long_copy_at_50_kb_a_second_is_not_taken_before_it_ends() -> None:
    files, size = StabilityTracker(settle_seconds=5), 0
    for second in range(3600):
        size += 50_000
        files.observe(PHOTO, look(size, second), now=second)
        assert files.due(second) == []
    assert files.due(3599 + 5) == [PHOTO]


def test_a_copy_from_windows_has_its_full_size_at_once_and_is_told_by_its_time() -> None:
    files = StabilityTracker(settle_seconds=5)
    for second in range(60):
        files.observe(PHOTO, look(modified=second), now=second)
        assert files.due(second) == []
    assert files.due(64) == [PHOTO]


def test_a_copy_that_keeps_the_cameras_date_is_told_by_when_it_was_written() -> None:
    files = StabilityTracker(settle_seconds=5)
    files.observe(PHOTO, FileStat(100, 7, changed_ns=1), now=0)
    files.observe(PHOTO, FileStat(100, 7, changed_ns=2), now=4)
    assert files.due(5) == []
    assert files.due(9) == [PHOTO]


def test_an_event_of_the_file_system_restarts_the_quiet_time() -> None:
    files = StabilityTracker(settle_seconds=5)
    files.observe(PHOTO, look(), now=0)
    files.touch(PHOTO, now=4)
    assert files.due(8.9) == []
    assert files.due(9) == [PHOTO]


def test_a_file_known_to_be_old_is_due_at_once() -> None:
    files = StabilityTracker(settle_seconds=5)
    files.observe(PHOTO, look(), now=100, age=86_400)
    assert files.due(100) == [PHOTO]


def test_what_was_put_off_is_tried_again_for_ever_and_ever_more_seldom() -> None:
    files, now, waits = StabilityTracker(settle_seconds=5), 0.0, []
    files.observe(PHOTO, look(), now)
    for _ in range(200):
        now += files.next_due(now) or 0.0
        assert files.due(now) == [PHOTO]
        files.defer(PHOTO, NotReadyReason.NO_PERMISSION, now)
        waits.append(files.next_due(now) or 0.0)
    assert waits == sorted(waits)
    assert waits[0] == 10
    assert waits[-1] == MAX_WAIT


def test_a_change_ends_the_waiting_of_a_file_that_was_put_off() -> None:
    files = StabilityTracker(settle_seconds=5)
    files.observe(PHOTO, look(size=10), now=0)
    for _ in range(20):
        files.defer(PHOTO, NotReadyReason.CUT_SHORT, now=5)
    files.observe(PHOTO, look(size=20), now=6)
    assert files.due(11) == [PHOTO]


def test_what_waits_is_shown_with_its_reason_and_since_when() -> None:
    files = StabilityTracker(settle_seconds=5)
    files.observe(PHOTO, look(), now=0)
    files.observe_unreadable("shortcut.lnk", NotReadyReason.NOT_A_FILE, now=10)
    files.defer(PHOTO, NotReadyReason.CUT_SHORT, now=20)
    first, second = files.pending_files(now=25)
    assert (first.source, first.reason, first.waited_seconds, first.retry_seconds) == (
        PHOTO,
        NotReadyReason.CUT_SHORT,
        25,
        5,
    )
    assert (second.reason, second.waited_seconds) == (NotReadyReason.NOT_A_FILE, 15)


def test_a_growing_file_is_shown_as_waiting_since_it_first_appeared() -> None:
    files = StabilityTracker(settle_seconds=5)
    for second in range(0, 100, 4):
        files.observe(PHOTO, look(size=second), now=second)
    assert files.pending_files(now=100)[0].waited_seconds == 100


def test_a_link_is_never_due() -> None:
    files = StabilityTracker(settle_seconds=5)
    files.observe_unreadable("link.jpg", NotReadyReason.NOT_A_FILE, now=0)
    assert files.due(1e9) == []
    assert files.next_due(0) is None


def test_what_was_taken_or_went_away_is_not_waited_for() -> None:
    files = StabilityTracker(settle_seconds=5)
    for name in ("a", "b", "c"):
        files.observe(name, look(), now=0)
    files.forget("a")
    files.keep_only({"b"})
    assert [w.source for w in files.pending_files(1)] == ["b"]


def test_ten_thousand_photos_at_once_come_due_in_the_order_in_which_they_were_seen() -> None:
    files = StabilityTracker(settle_seconds=5)
    names = [f"archive/{n:05}.jpg" for n in range(10_000)]
    for name in names:
        files.observe(name, look(), now=0)
    assert files.due(5) == names


@pytest.mark.parametrize("settle", [0.0, 0.05, 5.0])
def test_even_without_a_settling_time_a_file_that_was_put_off_is_not_tried_without_pause(
    settle: float,
) -> None:
    files = StabilityTracker(settle)
    files.observe(PHOTO, look(), now=0)
    files.defer(PHOTO, NotReadyReason.CANNOT_BE_READ, now=settle)
    assert (files.next_due(settle) or 0.0) > 1.9
