"""Django's ``DATABASES`` entry for one home: an SQLite file or a schema of PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from consent_gate.errors import DatabaseUnusable

if TYPE_CHECKING:
    from consent_gate.home.home import Home


def database_options(home: Home) -> dict[str, Any]:
    """Return the entry of Django's ``DATABASES`` for the home.

    Raises:
        DatabaseUnusable: The password file cannot be read.
    """
    if home.settings.database.engine == "postgresql":
        return _postgresql_options(home)
    return sqlite_options(home.database)


def sqlite_options(file: Path) -> dict[str, Any]:
    """Return the entry for an SQLite file.

    It has a write-ahead log, full syncs, and transactions that take the write lock at their start.
    """
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            " PRAGMA secure_delete=ON;",
        },
    }


_SESSION_SETTINGS = {
    "lock_timeout": "30s",  # the same as SQLite's timeout; after it the gate logs and retries
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "5min",  # a machine that hangs must not block a school
}
"""Server settings for each of our sessions."""


def _postgresql_options(home: Home) -> dict[str, Any]:
    """The search path has the school's schema only, not even ``public``."""
    settings = home.settings.database
    session = {"search_path": settings.schema_name, **_SESSION_SETTINGS}
    return {
        "ENGINE": "consent_gate.db.postgresql",
        "NAME": settings.name,
        "USER": settings.user,
        "PASSWORD": password(home),
        "HOST": settings.host,
        "PORT": settings.port,
        "SCHEMA": settings.schema_name,
        "OPTIONS": {
            "sslmode": settings.sslmode,
            "connect_timeout": 10,
            "application_name": "consent-gate",
            "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
            # A lost server is noticed within a minute; TCP's default is two hours.
            "keepalives_idle": 20,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
        },
    }


def postgresql_snapshot_options(home: Home) -> dict[str, Any]:
    """Return the entry for reading the home's PostgreSQL schema.

    Each transaction is read-only, sees one state of all rows, and waits for no writer.

    Raises:
        DatabaseUnusable: The password file cannot be read.
    """
    from psycopg import IsolationLevel

    values = _postgresql_options(home)
    values["ENGINE"] = "django.db.backends.postgresql"
    values["OPTIONS"]["isolation_level"] = IsolationLevel.REPEATABLE_READ
    values["OPTIONS"]["options"] += " -c default_transaction_read_only=on"
    return values


def password(home: Home) -> str:
    """Return the password of the PostgreSQL role; "" where there is no password file.

    Raises:
        DatabaseUnusable: The password file cannot be read.
    """
    file = home.root / home.settings.database.password_file
    try:
        return file.read_text("utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise DatabaseUnusable(f"{file} cannot be read.") from error
