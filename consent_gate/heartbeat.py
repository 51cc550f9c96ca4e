"""The running gate's sign of life: a file whose time is set anew while work goes on.

A file, so that ``status``, ``doctor`` and a container's health check can ask without the process.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from consent_gate.bootstrap import Home

FILE = "heartbeat"

LONGEST_SILENCE = timedelta(minutes=5)
"""A round takes seconds. One picture may take up to the limit in the settings, which is added."""


def beat(home: Home) -> None:
    """Say that the gate works. Call once a round, and after each picture. Raises OSError."""
    path = home.root / FILE
    path.touch(mode=0o600)
    now = home.clock().timestamp()
    os.utime(path, (now, now))


def last_beat(home: Home) -> datetime | None:
    """When the gate last worked; None: it never ran here."""
    try:
        return datetime.fromtimestamp((home.root / FILE).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def is_silent(home: Home) -> bool:
    """Whether the gate should have been heard of by now."""
    last = last_beat(home)
    allowed = LONGEST_SILENCE + timedelta(seconds=home.settings.analysis.seconds_per_picture)
    return last is None or home.clock() - last > allowed
