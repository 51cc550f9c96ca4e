"""Scan the inbox, wait until each file is complete, and claim it.

``ingest.inbox.claim`` makes an item of one file.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace

from consent_gate.db.models import InboxSighting
from consent_gate.errors import StorageFull
from consent_gate.home.filesystem import is_disk_full, is_read_only, open_regular_file
from consent_gate.home.home import Home
from ingest.decoding.completeness import is_complete
from ingest.inbox.claim import claim, dispose_of_inbox_file
from ingest.inbox.event_lists import read_event_lists
from ingest.inbox.scanner import InboxFile, InboxScan, is_unchanged, scan_inbox, unreadable_reason
from ingest.inbox.stability import MAX_WAIT, NotReadyReason, PendingFile, StabilityTracker

MAX_DISPOSED_PER_SCAN = 20

MAX_SMALL_DROP = 100
"""Most files due at once below one top folder that still count as a small drop.

A school's event has 100-300 photos, copied over minutes.
"""

MAX_BYTES_CHECKED = 64 << 20
"""Larger files are not checked for a missing end before they are claimed; photos are smaller."""


@dataclass(frozen=True)
class IntakeResult:
    """What one pass over the inbox did."""

    new: int = 0
    """Files that became an item."""
    known: int = 0
    """Files whose bytes are already an item."""
    not_ready: tuple[str, ...] = ()
    """Paths below the inbox of files that still change or cannot be read; tried again next time."""


def intake_once(home: Home) -> IntakeResult:
    """Make an item of every new file; wait once for files that changed a moment ago.

    An empty or truncated file is claimed as it is; it will be held.

    Raises:
        StorageFull: The disk has no room for another photo.
        InboxUnavailable: The inbox cannot be read.
    """
    intake = Intake(home, patience=0)
    intake.scan()
    done = intake.claim_due()
    if intake.next_due() is not None:
        time.sleep(home.settings.inbox.settle_seconds)
        intake.scan()
        rest = intake.claim_due()
        done = IntakeResult(done.new + rest.new, done.known + rest.known)
    return replace(done, not_ready=tuple(sorted(intake.unfinished())))


class Intake:
    """What this process knows of the inbox of one home."""

    def __init__(
        self, home: Home, patience: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Load the files that are already items.

        Args:
            home: The home whose inbox is watched.
            patience: Seconds without a change after which a truncated file is claimed anyway;
                0 for a single run.
            clock: Monotonic clock, in seconds.
        """
        self._home = home
        self._patience = patience
        self._clock = clock
        self._stability = StabilityTracker(home.settings.inbox.settle_seconds)
        self._found: dict[str, InboxFile] = {}
        self._next_disposal: dict[str, float] = {}
        self._lists_read: set[int] = set()
        # Only hashes: the names of a trust's archive of a million photos would not fit in memory.
        rows = InboxSighting.objects.values_list(
            "source", "size", "modified_ns", "changed_ns", "inode"
        )
        self._known = {hash(row) for row in rows.iterator()}

    def scan(self) -> None:
        """Update what is known of every file in the inbox.

        Raises:
            InboxUnavailable: The inbox cannot be read.
        """
        settings = self._home.settings
        largest = max(settings.analysis.max_megabytes, settings.film.max_megabytes)
        scan = scan_inbox(self._home.inbox, largest << 20)
        new_lists = [file for file in scan.event_lists if _state(file) not in self._lists_read]
        self._lists_read |= {_state(file) for file in read_event_lists(self._home, new_lists)}
        now = self._clock()
        fresh = [c for c in scan.files if _state(c) not in self._known]
        self._found = {inbox_file.source: inbox_file for inbox_file in fresh}
        self._stability.keep_only(self._found.keys() | scan.not_claimable.keys())
        for inbox_file in fresh:
            self._stability.observe(inbox_file.source, inbox_file.stat, now, self._age(inbox_file))
        self._observe_not_claimable(scan, now)
        if self._home.settings.inbox.afterwards != "leave":
            self._dispose_of_leftovers([c for c in scan.files if c.source not in self._found])

    def touch(self, source: str) -> None:
        """Restart the waiting time of this file: the file system reported a change."""
        self._stability.touch(source, self._clock())

    def claim_due(
        self,
        limit: int | None = None,
        capacity: int | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> IntakeResult:
        """Claim the files that are due, small drops first.

        Args:
            limit: The most files to try in this call.
            capacity: The most files to claim when large drops are included. All files of small
                drops are claimed even above it.
            should_stop: Asked before each file.

        Raises:
            StorageFull: The disk has no room for another photo.
        """
        new = known = 0
        for inbox_file in self._due(capacity)[:limit]:
            if should_stop():
                break
            created = self._claim_if_ready(inbox_file)
            new += created is True
            known += created is False
        return IntakeResult(new, known)

    def next_due(self) -> float | None:
        """Seconds until a file may be due; None when no file will be."""
        return self._stability.next_due(self._clock())

    def pending_files(self) -> list[PendingFile]:
        """Files that were found and not claimed, for the status page."""
        return self._stability.pending_files(self._clock())

    def unfinished(self) -> list[str]:
        """Files that could not be claimed yet, without links and partial copies by name."""
        ignored = (NotReadyReason.NOT_A_FILE, NotReadyReason.COPYING)
        return [file.source for file in self.pending_files() if file.reason not in ignored]

    def _observe_not_claimable(self, scan: InboxScan, now: float) -> None:
        for source, reason in scan.not_claimable.items():
            self._stability.observe_unreadable(source, reason, now)

    def _age(self, inbox_file: InboxFile) -> float:
        """Seconds that a file was unchanged before the first scan; 0 for the running gate.

        The change time counts as well, as copying programs set the modification time back.
        """
        if self._patience:
            return 0.0
        latest = max(inbox_file.stat.modified_ns, inbox_file.stat.changed_ns) / 1e9
        return max(0.0, self._home.clock().timestamp() - latest)

    def _due(self, capacity: int | None) -> list[InboxFile]:
        """Files to try now: files of small drops first, then files of an archive."""
        due = [self._found[s] for s in self._stability.due(self._clock()) if s in self._found]
        sizes = Counter(_top(inbox_file.source) for inbox_file in due)
        due.sort(key=lambda c: (sizes[_top(c.source)], c.stat.modified_ns, c.source))
        small = [c for c in due if sizes[_top(c.source)] <= MAX_SMALL_DROP]
        large = due[len(small) :]
        return small + (large if capacity is None else large[: max(0, capacity - len(small))])

    def _claim_if_ready(self, inbox_file: InboxFile) -> bool | None:
        """Claim one file or defer it. True: a new item; False: known bytes; None: deferred."""
        created: bool | None = None
        reason: NotReadyReason | None
        try:
            reason = NotReadyReason.CHANGED
            if is_unchanged(inbox_file):
                reason = self._not_ready_reason(inbox_file)
            if reason is None:
                created = claim(self._home, inbox_file)
                reason = NotReadyReason.CHANGED if created is None else None
        except OSError as error:
            if is_disk_full(error) or is_read_only(error):
                raise StorageFull("The disk has no room left for new photos.") from error
            reason = unreadable_reason(error)
        if reason is not None:
            self._stability.defer(inbox_file.source, reason, self._clock())
            return None
        self._stability.forget(inbox_file.source)
        self._known.add(_state(inbox_file))
        return created

    def _not_ready_reason(self, inbox_file: InboxFile) -> NotReadyReason | None:
        """Why an unchanged file may be incomplete; None when it can be claimed. Raises OSError."""
        if self._stability.idle_seconds(inbox_file.source, self._clock()) >= self._patience:
            return None
        if inbox_file.stat.size == 0:
            return NotReadyReason.EMPTY
        if inbox_file.stat.size > MAX_BYTES_CHECKED:
            return None
        with open_regular_file(inbox_file.path) as file:
            data = file.read(inbox_file.stat.size + 1)
        if len(data) != inbox_file.stat.size:
            return NotReadyReason.CHANGED
        return None if is_complete(data) else NotReadyReason.CUT_SHORT

    def _dispose_of_leftovers(self, claimed: list[InboxFile]) -> None:
        """Move or delete claimed files that are still in the inbox, a few at each scan.

        The program stopped before it could, or had no permission. A file that fails again is
        tried again after ``MAX_WAIT`` seconds.
        """
        now = self._clock()
        due = [file for file in claimed if self._next_disposal.get(file.source, now) <= now]
        for inbox_file in due[:MAX_DISPOSED_PER_SCAN]:
            sighting = (
                InboxSighting.objects.select_related("item")
                .filter(source=inbox_file.source)
                .first()
            )
            if sighting is None or not dispose_of_inbox_file(self._home, inbox_file, sighting.item):
                self._known.discard(_state(inbox_file))  # other bytes: claimed after the next scan
            self._next_disposal[inbox_file.source] = now + MAX_WAIT


def _state(inbox_file: InboxFile) -> int:
    return hash((inbox_file.source, *astuple(inbox_file.stat)))


def _top(source: str) -> str:
    return source.partition("/")[0] if "/" in source else ""
