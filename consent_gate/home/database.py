"""How Django reaches the rows of one home: a file of SQLite, or a schema of PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from consent_gate.errors import DatabaseUnusable

if TYPE_CHECKING:
    from consent_gate.home.home import Home


def database(home: Home) -> dict[str, Any]:
    """How Django reaches the home's rows. Raises DatabaseUnusable for a bad password file."""
    if home.settings.database.engine == "postgresql":
        return _postgresql(home)
    return sqlite(home.database)


def sqlite(file: Path) -> dict[str, Any]:
    """SQLite with a write-ahead log, whole-disk syncs and transactions that lock at once."""
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


_FOR_EVERY_SESSION = {
    "lock_timeout": "30s",  # as SQLite's: a gate that waits longer says so and tries again
    "statement_timeout": "10min",
    "idle_in_transaction_session_timeout": "5min",  # a machine that hangs must not stop a school
}
"""Settings of the server for our sessions."""


def _postgresql(home: Home) -> dict[str, Any]:
    """The school's schema and nothing else in sight, not even ``public``."""
    chosen = home.settings.database
    session = {"search_path": chosen.schema_name, **_FOR_EVERY_SESSION}
    return {
        "ENGINE": "consent_gate.db.postgresql",
        "NAME": chosen.name,
        "USER": chosen.user,
        "PASSWORD": password(home),
        "HOST": chosen.host,
        "PORT": chosen.port,
        "SCHEMA": chosen.schema_name,
        "OPTIONS": {
            "sslmode": chosen.sslmode,
            "connect_timeout": 10,
            "application_name": "consent-gate",
            "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
            # A server that vanished is noticed within a minute, not after TCP's two hours.
            "keepalives_idle": 20,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 60_000,
        },
    }


def reading_one_state(home: Home) -> dict[str, Any]:
    """The home's PostgreSQL for reading: a transaction sees one state of all rows, and waits for
    nobody."""
    from psycopg import IsolationLevel

    values = _postgresql(home)
    values["ENGINE"] = "django.db.backends.postgresql"
    values["OPTIONS"]["isolation_level"] = IsolationLevel.REPEATABLE_READ
    values["OPTIONS"]["options"] += " -c default_transaction_read_only=on"
    return values


def password(home: Home) -> str:
    """The role's password; "" where there is none to give. Raises DatabaseUnusable."""
    file = home.root / home.settings.database.password_file
    try:
        return file.read_text("utf-8").strip()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise DatabaseUnusable(f"{file} cannot be read.") from error
