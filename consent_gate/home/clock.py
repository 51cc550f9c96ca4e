"""The clock of this machine and of the database server.

Other code reads the time from ``Home.clock``: the linter refuses every other call that returns the
time of day. Durations are measured with ``time.monotonic``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import connection
from django.db.models.functions import Now


def utc_now() -> datetime:
    """Return the time of this machine's clock, aware and in UTC. A home uses it by default."""
    return datetime.now(UTC)


def server_now() -> Now:
    """Return the SQL expression for the time of the database server's clock.

    Only procrastinate's rows have times of this clock: when a job is due, and when a worker sent a
    heartbeat. So a wrong clock on one machine cannot take work from another.
    """
    return Now()


def server_clock_offset() -> timedelta:
    """Return how far the database server's clock is ahead of this machine's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        there: datetime = cursor.fetchone()[0]
    return there - utc_now()
