"""A sign of life: one small file in the home that says what the gate is doing.

A file, not a row: it can be read, and tells of the trouble, when the database cannot. It names
files of the inbox, so it is readable by the gate's account alone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from consent_gate.home.home import Home
from ingest.inbox.stability import SENTENCES, PendingFile

FILE_NAME = "watching.json"
MAX_FILES = 200
"""Waiting files that are named; all are counted."""
STALE_AFTER = timedelta(minutes=5)
"""The gate writes several times a minute; an examination does not keep it from doing so."""


@dataclass(frozen=True)
class WaitingFile:
    """A file in the inbox that has not been taken."""

    source: str
    """Path below the inbox."""
    reason: str
    """``ingest.inbox.stability.NotReadyReason``."""
    sentence: str
    """For staff."""
    since: str
    """ISO time when it was first seen."""
    next_look: str
    """ISO time when it is tried again."""


@dataclass(frozen=True)
class Heartbeat:
    """What the gate was doing when it last wrote."""

    at: str
    """ISO time."""
    watching: str
    """How new photos are noticed, in words."""
    trouble: str = ""
    """What keeps the gate from working, in words; empty when nothing does."""
    waiting: int = 0
    """Photos in the vault that are still to be examined."""
    files_waiting: int = 0
    """Files in the inbox that could not be taken yet."""
    files: tuple[WaitingFile, ...] = field(default=())
    """The longest waiting of them."""

    def is_stale(self, now: datetime) -> bool:
        """Whether the gate must have stopped, or hangs."""
        return not timedelta(minutes=-1) < now - datetime.fromisoformat(self.at) < STALE_AFTER


def pending_file_rows(now: datetime, waiting: Sequence[PendingFile]) -> tuple[WaitingFile, ...]:
    """The longest waiting, in the form of the file."""
    return tuple(
        WaitingFile(
            source=w.source,
            reason=w.reason.value,
            sentence=SENTENCES[w.reason],
            since=(now - timedelta(seconds=w.waited)).isoformat(timespec="seconds"),
            next_look=(now + timedelta(seconds=w.next_check_at)).isoformat(timespec="seconds"),
        )
        for w in waiting[:MAX_FILES]
    )


def write_heartbeat(home: Home, sign: Heartbeat) -> None:
    """Write the sign of life. A disk that is full or read-only is told of by its absence."""
    temporary = home.root / f".{FILE_NAME}.{os.getpid()}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(sign), file)
        temporary.replace(home.root / FILE_NAME)
    except OSError:
        return


def read_heartbeat(home: Home) -> Heartbeat | None:
    """The last sign of life; None where the gate never ran or the file cannot be read."""
    try:
        values = json.loads((home.root / FILE_NAME).read_text("utf-8"))
        files = tuple(WaitingFile(**file) for file in values.pop("files"))
        return Heartbeat(**values, files=files)
    except (OSError, ValueError, TypeError, KeyError):
        return None
