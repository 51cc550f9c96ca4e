"""Decide when a file in the inbox is ready to be claimed; use no files, clock or threads.

The caller reports what it found and when. A file is due when its size and times have not changed
for the settling time. A file that turns out not to be ready (truncated, locked, no permission) is
deferred for longer each time, but never given up: other programs lost photos that were judged
during a slow copy and then forgotten (paperless-ng #1159).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

MAX_WAIT = 600.0
"""The most seconds between two attempts, so that a corrected permission works within minutes."""


class NotReadyReason(StrEnum):
    """Why a file has not been claimed."""

    SETTLING = "settling"
    COPYING = "copying"
    CUT_SHORT = "cut_short"
    EMPTY = "empty"
    CHANGED = "changed"
    NO_PERMISSION = "no_permission"
    CANNOT_BE_READ = "cannot_be_read"
    NOT_A_FILE = "not_a_file"
    PATH_TOO_LONG = "path_too_long"
    TOO_LARGE = "too_large"


REASON_MESSAGES = {
    NotReadyReason.SETTLING: "It is still being copied, or was copied a moment ago.",
    NotReadyReason.COPYING: "Its name shows that another program is still copying it.",
    NotReadyReason.CUT_SHORT: "Its end is missing. The gate takes it in when the copy is complete.",
    NotReadyReason.EMPTY: "It is empty so far. The gate takes it in when it has content.",
    NotReadyReason.CHANGED: "It changed while it was taken in. The gate tries again by itself.",
    NotReadyReason.NO_PERMISSION: (
        "The gate may not read it. Give the gate's account permission to read the file."
    ),
    NotReadyReason.CANNOT_BE_READ: (
        "It cannot be read: the disk or share has a fault, or another program has locked it. Close"
        " other programs that use it."
    ),
    NotReadyReason.NOT_A_FILE: "It is a shortcut or link, not a photo. Copy the photo itself.",
    NotReadyReason.PATH_TOO_LONG: "Its folders are nested too deep. Move it nearer to the top.",
    NotReadyReason.TOO_LARGE: (
        "It is larger than the settings allow for a photo or a film (max_megabytes), so the gate"
        " does not open it. Move it to another folder."
    ),
}
"""A message for staff for each reason."""


@dataclass(frozen=True)
class FileStat:
    """What the file system says of a file without opening it."""

    size: int
    """Bytes."""
    modified_ns: int
    """Modification time (``st_mtime_ns``)."""
    changed_ns: int
    """Change time (``st_ctime_ns``): content, name or permissions. Programs cannot set it."""
    inode: int = 0
    """Number of the file in its file system: another file under the same name has another."""


@dataclass(frozen=True)
class PendingFile:
    """A file that has not been claimed, for the status page."""

    source: str
    reason: NotReadyReason
    waited_seconds: float
    """Seconds since it was first found."""
    retry_seconds: float
    """Seconds until the next attempt."""


@dataclass
class _Entry:
    stat: FileStat | None
    """None for an entry that is not a readable file."""
    reason: NotReadyReason
    first_seen: float
    unchanged_since: float
    next_attempt: float
    attempts: int = 0


class StabilityTracker:
    """The files of the inbox. The caller passes times, in seconds of one monotonic clock."""

    def __init__(self, settle_seconds: float) -> None:
        """``settle_seconds``: a file is due after so many seconds without a change."""
        self._settle_seconds = settle_seconds
        self._entries: dict[str, _Entry] = {}

    def observe(self, source: str, stat: FileStat, now: float, age: float = 0.0) -> None:
        """Record size and times of a file. ``age``: seconds for which it was unchanged before."""
        entry = self._entries.get(source)
        if entry is not None and entry.stat == stat:
            return
        unchanged_since = now - age
        first_seen = entry.first_seen if entry else now
        due = unchanged_since + self._settle_seconds
        self._entries[source] = _Entry(
            stat, NotReadyReason.SETTLING, first_seen, unchanged_since, due
        )

    def observe_unreadable(self, source: str, reason: NotReadyReason, now: float) -> None:
        """Record an entry that cannot be claimed as it is and is never due."""
        entry = self._entries.get(source)
        first_seen = entry.first_seen if entry else now
        self._entries[source] = _Entry(None, reason, first_seen, now, now)

    def touch(self, source: str, now: float) -> None:
        """Restart the settling time of a file, because an event reported a change."""
        entry = self._entries.get(source)
        if entry is not None and entry.stat is not None:
            entry.unchanged_since = now
            entry.next_attempt = max(entry.next_attempt, now + self._settle_seconds)

    def keep_only(self, sources: Collection[str]) -> None:
        """Forget all files except these. ``sources`` must be a set."""
        for source in self._entries.keys() - sources:
            del self._entries[source]

    def due(self, now: float) -> list[str]:
        """Files to try now, in the order in which they were first found."""
        return [
            source
            for source, entry in self._entries.items()
            if entry.stat is not None and entry.next_attempt <= now
        ]

    def defer(self, source: str, reason: NotReadyReason, now: float) -> None:
        """Try a file again later, as it was not ready; each wait is twice as long as the last."""
        entry = self._entries.get(source)
        if entry is not None:
            entry.reason = reason
            entry.attempts += 1
            wait = max(self._settle_seconds, 1.0) * 2.0 ** min(entry.attempts, 30)
            entry.next_attempt = now + min(wait, MAX_WAIT)

    def idle_seconds(self, source: str, now: float) -> float:
        """Seconds without a change; 0 for an unknown file."""
        entry = self._entries.get(source)
        return now - entry.unchanged_since if entry else 0.0

    def forget(self, source: str) -> None:
        """Stop tracking a file that was claimed."""
        self._entries.pop(source, None)

    def pending_files(self, now: float) -> list[PendingFile]:
        """All files that were found and not claimed, longest waiting first."""
        found = [
            PendingFile(source, e.reason, now - e.first_seen, max(0.0, e.next_attempt - now))
            for source, e in self._entries.items()
        ]
        return sorted(found, key=lambda file: -file.waited_seconds)

    def next_due(self, now: float) -> float | None:
        """Seconds until a file is due; None when no file will be."""
        times = [e.next_attempt - now for e in self._entries.values() if e.stat is not None]
        return max(0.0, min(times)) if times else None
