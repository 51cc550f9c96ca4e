"""Move a home's rows from its SQLite file into a PostgreSQL schema, or copy them out for a backup.

The SQLite file stays the home's database, complete and unchanged, until the settings are replaced
in one step. A schema that holds a school's data is never overwritten. The home may only fill a
schema that was empty at its first attempt; a file in the home's folder records that for the next
attempt.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from django.db import DatabaseError, connections, transaction

from consent_gate import bootstrap
from consent_gate.bootstrap import secondary_database
from consent_gate.db import audit_log
from consent_gate.db.audit_chain import find_breaks
from consent_gate.errors import DatabaseUnusable, GateError
from consent_gate.home import database, filesystem
from consent_gate.home.database_url import replace_section
from consent_gate.home.home import Home
from consent_gate.home.settings import FILE_NAME, load_settings
from consent_gate.home.settings_machine import Database
from consent_gate.operations.database.copy_rows import (
    Copied,
    CopyDiffers,
    Progress,
    copy_rows,
    is_empty,
    make_tables_in_file,
)
from ingest.scheduling.lock import IngestRunning, exclusive_ingest_lock

BEFORE_MOVE = "before-move-"
"""Prefix of the old file's name after the move; the next backup deletes the file."""

CLAIM = ".schema-taken"
"""File that records which schema was empty when this home began to fill it."""

OLD, COPY = "old", "copy"
"""Names of the connection that is read, and of the connection to a copy that is written."""

_NO_MORE_ENTRIES = """
CREATE TRIGGER moved_to_postgresql BEFORE INSERT ON gate_auditentry
BEGIN SELECT RAISE(ABORT, 'this home has moved to PostgreSQL'); END
"""
"""Stops programs that still wait to write to the old file: each change adds an audit entry."""


class MoveRefused(GateError):
    """The home cannot be moved as things are."""

    exit_code = 40
    next_step = "Nothing was changed. Correct this, then run the command again."


def move_to_postgresql(home: Home, chosen: Database, actor: str, progress: Progress) -> Copied:
    """Move the open home from SQLite to PostgreSQL. It stays open, on the new database.

    Args:
        home: the open home.
        chosen: settings of the PostgreSQL database.
        actor: who is named in the audit trail.
        progress: called with the number of steps done and to do.

    Raises:
        MoveRefused: The gate is running, the home is on PostgreSQL already, or the schema holds
            other data.
        DatabaseUnusable: The schema cannot be filled.
        CopyDiffers: A row read back differs. The home is unchanged after each of these errors.
    """
    if home.settings.database.engine != "sqlite":
        _set_old_file_aside(home)  # finishes a move that was interrupted before this
        raise MoveRefused("This home is on PostgreSQL already.")
    moved = replace(home, settings=home.settings.model_copy(update={"database": chosen}))
    try:
        with exclusive_ingest_lock(home):
            copied = _copy_and_switch(home, moved, actor, progress)
            _set_old_file_aside(home)
    except IngestRunning as error:
        raise MoveRefused("The gate is running: stop it first.") from error
    return copied


def _copy_and_switch(home: Home, moved: Home, actor: str, progress: Progress) -> Copied:
    """Copy all rows and replace the settings, while the old file is locked against writers."""
    bootstrap.bind_database(moved)
    try:
        with secondary_database(OLD, database.sqlite_options(home.database)):
            _claim_schema(moved)
            with transaction.atomic(using=OLD):
                copied = _fill(moved, OLD, progress)
                with connections[OLD].cursor() as cursor:
                    cursor.execute(_NO_MORE_ENTRIES)
                replace_section(home.root / FILE_NAME, moved.settings.database)
    except BaseException:
        if load_settings(home.root / FILE_NAME).database.engine == "sqlite":
            bootstrap.bind_database(home)
        raise
    with transaction.atomic():
        audit_log.record(moved, "database.moved", "home", {"rows": copied.total}, actor)
    audit_log.save_anchor(moved)
    return copied


def _fill(home: Home, source: str, progress: Progress) -> Copied:
    """Replace the open home's rows by those of the connection ``source``; check the audit chain.

    Call inside a transaction of the source.

    Raises:
        CopyDiffers: A row read back differs, or the audit chain is broken.
    """
    with transaction.atomic():
        copied = copy_rows(source, "default", progress)
        if find_breaks(home.keys.audit, audit_log.entries(), None):
            raise CopyDiffers("The audit chain of the copy is broken.")
    return copied


def copy_to_file(home: Home, file: Path) -> None:
    """Write all rows of a home on PostgreSQL into a new SQLite file, from one snapshot.

    The gate may run meanwhile.

    Raises:
        DatabaseUnusable: The rows cannot be read or written.
    """
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    try:
        with (
            secondary_database(OLD, database.postgresql_snapshot_options(home)),
            secondary_database(COPY, database.sqlite_options(file)),
        ):
            make_tables_in_file(COPY)
            with transaction.atomic(using=OLD), transaction.atomic(using=COPY):
                copy_rows(OLD, COPY)
    except DatabaseError as error:
        raise DatabaseUnusable(f"The database cannot be copied: {error}.") from error
    with closing(sqlite3.connect(file)) as alone:
        alone.execute("PRAGMA journal_mode=DELETE")


def fill_from_file(home: Home, file: Path) -> None:
    """Copy the rows of a SQLite file into the open home's empty schema, then delete the file.

    The file may be of this version or an older one.

    Raises:
        MoveRefused: The schema holds other data.
        DatabaseUnusable: The schema cannot be filled.
        CopyDiffers: A row read back differs.
    """
    with secondary_database(OLD, database.sqlite_options(file)):
        make_tables_in_file(OLD)
        _claim_schema(home)
        with transaction.atomic(using=OLD):
            _fill(home, OLD, lambda *_: None)
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()


def _claim_schema(home: Home) -> None:
    """Create the tables in the open home's schema, after checking that it holds no other data.

    Rows left by an interrupted attempt are overwritten later, in the transaction that copies.

    Raises:
        MoveRefused: The schema holds other data.
        DatabaseUnusable: The schema cannot be filled.
    """
    chosen, claim = home.settings.database, home.root / CLAIM
    note = chosen.model_dump_json()
    try:
        new = bootstrap.is_new_database(home)
        claimed = claim.exists() and claim.read_text("utf-8") == note
        if not (new or claimed or _has_no_rows()):
            raise MoveRefused(f"The schema {chosen.schema_name} already holds a school's data.")
        filesystem.replace_with(claim, note.encode(), 0o600)
        bootstrap.migrate()
    except DatabaseError as error:
        raise DatabaseUnusable(f"The schema cannot be filled: {error}.") from error


def _has_no_rows() -> bool:
    try:
        bootstrap.require_current_schema()
    except GateError:
        return False
    return is_empty("default")


def _set_old_file_aside(home: Home) -> None:
    stamp = home.clock().astimezone(UTC)
    if home.database.exists():
        with closing(sqlite3.connect(home.database)) as alone:
            alone.execute(
                "PRAGMA wal_checkpoint(TRUNCATE)"
            )  # the write-ahead log is not renamed with it
        aside = f"{BEFORE_MOVE}{stamp:%Y%m%dT%H%M%SZ}.sqlite3"
        home.database.rename(home.database.with_name(aside))
    clear_move_claim(home)


def clear_move_claim(home: Home) -> None:
    """Delete the record of an unfinished move: from now on the schema may not be overwritten."""
    (home.root / CLAIM).unlink(missing_ok=True)
