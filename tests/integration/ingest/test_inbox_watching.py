"""The running gate notices files in the inbox, however they are copied, and reports what waits."""

from __future__ import annotations

import errno
import os
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import InboxSighting, Item, ItemState
from consent_gate.home import filesystem
from consent_gate.home.home import Home
from ingest.inbox import claim, watcher
from ingest.inbox.stability import NotReadyReason
from ingest.intake import Intake
from ingest.runtime.heartbeat import Heartbeat, read_heartbeat
from ingest.runtime.periodic import PeriodicTask
from tests.support.dropped_photos import all_decided, drop_photos
from tests.support.gate_thread import running_gate, shorten_intervals, wait_until
from tests.support.images import jpeg, scene


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_intervals(monkeypatch)


def photo(seed: int = 0) -> bytes:
    return jpeg(scene(96, 64, seed=seed))


def with_settings(home: Home, **changes: str) -> Home:
    path = home.root / "consent-gate.toml"
    text = path.read_text()
    for name, value in changes.items():
        lines = [f"{name} = {value}" if x.startswith(f"{name} ") else x for x in text.splitlines()]
        text = "\n".join(lines)
    path.write_text(text)
    return replace(open_home(home.root), clock=home.clock)


def decided() -> set[str]:
    return set(Item.objects.filter(state=ItemState.DECIDED).values_list("source", flat=True))


def is_decided(source: str) -> bool:
    return source in decided()


def told(home: Home) -> Heartbeat:
    sign = read_heartbeat(home)
    assert sign is not None
    return sign


def reasons(home: Home) -> dict[str, str]:
    sign = read_heartbeat(home)
    return {file.source: file.reason for file in sign.files} if sign else {}


@pytest.mark.parametrize("watch", ['"auto"', '"polling"'])
def test_a_photo_dropped_into_the_inbox_is_decided_within_seconds(home: Home, watch: str) -> None:
    home = with_settings(home, watch=watch)
    with running_gate(home):
        wait_until(lambda: read_heartbeat(home))
        (home.inbox / "sports-day").mkdir()
        (home.inbox / "sports-day/IMG_1.jpg").write_bytes(photo())
        wait_until(lambda: decided() == {"sports-day/IMG_1.jpg"})
        assert told(home).watching == (
            watcher.WATCHED if "auto" in watch else watcher.POLLED_BY_SETTING
        )
    assert audit_log.verify(home) == []


def test_a_copy_by_rename_is_taken_under_its_last_name(home: Home) -> None:
    part = home.inbox / "IMG_1.jpg.crdownload"
    part.write_bytes(photo())
    with running_gate(home):
        wait_until(lambda: reasons(home) == {"IMG_1.jpg.crdownload": "copying"})
        part.rename(home.inbox / "IMG_1.jpg")
        wait_until(lambda: decided() == {"IMG_1.jpg"})
        wait_until(lambda: reasons(home) == {})


def test_a_copy_that_stalls_is_waited_for_and_shown_and_then_taken_whole(home: Home) -> None:
    path, data = home.inbox / "IMG_1.jpg", photo()
    path.write_bytes(data[:1000])
    with running_gate(home):
        wait_until(lambda: reasons(home) == {"IMG_1.jpg": "cut_short"})
        path.write_bytes(data)
        wait_until(lambda: decided() == {"IMG_1.jpg"})
    assert Item.objects.get().size == len(data)


def test_a_file_that_stays_cut_short_is_held_in_the_end(home: Home) -> None:
    home = with_settings(home, patience_minutes="0.02")
    (home.inbox / "IMG_1.jpg").write_bytes(photo()[:1000])
    with running_gate(home):
        wait_until(lambda: decided() == {"IMG_1.jpg"})
    reasons_held = {r for d in Item.objects.get().decisions.all() for r in d.reasons}
    assert reasons_held == {"not_examined"}


def test_an_empty_file_and_a_link_are_shown_as_what_they_are(home: Home, tmp_path: Path) -> None:
    (home.inbox / "empty.jpg").touch()
    (home.inbox / "link.jpg").symlink_to(tmp_path)
    os.mkfifo(home.inbox / "pipe.jpg")
    with running_gate(home):
        expected = {"empty.jpg": "empty", "link.jpg": "not_a_file", "pipe.jpg": "not_a_file"}
        wait_until(lambda: reasons(home) == expected)
    assert not Item.objects.exists()


def test_a_file_that_may_not_be_read_is_tried_again_for_ever(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.inbox / "locked.jpg").write_bytes(photo())
    tries: list[object] = []
    real, hour = os.open, 3600.0

    def refuse(path: object, *more: object, **options: object) -> int:
        if str(path).endswith("locked.jpg") and len(tries) < 30:
            tries.append(path)
            raise PermissionError(errno.EACCES, "held by another program")
        return real(path, *more, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    now = 0.0
    desk = Intake(home, patience=900, clock=lambda: now)
    while now < 12 * hour and not Item.objects.exists():
        desk.scan()
        desk.claim_due()
        if len(tries) == 5:
            assert [w.reason for w in desk.pending_files()] == [NotReadyReason.NO_PERMISSION]
        now += 60
    assert len(tries) == 30
    assert Item.objects.count() == 1, "taken as soon as the other program let go"


def test_a_file_that_changes_while_it_is_copied_is_not_taken(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home.inbox / "IMG_1.jpg"
    path.write_bytes(photo())
    real = filesystem.open_regular_file

    def meanwhile_more_comes(opened: Path) -> object:
        file = real(opened)
        with path.open("ab") as more:
            more.write(b"more")
        return file

    monkeypatch.setattr(claim, "open_regular_file", meanwhile_more_comes)
    desk = Intake(home, patience=0)
    desk.scan()
    time.sleep(0.1)
    assert desk.claim_due().new == 0
    assert not Item.objects.exists()
    assert [w.reason for w in desk.pending_files()] == [NotReadyReason.CHANGED]
    assert [p for p in home.vault.rglob("*") if p.is_file()] == []


def test_names_of_any_length_depth_and_encoding_are_taken(home: Home) -> None:
    deep = home.inbox
    for level in range(12):
        deep = deep / f"{level:02}-{'x' * 90}"
        deep.mkdir()
    (deep / f"{'y' * 240}.jpg").write_bytes(photo(1))
    (home.inbox / os.fsdecode(b"Gr\xfc\xdfe \xe2\x82.jpg")).write_bytes(photo(2))
    (home.inbox / "צילום 📷 фото.jpg").write_bytes(photo(3))
    (home.inbox / "two\nlines.jpg").write_bytes(photo(4))
    with running_gate(home):
        wait_until(lambda: len(decided()) == 4)
    assert max(map(len, decided())) > 1200


def test_a_folder_nested_deeper_than_the_system_can_name_is_shown(home: Home) -> None:
    start, here = os.open(".", os.O_RDONLY), os.open(home.inbox, os.O_RDONLY)
    try:
        os.fchdir(here)
        for _ in range(25):
            Path("z" * 200).mkdir()
            os.chdir("z" * 200)
        Path("IMG_1.jpg").write_bytes(photo())
    finally:
        os.fchdir(start)
    desk = Intake(home, patience=0)
    desk.scan()
    assert {w.reason for w in desk.pending_files()} == {NotReadyReason.PATH_TOO_LONG}


def test_ten_thousand_files_at_once_are_found_in_a_second_or_two(home: Home) -> None:
    for number in range(10_000):
        folder = home.inbox / f"{number % 100:02}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.jpg").write_bytes(b"%d" % number)
    desk = Intake(home, patience=900)
    used = time.process_time()
    desk.scan()
    assert time.process_time() - used < 3
    assert len(desk.pending_files()) == 10_000
    time.sleep(0.1)
    assert desk.claim_due(limit=20, capacity=20).new == 20


def test_an_archive_waits_in_the_inbox_when_there_is_enough_to_do(home: Home) -> None:
    for number in range(150):
        path = home.inbox / f"archive/{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"%d" % number)
    (home.inbox / "sports-day").mkdir()
    (home.inbox / "sports-day/IMG_1.jpg").write_bytes(photo())
    desk = Intake(home, patience=900)
    desk.scan()
    time.sleep(0.1)
    assert desk.claim_due(capacity=0).new == 1
    assert Item.objects.get().source == "sports-day/IMG_1.jpg"


def test_the_gate_goes_on_when_a_share_comes_back(home: Home) -> None:
    away = home.root / "unplugged"
    with running_gate(home):
        wait_until(lambda: read_heartbeat(home))
        home.inbox.rename(away)
        wait_until(lambda: "cannot be read" in told(home).trouble)
        assert told(home).watching == watcher.INBOX_MISSING
        (away / "IMG_1.jpg").write_bytes(photo(1))
        away.rename(home.inbox)
        wait_until(lambda: decided() == {"IMG_1.jpg"})
        wait_until(lambda: told(home).trouble == "")
        (home.inbox / "IMG_2.jpg").write_bytes(photo(2))
        wait_until(lambda: "IMG_2.jpg" in decided())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE])
def test_a_limit_of_the_system_is_explained_and_worked_around(
    home: Home, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_more(*_: object) -> None:
        raise OSError(number, "limit reached")

    monkeypatch.setattr("watchdog.observers.inotify.InotifyEmitter.on_thread_start", no_more)
    (home.inbox / "IMG_1.jpg").write_bytes(photo())
    with running_gate(home):
        wait_until(lambda: decided() == {"IMG_1.jpg"})
        assert "fs.inotify.max_user_" in told(home).watching


def test_the_gate_waits_out_a_clock_that_jumps(home: Home) -> None:
    (home.inbox / "IMG_1.jpg").write_bytes(photo(1))
    clock = home.clock
    with running_gate(home):
        wait_until(lambda: "IMG_1.jpg" in decided())
        for number, days in enumerate((400, -800), 2):
            clock.pass_days(days)  # type: ignore[attr-defined]
            (home.inbox / f"IMG_{number}.jpg").write_bytes(photo(number))
            os.utime(home.inbox / f"IMG_{number}.jpg", (2e9, 2e9))
            wait_until(partial(is_decided, f"IMG_{number}.jpg"))
    assert audit_log.verify(home) == []
    assert InboxSighting.objects.count() == 3


def test_an_old_heartbeat_says_that_the_gate_stopped(home: Home) -> None:
    with running_gate(home):
        wait_until(lambda: read_heartbeat(home))
    sign = told(home)
    assert not sign.is_stale(home.now())
    assert sign.is_stale(home.now() + timedelta(minutes=10))
    assert (home.root / "watching.json").stat().st_mode & 0o077 == 0


def test_a_periodic_task_that_fails_does_not_stop_the_gate(home: Home) -> None:
    turns: list[int] = []

    def fail(*_: object) -> None:
        turns.append(1)
        raise ValueError("the mail server is away")

    (home.inbox / "IMG_1.jpg").write_bytes(photo())
    with running_gate(home, PeriodicTask("mail", 0.1, fail)):
        wait_until(lambda: decided() == {"IMG_1.jpg"} and len(turns) > 3)


def test_an_idle_gate_does_not_turn_in_circles(home: Home) -> None:
    """Far looser than the slow test below: a loop without a pause uses a whole processor."""
    drop_photos(home, 1)
    with running_gate(home):
        wait_until(lambda: all_decided(1))
        time.sleep(0.5)
        before = time.process_time()
        time.sleep(1.5)
        used = time.process_time() - before
    assert used / 1.5 < 0.3


@pytest.mark.slow
def test_an_idle_gate_hardly_uses_the_processor(home: Home) -> None:
    drop_photos(home, 50)
    with running_gate(home):
        wait_until(lambda: all_decided(50))
        time.sleep(3)
        before = time.process_time()
        time.sleep(10)
        used = time.process_time() - before
    assert used / 10 < 0.03, "benchmarks/ingest.py measures it more exactly"
