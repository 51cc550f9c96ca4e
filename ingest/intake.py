"""Which files of the inbox are taken, and when: looked at, waited for, claimed when they are ready.

What claiming a file means is in ``ingest.inbox.claim``.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from consent_gate.db.models import InboxSighting
from consent_gate.errors import StorageFull
from consent_gate.home.filesystem import is_disk_full, is_read_only
from consent_gate.home.home import Home
from ingest.decoding.completeness import is_complete
from ingest.inbox.claim import claim, dispose_of_inbox_file, open_regular_file
from ingest.inbox.scanner import InboxFile, InboxScan, is_unchanged, scan_inbox, unreadable_reason
from ingest.inbox.stability import MAX_WAIT, NotReadyReason, PendingFile, StabilityTracker

MAX_CLEARED_PER_SCAN = 20

SMALL_DROP = 100
"""Files below one top folder: a school's event has 100-300 photos, copied over minutes."""

MAX_BYTES_CHECKED = 64 << 20
"""Bytes of a file of which the end is looked for before it is taken; photos are smaller."""


@dataclass(frozen=True)
class IntakeResult:
    """What one look through the inbox came to."""

    new: int = 0
    known: int = 0
    """Files whose bytes are an item already."""
    not_ready: tuple[str, ...] = ()
    """Files still changing or unreadable: looked at again next time."""


def intake_once(home: Home) -> IntakeResult:
    """Make an item of every settled file that is not one yet; waits once for the young ones.

    A file that is empty or cut short is taken as it is, to be held. Raises StorageFull or
    InboxUnavailable.
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
    """The inbox of one home as this process knows it."""

    def __init__(
        self, home: Home, patience: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``patience``: seconds that a file which ends too early may take to become whole."""
        self._home = home
        self._patience = patience
        self._clock = clock
        self._stability = StabilityTracker(home.settings.inbox.settle_seconds)
        self._found: dict[str, InboxFile] = {}
        self._clear_next: dict[str, float] = {}
        # Hashes alone: the names of a trust's archive of a million photos would not fit.
        rows = InboxSighting.objects.values_list("source", "size", "modified_ns")
        self._known = {hash(row) for row in rows.iterator()}

    def scan(self) -> None:
        """See what is in the inbox now. Raises InboxUnavailable."""
        contents = scan_inbox(self._home.inbox)
        now = self._clock()
        fresh = [c for c in contents.files if _state(c) not in self._known]
        self._found = {candidate.source: candidate for candidate in fresh}
        self._stability.keep_only(self._found.keys() | contents.oddities.keys())
        for candidate in fresh:
            self._stability.observe(candidate.source, candidate.stat, now, self._age(candidate))
        self._note_oddities(contents, now)
        if self._home.settings.inbox.afterwards != "leave":
            self._clear_remaining([c for c in contents.files if c.source not in self._found])

    def touch(self, source: str) -> None:
        """The file system told of a change of this file."""
        self._stability.touch(source, self._clock())

    def claim_due(
        self,
        limit: int | None = None,
        capacity: int | None = None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> IntakeResult:
        """Claim what is due, at most so many, small drops first. Raises StorageFull.

        ``capacity``: how many may be taken of a large drop; a small one is always taken.
        """
        new = known = 0
        for candidate in self._due(capacity)[:limit]:
            if should_stop():
                break
            created = self._try(candidate)
            new += created is True
            known += created is False
        return IntakeResult(new, known)

    def next_due(self) -> float | None:
        """Seconds until a file may be due; None when none will be."""
        return self._stability.next_due(self._clock())

    def pending_files(self) -> list[PendingFile]:
        """What was seen and not taken, for the status page."""
        return self._stability.pending_files(self._clock())

    def unfinished(self) -> list[str]:
        """Files that could not be taken yet, apart from links and those still named as copies."""
        oddities = (NotReadyReason.NOT_A_FILE, NotReadyReason.COPYING)
        return [w.source for w in self.pending_files() if w.reason not in oddities]

    def _note_oddities(self, contents: InboxScan, now: float) -> None:
        for source, why in contents.oddities.items():
            self._stability.observe_unreadable(source, why, now)

    def _age(self, candidate: InboxFile) -> float:
        """How long a file was quiet before its first look; only a single run relies on it.

        The change time counts as well: copying programs set the date of the copy back.
        """
        if self._patience:
            return 0.0
        latest = max(candidate.stat.modified_ns, candidate.stat.changed_ns) / 1e9
        return max(0.0, self._home.clock().timestamp() - latest)

    def _due(self, capacity: int | None) -> list[InboxFile]:
        """Files to try now: those of small top folders before those of an archive."""
        due = [self._found[s] for s in self._stability.due(self._clock()) if s in self._found]
        sizes = Counter(_top(candidate.source) for candidate in due)
        due.sort(key=lambda c: (sizes[_top(c.source)], c.stat.modified_ns, c.source))
        small = [c for c in due if sizes[_top(c.source)] <= SMALL_DROP]
        large = due[len(small) :]
        return small + (large if capacity is None else large[: max(0, capacity - len(small))])

    def _try(self, candidate: InboxFile) -> bool | None:
        """Claim one file, or put it off. True: a new item; False: known; None: not yet."""
        created = None
        try:
            why = self._not_yet(candidate) if is_unchanged(candidate) else NotReadyReason.CHANGED
            if why is None:
                created = claim(self._home, candidate)
                why = NotReadyReason.CHANGED if created is None else None
        except OSError as error:
            if is_disk_full(error) or is_read_only(error):
                raise StorageFull("There is no room left to take photos in.") from error
            why = unreadable_reason(error)
        if why is not None:
            self._stability.defer(candidate.source, why, self._clock())
            return None
        self._stability.forget(candidate.source)
        self._known.add(_state(candidate))
        return created

    def _not_yet(self, candidate: InboxFile) -> NotReadyReason | None:
        """Why a file that was quiet may still be on its way. Raises OSError."""
        if self._stability.idle_seconds(candidate.source, self._clock()) >= self._patience:
            return None
        if candidate.stat.size == 0:
            return NotReadyReason.EMPTY
        if candidate.stat.size > MAX_BYTES_CHECKED:
            return None
        with open_regular_file(candidate) as file:
            return None if is_complete(file.read()) else NotReadyReason.CUT_SHORT

    def _clear_remaining(self, taken: list[InboxFile]) -> None:
        """Files that were taken, but not cleared away: the program stopped, or was not allowed.

        A few at each look; one that still cannot be cleared waits for a while.
        """
        now = self._clock()
        due = [c for c in taken if self._clear_next.get(c.source, now) <= now]
        for candidate in due[:MAX_CLEARED_PER_SCAN]:
            seen = (
                InboxSighting.objects.select_related("item").filter(source=candidate.source).first()
            )
            if seen is not None:
                dispose_of_inbox_file(self._home, candidate, seen.item)
            self._clear_next[candidate.source] = now + MAX_WAIT


def _state(candidate: InboxFile) -> int:
    return hash((candidate.source, candidate.stat.size, candidate.stat.modified_ns))


def _top(source: str) -> str:
    return source.partition("/")[0] if "/" in source else ""
