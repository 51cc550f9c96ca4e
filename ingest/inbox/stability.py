"""When is a file in the inbox ready to be taken? A clockwork: no files, no clock, no threads.

The caller says what it saw and when; the clockwork says what is due. A file is due when nothing
about it changed for the settling time. What turns out not to be ready after all (cut short,
locked, no permission) is put off, each time for longer, and is tried again for ever: a slow copy
that was judged too early and then forgotten is how others lost photos (paperless-ng #1159).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

MAX_WAIT = 600.0
"""Seconds between two tries, at most: whoever mends a permission sees it work within minutes."""


class NotReadyReason(StrEnum):
    """Why a file has not been taken."""

    SETTLING = "settling"
    COPYING = "copying"
    CUT_SHORT = "cut_short"
    EMPTY = "empty"
    CHANGED = "changed"
    NO_PERMISSION = "no_permission"
    CANNOT_BE_READ = "cannot_be_read"
    NOT_A_FILE = "not_a_file"
    PATH_TOO_LONG = "path_too_long"


SENTENCES = {
    NotReadyReason.SETTLING: "It is still being copied, or was a moment ago.",
    NotReadyReason.COPYING: "Its name says that another program is still copying it.",
    NotReadyReason.CUT_SHORT: "Its end is missing. It is taken when the copy is complete.",
    NotReadyReason.EMPTY: "It is empty so far. It is taken when something is in it.",
    NotReadyReason.CHANGED: "It changed while it was being taken in.",
    NotReadyReason.NO_PERMISSION: (
        "The gate is not allowed to read it. Give its account the permission."
    ),
    NotReadyReason.CANNOT_BE_READ: (
        "It cannot be read: the disk or the share has a fault, or it is locked."
    ),
    NotReadyReason.NOT_A_FILE: "It is a shortcut or link, not a photo. Copy the photo itself.",
    NotReadyReason.PATH_TOO_LONG: "Its folders are nested too deep. Move it nearer to the top.",
}
"""For staff."""


@dataclass(frozen=True)
class FileStat:
    """All that can be told of a file without opening it."""

    size: int
    modified_ns: int
    changed_ns: int
    """When its content, name or rights last changed; a program that sets the date cannot set it."""


@dataclass(frozen=True)
class PendingFile:
    """A file that has not been taken, for the status page."""

    source: str
    reason: NotReadyReason
    waited: float
    """Seconds since it was first seen."""
    next_check_at: float
    """Seconds until it is tried again."""


@dataclass
class _Entry:
    stat: FileStat | None
    """None for what is no readable file at all."""
    reason: NotReadyReason
    first_seen: float
    quiet_since: float
    next_try: float
    tries: int = 0


class StabilityTracker:
    """Times are seconds of one clock that never goes back, given by the caller."""

    def __init__(self, settle: float) -> None:
        """``settle``: seconds without any change after which a file is due."""
        self._settle = settle
        self._entries: dict[str, _Entry] = {}

    def observe(self, source: str, stat: FileStat, now: float, age: float = 0.0) -> None:
        """Note what a file looks like. ``age``: seconds it is known to have been quiet already."""
        entry = self._entries.get(source)
        if entry is not None and entry.stat == stat:
            return
        quiet_since = now - age
        first_seen = entry.first_seen if entry else now
        due = quiet_since + self._settle
        self._entries[source] = _Entry(stat, NotReadyReason.SETTLING, first_seen, quiet_since, due)

    def observe_unreadable(self, source: str, reason: NotReadyReason, now: float) -> None:
        """Note something that cannot be taken as it is, and is never due."""
        entry = self._entries.get(source)
        first_seen = entry.first_seen if entry else now
        self._entries[source] = _Entry(None, reason, first_seen, now, now)

    def touch(self, source: str, now: float) -> None:
        """Something happened to a file: its quiet time starts again."""
        entry = self._entries.get(source)
        if entry is not None and entry.stat is not None:
            entry.quiet_since = now
            entry.next_try = max(entry.next_try, now + self._settle)

    def keep_only(self, sources: Collection[str]) -> None:
        """Forget what is no longer there. Pass a set."""
        for source in self._entries.keys() - sources:
            del self._entries[source]

    def due(self, now: float) -> list[str]:
        """Files to try now, in the order in which they were first seen."""
        return [
            source
            for source, entry in self._entries.items()
            if entry.stat is not None and entry.next_try <= now
        ]

    def defer(self, source: str, reason: NotReadyReason, now: float) -> None:
        """It was not ready after all: try again later, each time twice as late."""
        entry = self._entries.get(source)
        if entry is not None:
            entry.reason = reason
            entry.tries += 1
            wait = max(self._settle, 1.0) * 2.0 ** min(entry.tries, 30)
            entry.next_try = now + min(wait, MAX_WAIT)

    def idle_seconds(self, source: str, now: float) -> float:
        """Seconds without a change; 0 for a file that is not known."""
        entry = self._entries.get(source)
        return now - entry.quiet_since if entry else 0.0

    def forget(self, source: str) -> None:
        """It is in the vault: nothing to wait for any more."""
        self._entries.pop(source, None)

    def pending_files(self, now: float) -> list[PendingFile]:
        """All that was seen and not taken, the longest waiting first."""
        found = [
            PendingFile(source, e.reason, now - e.first_seen, max(0.0, e.next_try - now))
            for source, e in self._entries.items()
        ]
        return sorted(found, key=lambda w: -w.waited)

    def next_due(self, now: float) -> float | None:
        """Seconds until something is due; None when nothing will be."""
        times = [e.next_try - now for e in self._entries.values() if e.stat is not None]
        return max(0.0, min(times)) if times else None
