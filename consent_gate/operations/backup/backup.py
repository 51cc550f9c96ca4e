"""Back up a running home into a new, verified folder.

The database is copied first, through SQLite's online backup or row by row out of PostgreSQL, always
into one SQLite file from which any home can be restored. The vault files of its items follow, so
every file that the copied rows name is there. Originals in the vault never change: a file that the
last backup at the same place holds is hard-linked, not copied (as ``rsync --link-dest`` does).

The backup is made in a hidden folder, which gets its final name after every file was read back and
compared. An interrupted backup is continued there. The keys are not in it (docs/backup.md).
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
from consent_gate.operations.backup.backup_copy import Progress, copy_vault, copy_verified
from consent_gate.operations.backup.backup_format import (
    DATABASE,
    HEADER,
    LIST,
    PREFIX,
    Backup,
    FileEntry,
    backups,
    digest,
    files_of,
    newest,
    signed_header,
    verify,
)
from consent_gate.operations.database.move_database import BEFORE_MOVE, copy_to_file
from consent_gate.operations.database.pg_dump import dump_schema

PARTIAL = ".partial-backup"
"""Folder in which a backup is made."""

BEFORE_UPGRADE = "before-upgrade-"
"""Prefix of the database copy that ``upgrade`` makes."""

SIMS_ANSWERS = ("sims-mapping.toml", "sims-siblings.json")
"""Files with the school's answers about its exports: column meanings and siblings."""


class BackupMisplaced(GateError):
    """The folder named cannot hold a backup."""

    exit_code = 25
    next_step = "Name a folder outside the home, preferably on another disk or machine."


def make_backup(home: Home, place: Path, actor: str, progress: Progress, keep: int = 0) -> Path:
    """Back up the home into a new folder below ``place`` while the gate runs.

    Args:
        home: the open home.
        place: folder that holds the backups.
        actor: who is named in the audit trail.
        progress: called with the files done and the files to do.
        keep: how many backups stay at the place, this one included; 0 removes none.

    Returns:
        The folder of the new backup.

    Raises:
        BackupMisplaced: The place lies inside the home, or another backup is being made there.
        StorageFull: The disk is full or read-only.
        DatabaseUnusable: The database cannot be copied.
        BackupDamaged: A file read back differs from the one written.
    """
    place = place.resolve()
    _refuse_bad_places(home, place)
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _locked(place):
            done = _make(home, place, progress)
            _remove_old(place, keep)
    except OSError as error:
        if is_disk_full(error) or is_read_only(error):
            raise StorageFull(
                "The disk is full or read-only. The next backup continues with what is done."
            ) from error
        raise
    for prefix in (BEFORE_UPGRADE, BEFORE_MOVE):
        for copy in home.database.parent.glob(f"{prefix}*"):
            copy.unlink()  # it still holds rows that were erased since
    with transaction.atomic():
        audit_log.record(home, "backup.made", "home", {"backup": done.name}, actor)
    audit_log.save_anchor(home)
    return done


def upgrade(home: Home) -> Path | None:
    """Migrate the open home's database to this version, after copying it.

    Returns the copy, which the next backup removes; None when the database is up to date.

    Raises:
        UpgradeNeeded: The database is of a newer version.
        DatabaseUnusable: The database cannot be copied.
    """
    try:
        bootstrap.require_current_schema()
    except UpgradeNeeded:
        stamp = home.clock().astimezone(UTC)
        copy = _copy_before_upgrade(home, f"{BEFORE_UPGRADE}{stamp:%Y%m%dT%H%M%SZ}")
        bootstrap.migrate()
        bootstrap.require_current_schema()  # raises again if the database is the newer one
        return copy
    return None


def _copy_before_upgrade(home: Home, name: str) -> Path:
    """Copy the database to a file in the home. An older schema on PostgreSQL needs ``pg_dump``."""
    if home.settings.database.engine == "postgresql":
        copy = home.root / f"{name}.dump"
        dump_schema(home, copy)
    else:
        copy = home.database.with_name(f"{name}.sqlite3")
        _copy_database(home.database, copy)
    return copy


def _make(home: Home, place: Path, progress: Progress) -> Path:
    """Make the backup in the hidden folder, verify it and give it its name."""
    work = place / PARTIAL
    work.mkdir(mode=0o700, exist_ok=True)
    before = newest(place)
    known = {file.path: file for file in files_of(before)} if before else {}
    made_at = home.clock().astimezone(UTC)
    sequence, mac = _export_database(home, work / DATABASE)
    items = _items_of(work / DATABASE)
    for name in (FILE_NAME, *SIMS_ANSWERS):
        if (home.root / name).is_file():
            copy_verified(home.root / name, work / name)
    revocations.append_new(home)
    if revocations.revocations_file(home).is_file():
        copy_verified(revocations.revocations_file(home), work / revocations.FILE)
        copy_verified(revocations.revocations_file(home), place / revocations.FILE)
    missing = copy_vault(home, work, items, before, progress)
    header = _list_files(work, known, sequence, mac, missing, made_at.isoformat(timespec="seconds"))
    replace_with(work / HEADER, signed_header(home.keys.audit, header), 0o600)
    verify(work, home.keys.audit, thorough=False)
    final = place / f"{PREFIX}{made_at:%Y%m%dT%H%M%SZ}"
    work.rename(final)
    sync_folder(place)
    return final


def _refuse_bad_places(home: Home, place: Path) -> None:
    inside = [home.root, home.vault, *map(home.approved, home.settings.channels)]
    if any(place.is_relative_to(folder.resolve()) for folder in inside):
        raise BackupMisplaced(f"{place} lies inside the home or a channel's folder.")


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Hold the place's lock: two backups at once would overwrite each other's files."""
    with (place / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BackupMisplaced("Another backup is being made in this folder now.") from error
        yield


def _export_database(home: Home, target: Path) -> tuple[int, str]:
    """Write all rows into one SQLite file. Returns sequence and MAC of the newest audit entry."""
    if home.settings.database.engine == "sqlite":
        return _copy_database(home.database, target)
    portable = target.with_name(target.name + ".copying")
    copy_to_file(home, portable)
    try:
        return _copy_database(portable, target)
    finally:
        portable.unlink()


def _copy_database(source: Path, target: Path) -> tuple[int, str]:
    """Copy a SQLite file consistently while the gate runs.

    Returns sequence and MAC of the newest audit entry in the copy.
    """
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
    """Ids of the items of the copy that still have a key."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as copy:
        rows = copy.execute("SELECT id FROM gate_item WHERE wrapped_key IS NOT NULL ORDER BY id")
        return [str(row[0]) for row in rows]


def _list_files(  # noqa: PLR0913, PLR0917
    work: Path, known: dict[str, FileEntry], sequence: int, mac: str, missing: int, made_at: str
) -> Backup:
    """Write the list of files and return the header.

    A file that is linked to the last backup keeps the digest listed there (``known``).
    """
    count = size = 0
    body = hashlib.sha256()
    with (work / LIST).open("wb") as out:
        for path in sorted(p for p in work.rglob("*") if p.is_file()):
            name = path.relative_to(work).as_posix()
            if name in {LIST, HEADER} or name.endswith(".copying"):
                continue
            stat, old = path.stat(), known.get(name)
            linked = old and stat.st_nlink > 1 and _is_unchanged(old, stat)
            sha256 = old.sha256 if old and linked else digest(path)
            line = json.dumps(asdict(FileEntry(name, stat.st_size, sha256, stat.st_mtime_ns)))
            out.write(line.encode() + b"\n")
            body.update(line.encode() + b"\n")
            count, size = count + 1, size + stat.st_size
        out.flush()
        os.fsync(out.fileno())
    return Backup(made_at, __version__, sequence, mac, count, size, missing, body.hexdigest())


def _is_unchanged(file: FileEntry, stat: os.stat_result) -> bool:
    return (file.size, file.modified_ns) == (stat.st_size, stat.st_mtime_ns)


def _remove_old(place: Path, keep: int) -> None:
    """Delete all but the newest ``keep`` backups: old ones hold what was erased since."""
    for folder in backups(place)[:-keep] if keep else []:
        shutil.rmtree(folder)
