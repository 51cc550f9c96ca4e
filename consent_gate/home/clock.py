"""The clocks of the machines. A home's ``clock`` is the only way to them.

The linter refuses every other call that asks a machine for the time of day. What takes seconds is
measured with ``time.monotonic``.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models.functions import Now


def utc_now() -> datetime:
    """What this machine's clock says: an aware time in UTC. What a home goes by."""
    return datetime.now(UTC)


def server_now() -> Now:
    """What the database server's clock says, for comparing with rows that it dated itself.

    Only procrastinate's rows are: its jobs fall due, and its workers give signs of life, by the
    server's clock, so that no machine's own clock can take work from another.
    """
    return Now()
