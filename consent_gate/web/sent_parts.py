"""Remember which bytes of a film were sent to whom, so that nobody says "heard" of sound unsent.

The memory is that of this process. After a restart staff play a part again.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

MOST_FILMS = 500
"""Films of one person each that are remembered; the oldest is forgotten first."""


@dataclass(frozen=True)
class SentFilm:
    """A film that is sent to one person."""

    user: int
    item: str
    written: str
    """``PartReader.written`` of its file in the vault: another examination writes another file,
    which may have as many bytes."""


@dataclass(eq=False)
class SentParts:
    """The bytes that were sent of each film."""

    _ranges: OrderedDict[SentFilm, list[tuple[int, int]]] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, film: SentFilm, start: int, end: int) -> None:
        """Remember that the bytes from ``start`` up to, not including, ``end`` are sent."""
        if start >= end:
            return
        with self._lock:
            joint: list[tuple[int, int]] = []
            for begin, until in sorted([*self._ranges.get(film, ()), (start, end)]):
                if joint and begin <= joint[-1][1]:
                    joint[-1] = (joint[-1][0], max(joint[-1][1], until))
                else:
                    joint.append((begin, until))
            self._ranges[film] = joint
            self._ranges.move_to_end(film)
            while len(self._ranges) > MOST_FILMS:
                self._ranges.popitem(last=False)

    def has(self, film: SentFilm, start: int, end: int) -> bool:
        """Return whether all of these bytes were sent."""
        with self._lock:
            sent = self._ranges.get(film, ())
            return any(begin <= start and end <= until for begin, until in sent)


SENT = SentParts()
"""What this process sent."""
