"""Translate errors of the disk and the database into errors that staff can act on."""

from __future__ import annotations

import sqlite3

from django.db import connection
from django.db.utils import DatabaseError, InterfaceError, OperationalError

from consent_gate.errors import DatabaseUnreachable, DatabaseUnusable, GateError, StorageFull
from consent_gate.home.filesystem import is_disk_full, is_read_only


class DatabaseCorrupt(DatabaseUnusable):
    """The database file is damaged; writing to it could damage it further."""

    next_step = "Stop the gate and restore the database from a backup. The photos are in the vault."


class DatabaseBusy(DatabaseUnusable):
    """Another program has locked the database."""

    exit_code = 38
    next_step = "Close other programs that use it. The gate tries again by itself."


def classify_error(error: Exception) -> GateError | None:
    """The same error as a ``GateError``; None for a fault of the program."""
    if isinstance(error, GateError):
        return error
    if isinstance(error, DatabaseError | InterfaceError):
        return _classify_database_error(error)
    if isinstance(error, OSError) and is_disk_full(error):
        return StorageFull("The disk is full.")
    if isinstance(error, OSError) and is_read_only(error):
        return StorageFull("The disk is read-only.")
    return None


def check_database() -> None:
    """Check the SQLite file once at the start.

    PostgreSQL checks its own files and reports a damaged one itself.

    Raises:
        DatabaseCorrupt: The file is damaged.
        GateError: The file cannot be read for another reason (``classify_error``).
    """
    if connection.vendor != "sqlite":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA quick_check(1)")
            verdict = cursor.fetchone()[0]
    except DatabaseError as error:
        raise classify_error(error) or DatabaseCorrupt("The database cannot be read.") from error
    if verdict != "ok":
        raise DatabaseCorrupt("The database is damaged.")


def _classify_database_error(error: DatabaseError | InterfaceError) -> GateError | None:
    cause = error.__cause__
    if connection.vendor == "postgresql":
        return _classify_postgresql_error(error, getattr(cause, "sqlstate", None) or "")
    name = getattr(cause, "sqlite_errorname", "") if isinstance(cause, sqlite3.Error) else ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return DatabaseCorrupt("The database is damaged.")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseBusy("Another program has locked the database.")
    if name.startswith("SQLITE_FULL"):
        return StorageFull("The disk with the database is full.")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM")):
        return StorageFull("The database cannot be written.")
    return None


def _classify_postgresql_error(
    error: DatabaseError | InterfaceError, state: str
) -> GateError | None:
    """Classify by SQLSTATE (PostgreSQL manual, appendix A), which is empty after a lost
    connection."""
    if state in {"XX001", "XX002"}:
        return DatabaseCorrupt("PostgreSQL reports that the database is damaged.")
    if state in {"55P03", "57014", "40P01"}:
        return DatabaseBusy("Another program has locked this school's data.")
    if state.startswith("53") and state != "53300":
        return StorageFull("PostgreSQL has no disk space left.")
    if state == "25006":
        return StorageFull("The database cannot be written.")
    if state.startswith(("08", "28", "57P", "3D")) or state == "53300" or not state:
        return _unreachable_error(error)
    return None


def _unreachable_error(error: DatabaseError | InterfaceError) -> GateError | None:
    """Django raises these two where the server is away; others without a state are our faults."""
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnreachable("PostgreSQL cannot be reached.")
    return None
