"""Moving a home's rows from its SQLite file into a schema of PostgreSQL, and back out for a backup.

Until the settings name the new place the old one is the home's, whole and unchanged; the settings
are replaced in one step. A schema that holds a school is never written over: only one that was
empty when this home first took it, which a note in the home's folder remembers for the next try.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path

from django.db import DatabaseError, connections, transaction

from consent_gate import bootstrap
from consent_gate.audit import find_breaks
from consent_gate.bootstrap import secondary_database
from consent_gate.db import audit_log
from consent_gate.errors import DatabaseUnusable, GateError
from consent_gate.home import database, filesystem
from consent_gate.home.database_url import replace_section
from consent_gate.home.home import Home
from consent_gate.home.settings import FILE_NAME, Database, load_settings
from consent_gate.operations.copy_rows import (
    Copied,
    CopyDiffers,
    Progress,
    copy_rows,
    is_empty,
    make_tables_in_file,
)
from ingest.scheduling.lock import IngestRunning, exclusive_ingest_lock

BEFORE_MOVE = "before-move-"
"""What the old file is called afterwards, until the next backup removes it."""

CLAIM = ".schema-taken"
"""Note of which schema was empty when this home began to move in."""

OLD, COPY = "old", "copy"
"""Names of the connection that is read, and of a copy that is written."""

_NO_MORE_ENTRIES = """
CREATE TRIGGER moved_to_postgresql BEFORE INSERT ON gate_auditentry
BEGIN SELECT RAISE(ABORT, 'this home has moved to PostgreSQL'); END
"""
"""A program that still waits to write into the old file records what it does, and so cannot."""


class MoveRefused(GateError):
    """The home cannot be moved as things are."""

    exit_code = 40
    next_step = "Nothing was changed. Put right what is said here, then give the command again."


def move_to_postgresql(home: Home, chosen: Database, actor: str, progress: Progress) -> Copied:
    """Move the open home from SQLite to PostgreSQL. It stays open, at the new place.

    Raises MoveRefused when the gate runs or the schema holds something else, DatabaseUnusable, or
    CopyDiffers; the home is then as it was.
    """
    if home.settings.database.engine != "sqlite":
        _set_old_file_aside(home)  # a move that was interrupted at its very end
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
    """Nobody can write to the old file from the first row that is read on."""
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
    """Make the open home's rows those of another open database, and check the audit chain.

    Call inside a transaction of the source. Raises CopyDiffers.
    """
    with transaction.atomic():
        copied = copy_rows(source, "default", progress)
        if find_breaks(home.keys.audit, audit_log.entries(), None):
            raise CopyDiffers("The audit chain of the copy does not hold.")
    return copied


def copy_to_file(home: Home, file: Path) -> None:
    """Write all rows of a home on PostgreSQL into a new SQLite file, as of one moment.

    The gate goes on meanwhile. Raises DatabaseUnusable.
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
    """Put the rows of a SQLite file, of this version or older, into the open home's empty schema.

    The file goes once they are there. Raises MoveRefused where the schema holds a school,
    DatabaseUnusable, or CopyDiffers.
    """
    with secondary_database(OLD, database.sqlite_options(file)):
        make_tables_in_file(OLD)
        _claim_schema(home)
        with transaction.atomic(using=OLD):
            _fill(home, OLD, lambda *_: None)
    for path in file.parent.glob(f"{file.name}*"):
        path.unlink()


def _claim_schema(home: Home) -> None:
    """Have tables in the open home's schema, and nothing in them that is not this home's.

    What an interrupted try left is overwritten later, in the transaction that copies. Raises
    MoveRefused, DatabaseUnusable.
    """
    chosen, claim = home.settings.database, home.root / CLAIM
    words = chosen.model_dump_json()
    try:
        new = bootstrap.is_new_database(home)
        claimed = claim.exists() and claim.read_text("utf-8") == words
        if not (new or claimed or _has_no_rows()):
            raise MoveRefused(f"The schema {chosen.schema_name} holds a school already.")
        filesystem.replace_with(claim, words.encode(), 0o600)
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
            alone.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # its log would not move with it
        aside = f"{BEFORE_MOVE}{stamp:%Y%m%dT%H%M%SZ}.sqlite3"
        home.database.rename(home.database.with_name(aside))
    clear_move_claim(home)


def clear_move_claim(home: Home) -> None:
    """The schema is the home's own from here on: nothing may be written over it any more."""
    (home.root / CLAIM).unlink(missing_ok=True)
