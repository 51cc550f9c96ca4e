"""Write and read the heartbeat: a small file in the home that says what the gate is doing.

A file, not a row, so that it can report a fault when the database cannot be read. It contains names
of files in the inbox, so only the gate's account may read it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from consent_gate.home.home import Home
from ingest.inbox.stability import REASON_MESSAGES, PendingFile

FILE_NAME = "watching.json"
"""Name of the heartbeat file below the home."""
MAX_FILES = 200
"""The most waiting files that are listed; all are counted."""
STALE_AFTER = timedelta(minutes=5)
"""The gate writes several times a minute, also while photos are examined."""


@dataclass(frozen=True)
class WaitingFile:
    """A file in the inbox that has not been claimed."""

    source: str
    """Path below the inbox."""
    reason: str
    """Value of ``ingest.inbox.stability.NotReadyReason``."""
    message: str
    """For staff."""
    since: str
    """ISO time when it was first found."""
    next_attempt: str
    """ISO time of the next attempt."""


@dataclass(frozen=True)
class FilmInHand:
    """A film that is being examined."""

    item: str
    """Id of the item."""
    seconds_done: int
    seconds: int
    """By the film's header; 0 where it states no duration."""


@dataclass(frozen=True)
class Heartbeat:
    """What the gate was doing when it last wrote the file."""

    at: str
    """ISO time."""
    watching: str
    """How the gate notices new photos: a message for staff."""
    trouble: str = ""
    """What stops the gate from working: a message for staff; empty when nothing does."""
    waiting: int = 0
    """The number of photos in the vault that wait for an examination."""
    files_waiting: int = 0
    """The number of files in the inbox that could not be claimed yet."""
    files: tuple[WaitingFile, ...] = field(default=())
    """Those that have waited longest, at most ``MAX_FILES``."""

    films: tuple[FilmInHand, ...] = field(default=())

    def is_stale(self, now: datetime) -> bool:
        """Whether the heartbeat is so old that the gate must have stopped or hangs."""
        return not timedelta(minutes=-1) < now - datetime.fromisoformat(self.at) < STALE_AFTER


def pending_file_rows(now: datetime, waiting: Sequence[PendingFile]) -> tuple[WaitingFile, ...]:
    """The first ``MAX_FILES`` files as rows of the heartbeat; ``waiting`` has the longest first."""
    return tuple(
        WaitingFile(
            source=w.source,
            reason=w.reason.value,
            message=REASON_MESSAGES[w.reason],
            since=(now - timedelta(seconds=w.waited_seconds)).isoformat(timespec="seconds"),
            next_attempt=(now + timedelta(seconds=w.retry_seconds)).isoformat(timespec="seconds"),
        )
        for w in waiting[:MAX_FILES]
    )


def write_heartbeat(home: Home, heartbeat: Heartbeat) -> None:
    """Replace the heartbeat file.

    It is not written when the disk is full or read-only. Readers treat a missing or old file as an
    alarm.
    """
    temporary = home.root / f".{FILE_NAME}.{os.getpid()}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(heartbeat), file)
        temporary.replace(home.root / FILE_NAME)
    except OSError:
        return


def read_heartbeat(home: Home) -> Heartbeat | None:
    """The last heartbeat; None where the gate never ran or the file cannot be read."""
    try:
        values = json.loads((home.root / FILE_NAME).read_text("utf-8"))
        files = tuple(WaitingFile(**file) for file in values.pop("files"))
        films = tuple(FilmInHand(**film) for film in values.pop("films", ()))
        return Heartbeat(**values, files=files, films=films)
    except (OSError, ValueError, TypeError, KeyError):
        return None
