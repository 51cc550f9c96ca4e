"""Backups are complete, hold no key, and are refused when altered."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from django.db import connection
from typer.testing import CliRunner

from consent_gate.db.models import (
    Restore,
    SentReminder,
)
from consent_gate.errors import (
    DecryptionError,
    StorageFull,
)
from consent_gate.operations.backup import backup, backup_copy, backup_format, key_backup, restore
from tests.support.backups import (
    BackedUpSchool,
    no_progress,
    office,
)
from tests.support.factories import STRANGER

__all__ = ["office"]


def test_a_backup_holds_no_key(office: BackedUpSchool) -> None:
    done = office.back_up()
    keys = [getattr(office.home.keys, name) for name in ("vault", "templates", "audit", "web")]
    for path in done.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert not any(key in data or key.hex().encode() in data for key in keys), path.name


def test_a_backup_that_was_altered_is_refused(office: BackedUpSchool) -> None:
    done = office.back_up()
    original = next(p for p in (done / "vault" / "originals").rglob("*") if p.is_file())
    data = bytearray(original.read_bytes())
    data[-1] ^= 1
    original.write_bytes(data)
    with pytest.raises(backup_format.BackupDamaged):
        restore.check(done, office.safe)
    office.lose_the_home()
    with pytest.raises(backup_format.BackupDamaged):
        office.put_back(done)
    assert not (office.new_root / "consent-gate.toml").exists(), "half a home is none"


def test_a_list_of_files_that_was_altered_is_refused(office: BackedUpSchool) -> None:
    done = office.back_up()
    lines = (done / "files.jsonl").read_text().splitlines(keepends=True)
    (done / "files.jsonl").write_text("".join(lines[1:]))
    with pytest.raises(backup_format.BackupDamaged):
        restore.check(done, office.safe)


@pytest.mark.dialect
def test_an_interrupted_backup_is_not_restored_and_is_resumed(office: BackedUpSchool) -> None:
    def power_cut(number: int, _total: int) -> None:
        if number == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backup.make_backup(office.home, office.disk, "office", power_cut)
    assert backup_format.backups(office.disk) == []
    first = next(p for p in (office.disk / ".partial-backup" / "vault").rglob("*") if p.is_file())
    number = first.stat().st_ino
    done = office.back_up()
    assert (done / first.relative_to(office.disk / ".partial-backup")).stat().st_ino == number
    assert restore.check(done, office.safe).files > 5


@pytest.mark.dialect
def test_a_second_backup_copies_only_what_is_new(office: BackedUpSchool) -> None:
    first = office.back_up()
    office.world.make_item(STRANGER)
    second = office.back_up()
    links = [p for p in (second / "vault").rglob("*") if p.is_file()]
    shared = [p for p in links if p.stat().st_nlink == 2]
    assert len(shared) == len([p for p in (first / "vault").rglob("*") if p.is_file()])
    assert len(links) == len(shared) + 2, "the new original and its preview"
    shutil.rmtree(first)
    assert restore.check(second, office.safe).missing == 0


def test_old_backups_are_deleted_so_that_erased_items_are_gone(office: BackedUpSchool) -> None:
    oldest = office.back_up()
    office.back_up(keep=2)
    newest = office.back_up(keep=2)
    kept = backup_format.backups(office.disk)
    assert (len(kept), oldest in kept, newest in kept) == (2, False, True)


def test_a_disk_that_gives_back_something_else_holds_no_backup(
    office: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup_copy, "digest", lambda path: hashlib.sha256(b"rot").hexdigest())
    with pytest.raises(backup_format.BackupDamaged):
        office.back_up()
    assert backup_format.backups(office.disk) == []


def test_a_full_disk_is_reported_and_leaves_no_half_backup(
    office: BackedUpSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull):
        office.back_up()
    assert backup_format.backups(office.disk) == []


@pytest.mark.parametrize("place", ["vault", "approved/website", "backups"])
def test_a_backup_never_goes_into_the_home_or_an_approved_folder(
    office: BackedUpSchool, place: str
) -> None:
    with pytest.raises(backup.BackupMisplaced):
        backup.make_backup(office.home, office.home.root / place, "office", no_progress)


@pytest.mark.dialect
def test_a_backup_made_while_the_gate_works_is_consistent(office: BackedUpSchool) -> None:
    """Another program writes audit entries and pictures all the time."""
    stop = threading.Event()
    written: list[int] = []

    def keep_writing() -> None:
        while not stop.is_set():
            SentReminder.objects.create(code=f"note-{len(written)}", sent_at=office.home.now())
            written.append(1)
        connection.close()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        done = office.back_up()
    finally:
        stop.set()
        writer.join()
    assert written
    with sqlite3.connect(done / "gate.sqlite3") as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert restore.check(done, office.safe).audit_sequence > 0


def test_keys_under_a_passphrase_open_with_it_and_with_no_other(
    office: BackedUpSchool, tmp_path: Path
) -> None:
    sealed = key_backup.encrypt_keys(office.home, tmp_path, "four green bicycles")
    assert office.home.keys.vault.hex().encode() not in sealed.read_bytes()
    with pytest.raises(DecryptionError):
        key_backup.decrypt_keys(sealed, "four green bicycle", tmp_path / "wrong")
    key_backup.decrypt_keys(sealed, "four green bicycles", tmp_path / "right")
    for name in ("vault", "templates", "audit", "web"):
        ours = (office.home.secrets / f"{name}.key").read_text()
        assert (tmp_path / "right" / f"{name}.key").read_text() == ours
    with pytest.raises(key_backup.PassphraseTooShort):
        key_backup.encrypt_keys(office.home, tmp_path, "short")


def test_the_office_backs_up_and_restores_from_the_command_line(office: BackedUpSchool) -> None:
    from consent_gate.cli.app import app

    run, root = CliRunner(), str(office.home.root)
    options = ["--with-keys-encrypted", "--keep", "3"]
    phrase = {"CONSENT_GATE_PASSPHRASE": "four green bicycles"}
    made = run.invoke(app, ["--home", root, "backup", str(office.disk), *options], env=phrase)
    assert made.exit_code == 0, made.output
    done = str(backup_format.newest(office.disk))
    keys = ["--keys-file", str(office.disk / "keys.sealed")]
    checked = run.invoke(app, ["restore", done, *keys, "--dry-run"], env=phrase)
    assert "none changed" in checked.output
    office.lose_the_home()
    new = str(office.new_root)
    back = run.invoke(app, ["--home", new, "restore", done, *keys], env=phrase)
    assert back.exit_code == 0, back.output
    assert "import-sims" in back.output
    assert run.invoke(app, ["--home", new, "audit", "verify"]).exit_code == 0
    assert Restore.objects.count() == 1


def test_keys_and_backups_are_not_put_into_one_folder(office: BackedUpSchool) -> None:
    from consent_gate.cli.app import app

    disk = str(office.disk)
    command = ["--home", str(office.home.root), "backup", disk, "--keys-to", f"{disk}/keys"]
    answer = CliRunner().invoke(app, command)
    assert isinstance(answer.exception, backup.BackupMisplaced)
