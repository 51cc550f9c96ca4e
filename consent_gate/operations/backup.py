"""A backup of a running home: a whole, verified folder, never a half one.

The database is copied first, through SQLite's online backup or row by row out of PostgreSQL, always
into one SQLite file that any home can be restored from, then the vault files of its items:
whatever the copied ledger names is there. Originals in the vault never change, so a file that the
last backup at the same place holds is linked to it, not copied (as ``rsync --link-dest`` does).
Work goes on in a hidden folder; it gets its name once every file was read back and matched, and an
interrupted backup is taken up again there. The keys are not in it (docs/backup.md).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC
from pathlib import Path

from django.db import transaction

from consent_gate import __version__, bootstrap
from consent_gate.db import audit_log, revocations
from consent_gate.errors import DatabaseUnusable, GateError, StorageFull, UpgradeNeeded
from consent_gate.home.filesystem import is_disk_full, is_read_only, replace_with, sync_folder
from consent_gate.home.home import Home
from consent_gate.home.settings import FILE_NAME
from consent_gate.operations.backup_copy import Progress, copy_vault, copy_whole
from consent_gate.operations.backup_format import (
    DATABASE,
    HEADER,
    LIST,
    PREFIX,
    Backup,
    File,
    backups,
    digest,
    files_of,
    newest,
    signed_header,
    verify,
)
from consent_gate.operations.move_database import BEFORE_MOVE, copy_to_file
from consent_gate.operations.pg_dump import dump_schema

PARTIAL = ".partial-backup"
BEFORE_UPGRADE = "before-upgrade-"

ABOUT_EXPORTS = ("sims-mapping.toml", "sims-siblings.json")
"""What the school said of its exports: their captions, and who are brothers and sisters."""


class BackupMisplaced(GateError):
    """The folder named cannot hold a backup."""

    exit_code = 25
    next_step = "Name a folder outside the home, best on another disk or machine."


def make_backup(home: Home, place: Path, actor: str, progress: Progress, keep: int = 0) -> Path:
    """Back the home up into a new folder below ``place`` while the gate runs. Returns the folder.

    ``keep``: how many backups stay at the place, this one among them; 0 removes none. Raises
    BackupMisplaced, StorageFull, DatabaseUnusable, or BackupDamaged when the copy does not match.
    """
    place = place.resolve()
    _refuse_bad_places(home, place)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _alone(place):
            done = _make(home, place, progress)
            _remove_old(place, keep)
    except OSError as error:
        if is_disk_full(error) or is_read_only(error):
            raise StorageFull("There is no room for the backup; what is done is kept.") from error
        raise
    for begin in (BEFORE_UPGRADE, BEFORE_MOVE):
        for copy in home.database.parent.glob(f"{begin}*"):
            copy.unlink()  # it holds what was erased since
    with transaction.atomic():
        audit_log.record(home, "backup.made", "home", {"backup": done.name}, actor)
    audit_log.save_anchor(home)
    return done


def upgrade(home: Home) -> Path | None:
    """Bring the open home's database to this version, a copy of it first.

    Returns the copy, which the next backup removes; None when there was nothing to do. Raises
    UpgradeNeeded when the database is of a newer version, DatabaseUnusable, StorageFull.
    """
    try:
        bootstrap.require_current_schema()
    except UpgradeNeeded:
        stamp = home.clock().astimezone(UTC)
        copy = _copy_before_upgrade(home, f"{BEFORE_UPGRADE}{stamp:%Y%m%dT%H%M%SZ}")
        bootstrap.migrate()
        bootstrap.require_current_schema()  # of a newer version it still is
        return copy
    return None


def _copy_before_upgrade(home: Home, name: str) -> Path:
    """Beside the database's file; of a schema of an older version only PostgreSQL makes one."""
    if home.settings.database.engine == "postgresql":
        copy = home.root / f"{name}.dump"
        dump_schema(home, copy)
    else:
        copy = home.database.with_name(f"{name}.sqlite3")
        _copy_database(home.database, copy)
    return copy


def _make(home: Home, place: Path, progress: Progress) -> Path:
    work = place / PARTIAL
    work.mkdir(mode=0o700, exist_ok=True)
    before = newest(place)
    known = {file.path: file for file in files_of(before)} if before else {}
    at = home.clock().astimezone(UTC)
    sequence, mac = _database_into(home, work / DATABASE)
    items = _items_of(work / DATABASE)
    for name in (FILE_NAME, *ABOUT_EXPORTS):
        if (home.root / name).is_file():
            copy_whole(home.root / name, work / name)
    revocations.append_new(home)
    if revocations.revocations_file(home).is_file():
        copy_whole(revocations.revocations_file(home), work / revocations.FILE)
        copy_whole(revocations.revocations_file(home), place / revocations.FILE)
    missing = copy_vault(home, work, items, before, progress)
    header = _list_files(work, known, sequence, mac, missing, at.isoformat(timespec="seconds"))
    replace_with(work / HEADER, signed_header(home.keys.audit, header), 0o600)
    verify(work, home.keys.audit, thorough=False)
    final = place / f"{PREFIX}{at:%Y%m%dT%H%M%SZ}"
    work.rename(final)
    sync_folder(place)
    return final


def _refuse_bad_places(home: Home, place: Path) -> None:
    inside = [home.root, home.vault, *map(home.approved, home.settings.channels)]
    if any(place.is_relative_to(folder.resolve()) for folder in inside):
        raise BackupMisplaced(f"{place} lies inside the home or an approved folder.")


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Two backups into one place at once would take each other's files."""
    with (place / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupMisplaced("Another backup is being made there just now.") from error
        yield


def _database_into(home: Home, target: Path) -> tuple[int, str]:
    """All rows as one SQLite file, wherever the home keeps them. Returns the newest audit entry."""
    if home.settings.database.engine == "sqlite":
        return _copy_database(home.database, target)
    portable = target.with_name(target.name + ".copying")
    copy_to_file(home, portable)
    try:
        return _copy_database(portable, target)
    finally:
        portable.unlink()


def _copy_database(source: Path, target: Path) -> tuple[int, str]:
    """A consistent copy without stopping the gate. Returns the newest audit entry in it."""
    target.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as live,
            closing(sqlite3.connect(target)) as copy,
        ):
            target.chmod(0o600)
            live.backup(copy, pages=2048, sleep=0.01)
            copy.execute("PRAGMA journal_mode=DELETE")
            if copy.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise DatabaseUnusable("The database is damaged, so it was not backed up.")
            newest_entry = copy.execute(
                "SELECT sequence, mac FROM gate_auditentry ORDER BY sequence DESC LIMIT 1"
            ).fetchone()
    except sqlite3.Error as error:
        raise DatabaseUnusable(f"The database cannot be copied: {error}.") from error
    with target.open("rb") as file:
        os.fsync(file.fileno())
    return newest_entry or (0, "")


def _items_of(database: Path) -> list[str]:
    """Items of the copy whose originals can be opened."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as copy:
        rows = copy.execute("SELECT id FROM gate_item WHERE wrapped_key IS NOT NULL ORDER BY id")
        return [str(row[0]) for row in rows]


def _list_files(  # noqa: PLR0913, PLR0917
    work: Path, known: dict[str, File], sequence: int, mac: str, missing: int, at: str
) -> Backup:
    """Write the list of files. One linked to the last backup keeps the digest listed there."""
    count = size = 0
    body = hashlib.sha256()
    with (work / LIST).open("wb") as out:
        for path in sorted(p for p in work.rglob("*") if p.is_file()):
            name = path.relative_to(work).as_posix()
            if name in {LIST, HEADER} or name.endswith(".copying"):
                continue
            stat, old = path.stat(), known.get(name)
            linked = old and stat.st_nlink > 1 and _listed_like(old, stat)
            sha256 = old.sha256 if old and linked else digest(path)
            line = json.dumps(asdict(File(name, stat.st_size, sha256, stat.st_mtime_ns)))
            out.write(line.encode() + b"\n")
            body.update(line.encode() + b"\n")
            count, size = count + 1, size + stat.st_size
        out.flush()
        os.fsync(out.fileno())
    return Backup(at, __version__, sequence, mac, count, size, missing, body.hexdigest())


def _listed_like(file: File, stat: os.stat_result) -> bool:
    return (file.size, file.modified_ns) == (stat.st_size, stat.st_mtime_ns)


def _remove_old(place: Path, keep: int) -> None:
    """Old backups hold what was erased since: they must not be kept for ever."""
    for folder in backups(place)[:-keep] if keep else []:
        shutil.rmtree(folder)
