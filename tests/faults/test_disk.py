"""Full disks, locked and damaged databases, a stop in the middle: told in words, nothing lost."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import Item, ItemState
from consent_gate.errors import DatabaseUnusable
from consent_gate.home import filesystem
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from ingest import intake
from ingest.inbox import claim
from ingest.pipeline import MAX_ATTEMPTS
from ingest.runtime.faults import DatabaseCorrupt
from ingest.runtime.periodic import PeriodicTask
from ingest.runtime.runner import run_gate
from ingest.workers.process_pool import WorkerPoolUnavailable
from ingest.workers.worker import Examination
from tests.support.factories import folder_vault
from tests.support.fake_analysis import CheapPool
from tests.support.gate_thread import eventually, in_a_hurry, running, trouble_told
from tests.support.images import jpeg, scene

pytestmark = pytest.mark.dialect

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    in_a_hurry(monkeypatch)


def drop(home: Home, count: int = 5, first: int = 0) -> None:
    for number in range(first, first + count):
        (home.inbox / f"IMG_{number}.jpg").write_bytes(jpeg(scene(96, 64, seed=number)))


def all_decided(count: int) -> bool:
    return Item.objects.filter(state=ItemState.DECIDED).count() == count


def nothing_is_left_over(home: Home) -> bool:
    vault = folder_vault(home)
    return not list(vault.root.glob("*/*/*.partial")) and set(vault.names()) == {
        i.pk for i in Item.objects.all()
    }


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_disk_that_fills_up_in_the_middle_of_a_copy_loses_nothing(
    home: Home, fault: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(home)
    real, full = os.fsync, threading.Event()
    full.set()

    def fsync(descriptor: int) -> None:
        if full.is_set() and "vault" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(fault, os.strerror(fault))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with running(home):
        eventually(lambda: "no room" in trouble_told(home))
        assert not Item.objects.exists()
        full.clear()
        eventually(lambda: all_decided(5))
        eventually(lambda: trouble_told(home) == "")
    assert nothing_is_left_over(home)
    assert audit_log.verify(home) == []


def test_the_last_space_is_kept_for_withdrawals(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "RESERVE", 1 << 60)
    drop(home)
    with running(home):
        eventually(lambda: "no room" in trouble_told(home))
    assert not Item.objects.exists()


@pytest.mark.sqlite_only
def test_a_database_that_is_full_is_told_of_and_the_photos_wait(home: Home) -> None:
    drop(home, 40)

    def pages(most: int) -> None:
        # The limit belongs to the connection; the gate's is opened in its own thread.
        home_settings = connection.settings_dict["OPTIONS"]
        start = home_settings["init_command"].partition(" PRAGMA max_page_count")[0]
        home_settings["init_command"] = f"{start} PRAGMA max_page_count={most};"

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        now = cursor.fetchone()[0]
    pages(now + 2)
    with running(home):
        eventually(lambda: "is full" in trouble_told(home), seconds=30)
    pages(1 << 30)
    with running(home):
        eventually(lambda: all_decided(40), seconds=60)
    assert nothing_is_left_over(home)
    assert audit_log.verify(home) == []


@pytest.mark.sqlite_only
def test_a_locked_database_is_waited_for(home: Home) -> None:
    connection.settings_dict["OPTIONS"]["timeout"] = 0.2
    drop(home)
    other = sqlite3.connect(home.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with running(home):
        eventually(lambda: "held by another program" in trouble_told(home), seconds=30)
        other.rollback()
        other.close()
        eventually(lambda: all_decided(5), seconds=30)
    assert nothing_is_left_over(home)


def damage(database: Path) -> None:
    connection.close()
    with database.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for at in range(8192, size, 8192):
            file.seek(at)
            file.write(b"\xa5" * 2048)


@pytest.mark.sqlite_only
def test_a_damaged_database_stops_the_gate_before_it_does_anything(home: Home) -> None:
    drop(home)
    damage(home.database)
    with pytest.raises(DatabaseCorrupt, match="restore the database from a backup"):
        run_gate(home, threading.Event(), (), CheapPool)
    assert not [p for p in home.vault.rglob("*") if p.is_file()]
    assert len(list(home.inbox.iterdir())) == 5


@pytest.mark.sqlite_only
def test_damage_that_is_met_while_the_gate_runs_stops_it(home: Home) -> None:
    damaged = home.root / "damaged.sqlite3"
    connection.close()
    shutil.copy(home.database, damaged)
    damage(damaged)

    def read_it(*_: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute("ATTACH %s AS damaged", [str(damaged)])
            cursor.execute("SELECT count(*) FROM damaged.gate_item")
            cursor.execute("SELECT * FROM damaged.gate_auditentry, damaged.gate_item")

    with pytest.raises(DatabaseCorrupt):
        run_gate(home, threading.Event(), [PeriodicTask("reading", 1, read_it)], CheapPool)
    assert "damaged" in trouble_told(home)


@pytest.mark.sqlite_only
def test_a_database_on_a_network_share_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "mount_kind", lambda p: "ext4" if p == Path("/") else "cifs")
    with pytest.raises(DatabaseUnusable, match="network share"):
        open_home(home.root)


class Slow(CheapPool):
    """An analysis that takes for ever, and knows when it is dismissed."""

    def __init__(self, home: Home, gallery: Gallery) -> None:
        super().__init__(home, gallery)
        self.over = threading.Event()

    def examine(self, data: bytes) -> Future[Examination]:
        return self._executor.submit(self._wait)

    def _wait(self) -> Any:
        self.over.wait()
        raise WorkerPoolUnavailable("The workers were stopped.")

    def terminate(self) -> None:
        self.over.set()


def test_a_stop_in_the_middle_of_an_examination_is_no_attempt(home: Home) -> None:
    drop(home, 3)
    for _ in range(MAX_ATTEMPTS + 2):
        with running(home, open_pool=Slow, within=10):
            eventually(lambda: Item.objects.filter(attempts=1).count() == 3)
    assert list(Item.objects.values_list("attempts", flat=True)) == [0, 0, 0]
    with running(home):
        eventually(lambda: all_decided(3))
    reasons = {r for item in Item.objects.all() for d in item.decisions.all() for r in d.reasons}
    assert "not_examined" not in reasons


def test_a_photo_that_takes_the_whole_program_down_is_held_in_the_end(home: Home) -> None:
    drop(home, 1)
    for _ in range(MAX_ATTEMPTS):
        gate = subprocess.Popen(
            [sys.executable, "-c", TAKES_EVERYTHING_DOWN, str(home.root)], cwd=ROOT
        )
        assert gate.wait(timeout=60) == -signal.SIGKILL
    with running(home):
        eventually(lambda: all_decided(1))
    reasons = {r for d in Item.objects.get().decisions.all() for r in d.reasons}
    assert reasons == {"not_examined"}


TAKES_EVERYTHING_DOWN = """
import os, sys, threading
from pathlib import Path
from consent_gate.bootstrap import open_home, prepare_django
prepare_django()
from ingest.runtime.runner import keep_running
from tests.support.fake_analysis import CheapPool

CheapPool.examine = lambda *_: os.kill(os.getpid(), 9)
keep_running(open_home(Path(sys.argv[1])), threading.Event(), (), CheapPool)
"""


def test_two_programs_at_once_do_not_tidy_each_others_photos_away(home: Home) -> None:
    from ingest.scheduling.lock import ingest_lock

    vault = folder_vault(home)
    key, _ = vault.new_key("itemofanotherprogram")
    with ingest_lock(home):
        with (home.root / "consent-gate.toml").open("rb") as data:
            vault.write("itemofanotherprogram", key, data)
        with ingest_lock(home):
            assert list(vault.names()) == ["itemofanotherprogram"]
    with ingest_lock(home):
        assert list(vault.names()) == [], "nobody else is at work: a crash left it behind"


@pytest.mark.parametrize("afterwards", ["move", "delete"])
def test_what_a_stop_left_in_the_inbox_is_cleared_away_at_the_next_start(
    home: Home, afterwards: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(home.settings.inbox, "afterwards", afterwards)
    drop(home, 2)
    with monkeypatch.context() as stopped:
        stopped.setattr(claim, "dispose_of_inbox_file", lambda *_: None)
        intake.intake_once(home)
    assert len(list(home.inbox.iterdir())) == 2
    with running(home):
        eventually(lambda: not list(home.inbox.iterdir()))
        eventually(lambda: all_decided(2))


def test_a_file_too_large_to_be_a_photo_is_held_unopened(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(home.settings.analysis, "max_megabytes", 1)
    (home.inbox / "film.mov").write_bytes(os.urandom(2 << 20))
    monkeypatch.setattr("ingest.pipeline.read_part", lambda *_: pytest.fail("it was opened"))
    with running(home):
        eventually(lambda: all_decided(1))
    assert "too large" in str(Item.objects.get().evidence)


def test_an_idle_gate_hardly_uses_the_processor(home: Home) -> None:
    drop(home, 50)
    with running(home):
        eventually(lambda: all_decided(50), seconds=60)
        time.sleep(3)
        before = time.process_time()
        time.sleep(10)
        used = time.process_time() - before
    assert used / 10 < 0.03, "benchmarks/ingest.py measures it more exactly"
