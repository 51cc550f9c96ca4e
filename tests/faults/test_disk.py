"""Full disks and locked or damaged databases are reported, and no photo is lost."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from django.db import connection

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import Item
from consent_gate.errors import DatabaseUnusable
from consent_gate.home import filesystem
from consent_gate.home.home import Home
from ingest.inbox import claim
from ingest.runtime.faults import DatabaseCorrupt
from ingest.runtime.periodic import PeriodicTask
from ingest.runtime.runner import run_gate
from tests.support.dropped_photos import all_decided, drop_photos
from tests.support.factories import folder_vault
from tests.support.fake_analysis import FakePool
from tests.support.gate_thread import heartbeat_trouble, running_gate, shorten_intervals, wait_until

pytestmark = pytest.mark.dialect


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_intervals(monkeypatch)


def nothing_is_left_over(home: Home) -> bool:
    vault = folder_vault(home)
    return not list(vault.root.glob("*/*/*.partial")) and set(vault.item_ids()) == {
        i.pk for i in Item.objects.all()
    }


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_disk_that_fills_up_in_the_middle_of_a_copy_loses_nothing(
    home: Home, fault: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop_photos(home)
    real, full = os.fsync, threading.Event()
    full.set()

    def fsync(descriptor: int) -> None:
        if full.is_set() and "vault" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(fault, os.strerror(fault))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with running_gate(home):
        wait_until(lambda: "no room" in heartbeat_trouble(home))
        assert not Item.objects.exists()
        full.clear()
        wait_until(lambda: all_decided(5))
        wait_until(lambda: heartbeat_trouble(home) == "")
    assert nothing_is_left_over(home)
    assert audit_log.verify(home) == []


def test_reserved_disk_space_is_left_for_withdrawals(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "RESERVED_BYTES", 1 << 60)
    drop_photos(home)
    with running_gate(home):
        wait_until(lambda: "no room" in heartbeat_trouble(home))
    assert not Item.objects.exists()


@pytest.mark.sqlite_only
def test_a_full_database_is_reported_and_the_photos_wait(home: Home) -> None:
    drop_photos(home, 40)

    def pages(most: int) -> None:
        # The limit belongs to the connection; the gate's is opened in its own thread.
        home_settings = connection.settings_dict["OPTIONS"]
        start = home_settings["init_command"].partition(" PRAGMA max_page_count")[0]
        home_settings["init_command"] = f"{start} PRAGMA max_page_count={most};"

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        now = cursor.fetchone()[0]
    pages(now + 2)
    with running_gate(home):
        wait_until(lambda: "is full" in heartbeat_trouble(home))
    pages(1 << 30)
    with running_gate(home):
        wait_until(lambda: all_decided(40))
    assert nothing_is_left_over(home)
    assert audit_log.verify(home) == []


@pytest.mark.sqlite_only
def test_a_locked_database_is_waited_for(home: Home) -> None:
    connection.settings_dict["OPTIONS"]["timeout"] = 0.2
    drop_photos(home)
    other = sqlite3.connect(home.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with running_gate(home):
        wait_until(lambda: "locked the database" in heartbeat_trouble(home))
        other.rollback()
        other.close()
        wait_until(lambda: all_decided(5))
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
    drop_photos(home)
    damage(home.database)
    with pytest.raises(DatabaseCorrupt, match="restore the database from a backup"):
        run_gate(home, threading.Event(), (), FakePool)
    assert not [p for p in home.vault.rglob("*") if p.is_file()]
    assert len(list(home.inbox.iterdir())) == 5


@pytest.mark.sqlite_only
def test_damage_found_while_the_gate_runs_stops_it(home: Home) -> None:
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
        run_gate(home, threading.Event(), [PeriodicTask("reading", 1, read_it)], FakePool)
    assert "damaged" in heartbeat_trouble(home)


@pytest.mark.sqlite_only
def test_a_database_on_a_network_share_is_refused(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filesystem, "mount_kind", lambda p: "ext4" if p == Path("/") else "cifs")
    with pytest.raises(DatabaseUnusable, match="network share"):
        open_home(home.root)
