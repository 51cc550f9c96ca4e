"""Errors of the disk and the database, told in words; and whether it helps to try again."""

from __future__ import annotations

import sqlite3

from django.db import connection
from django.db.utils import DatabaseError, InterfaceError, OperationalError

from consent_gate.errors import DatabaseUnreachable, DatabaseUnusable, GateError, StorageFull
from consent_gate.home.filesystem import is_disk_full, is_read_only


class DatabaseCorrupt(DatabaseUnusable):
    """The database file is damaged: going on could make it worse."""

    next_step = "Stop the gate and restore the database from a backup; the photos are in the vault."


class DatabaseBusy(DatabaseUnusable):
    """Another program holds the database."""

    exit_code = 38
    next_step = "Close other programs that have it open; the gate tries again by itself."


def classify_error(error: Exception) -> GateError | None:
    """The error as one that a person can act on; None for a fault of the program."""
    if isinstance(error, GateError):
        return error
    if isinstance(error, DatabaseError | InterfaceError):
        return _explain_database(error)
    if isinstance(error, OSError) and is_disk_full(error):
        return StorageFull("The disk is full.")
    if isinstance(error, OSError) and is_read_only(error):
        return StorageFull("The disk can only be read.")
    return None


def check_database() -> None:
    """Look SQLite's file over, once at the start. Raises DatabaseCorrupt.

    PostgreSQL looks after its own files, and says so when it meets a damaged one.
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


def _explain_database(error: DatabaseError | InterfaceError) -> GateError | None:
    cause = error.__cause__
    if connection.vendor == "postgresql":
        return _explain_postgresql(error, getattr(cause, "sqlstate", None) or "")
    name = getattr(cause, "sqlite_errorname", "") if isinstance(cause, sqlite3.Error) else ""
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return DatabaseCorrupt("The database is damaged.")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return DatabaseBusy("The database is held by another program.")
    if name.startswith("SQLITE_FULL"):
        return StorageFull("The disk with the database is full.")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM")):
        return StorageFull("The database cannot be written.")
    return None


def _explain_postgresql(error: DatabaseError | InterfaceError, state: str) -> GateError | None:
    """By SQLSTATE (PostgreSQL manual, appendix A); none at all where the connection was lost."""
    if state in {"XX001", "XX002"}:
        return DatabaseCorrupt("PostgreSQL finds the database damaged.")
    if state in {"55P03", "57014", "40P01"}:
        return DatabaseBusy("Another program holds this school's rows.")
    if state.startswith("53") and state != "53300":
        return StorageFull("PostgreSQL has no room left.")
    if state == "25006":
        return StorageFull("The database cannot be written.")
    if state.startswith(("08", "28", "57P", "3D")) or state == "53300" or not state:
        return _unreachable(error)
    return None


def _unreachable(error: DatabaseError | InterfaceError) -> GateError | None:
    """Django raises these two where the server is away; other errors without a state are ours."""
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnreachable("PostgreSQL cannot be reached.")
    return None
