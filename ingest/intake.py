"""Which files of the inbox are taken, and when: looked at, waited for, claimed when they are ready.

What claiming a file means is in ``ingest.inbox.claim``.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from consent_gate.db.models import Sighting
from consent_gate.errors import StorageFull
from consent_gate.home.filesystem import is_disk_full, is_read_only
from consent_gate.home.home import Home
from ingest.decoding.completeness import has_arrived
from ingest.inbox.claim import claim, clear_away, open_plain
from ingest.inbox.scanner import Candidate, Contents, look_again, look_through, why_unreadable
from ingest.inbox.stability import LONGEST_WAIT, Stability, Waiting, Why

CLEARED_AT_A_LOOK = 20

SMALL_DROP = 100
"""Files below one top folder: a school's event has 100-300 photos, copied over minutes."""

LARGEST_LOOKED_INTO = 64 << 20
"""Bytes of a file of which the end is looked for before it is taken; photos are smaller."""


@dataclass(frozen=True)
class TakenIn:
    """What one look through the inbox came to."""

    new: int = 0
    known: int = 0
    """Files whose bytes are an item already."""
    not_ready: tuple[str, ...] = ()
    """Files still changing or unreadable: looked at again next time."""


def take_in(home: Home) -> TakenIn:
    """Make an item of every settled file that is not one yet; waits once for the young ones.

    A file that is empty or cut short is taken as it is, to be held. Raises StorageFull or
    InboxAway.
    """
    intake = Intake(home, patience=0)
    intake.look()
    done = intake.take()
    if intake.next_due() is not None:
        time.sleep(home.settings.inbox.settle_seconds)
        intake.look()
        rest = intake.take()
        done = TakenIn(done.new + rest.new, done.known + rest.known)
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
        self._stability = Stability(home.settings.inbox.settle_seconds)
        self._found: dict[str, Candidate] = {}
        self._clear_next: dict[str, float] = {}
        # Hashes alone: the names of a trust's archive of a million photos would not fit.
        rows = Sighting.objects.values_list("source", "size", "modified_ns")
        self._known = {hash(row) for row in rows.iterator()}

    def look(self) -> None:
        """See what is in the inbox now. Raises InboxAway."""
        contents = look_through(self._home.inbox)
        now = self._clock()
        fresh = [c for c in contents.files if _state(c) not in self._known]
        self._found = {candidate.source: candidate for candidate in fresh}
        self._stability.keep_only(self._found.keys() | contents.oddities.keys())
        for candidate in fresh:
            self._stability.see(candidate.source, candidate.look, now, self._age(candidate))
        self._note_oddities(contents, now)
        if self._home.settings.inbox.afterwards != "leave":
            self._clear_remaining([c for c in contents.files if c.source not in self._found])

    def stir(self, source: str) -> None:
        """The file system told of a change of this file."""
        self._stability.stir(source, self._clock())

    def take(
        self,
        most: int | None = None,
        room: int | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> TakenIn:
        """Claim what is due, at most so many, small drops first. Raises StorageFull.

        ``room``: how many may be taken of a large drop; a small one is always taken.
        """
        new = known = 0
        for candidate in self._due(room)[:most]:
            if stopped():
                break
            created = self._try(candidate)
            new += created is True
            known += created is False
        return TakenIn(new, known)

    def next_due(self) -> float | None:
        """Seconds until a file may be due; None when none will be."""
        return self._stability.next_due(self._clock())

    def waiting(self) -> list[Waiting]:
        """What was seen and not taken, for the status page."""
        return self._stability.waiting(self._clock())

    def unfinished(self) -> list[str]:
        """Files that could not be taken yet, apart from links and those still named as copies."""
        oddities = (Why.NOT_A_FILE, Why.COPYING)
        return [w.source for w in self.waiting() if w.why not in oddities]

    def _note_oddities(self, contents: Contents, now: float) -> None:
        for source, why in contents.oddities.items():
            self._stability.see_trouble(source, why, now)

    def _age(self, candidate: Candidate) -> float:
        """How long a file was quiet before its first look; only a single run relies on it.

        The change time counts as well: copying programs set the date of the copy back.
        """
        if self._patience:
            return 0.0
        latest = max(candidate.look.modified_ns, candidate.look.changed_ns) / 1e9
        return max(0.0, self._home.clock().timestamp() - latest)

    def _due(self, room: int | None) -> list[Candidate]:
        """Files to try now: those of small top folders before those of an archive."""
        due = [self._found[s] for s in self._stability.due(self._clock()) if s in self._found]
        sizes = Counter(_top(candidate.source) for candidate in due)
        due.sort(key=lambda c: (sizes[_top(c.source)], c.look.modified_ns, c.source))
        small = [c for c in due if sizes[_top(c.source)] <= SMALL_DROP]
        large = due[len(small) :]
        return small + (large if room is None else large[: max(0, room - len(small))])

    def _try(self, candidate: Candidate) -> bool | None:
        """Claim one file, or put it off. True: a new item; False: known; None: not yet."""
        created = None
        try:
            why = self._not_yet(candidate) if look_again(candidate) else Why.CHANGED
            if why is None:
                created = claim(self._home, candidate)
                why = Why.CHANGED if created is None else None
        except OSError as error:
            if is_disk_full(error) or is_read_only(error):
                raise StorageFull("There is no room left to take photos in.") from error
            why = why_unreadable(error)
        if why is not None:
            self._stability.put_off(candidate.source, why, self._clock())
            return None
        self._stability.taken(candidate.source)
        self._known.add(_state(candidate))
        return created

    def _not_yet(self, candidate: Candidate) -> Why | None:
        """Why a file that was quiet may still be on its way. Raises OSError."""
        if self._stability.quiet_for(candidate.source, self._clock()) >= self._patience:
            return None
        if candidate.look.size == 0:
            return Why.EMPTY
        if candidate.look.size > LARGEST_LOOKED_INTO:
            return None
        with open_plain(candidate) as file:
            return None if has_arrived(file.read()) else Why.CUT_SHORT

    def _clear_remaining(self, taken: list[Candidate]) -> None:
        """Files that were taken, but not cleared away: the program stopped, or was not allowed.

        A few at each look; one that still cannot be cleared waits for a while.
        """
        now = self._clock()
        due = [c for c in taken if self._clear_next.get(c.source, now) <= now]
        for candidate in due[:CLEARED_AT_A_LOOK]:
            seen = Sighting.objects.select_related("item").filter(source=candidate.source).first()
            if seen is not None:
                clear_away(self._home, candidate, seen.item)
            self._clear_next[candidate.source] = now + LONGEST_WAIT


def _state(candidate: Candidate) -> int:
    return hash((candidate.source, candidate.look.size, candidate.look.modified_ns))


def _top(source: str) -> str:
    return source.partition("/")[0] if "/" in source else ""
