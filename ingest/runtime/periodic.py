"""What the running gate does now and then besides looking at photos.

Those who own a chore lie above this package, so it is handed in by the command that starts the
gate. A chore that fails is logged and has its next turn as if it had not.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from consent_gate.home.home import Home
from ingest.pipeline import Analysis
from ingest.runtime.faults import DatabaseDamaged, explain

log = logging.getLogger("consent_gate")


class Pool(Analysis, Protocol):
    """An analysis that can be ended from another thread."""

    def dismiss(self) -> None:
        """End at once."""
        ...


@dataclass(frozen=True)
class Chore:
    """Something else that has to be done again and again."""

    what: str
    """For the log."""
    every: float
    """Seconds."""
    do: Callable[[Home, Pool | None], object]
    """Without a pool where worker machines make the pictures, or nothing can be examined now."""


@dataclass
class Turn:
    """When a chore is due next; one that fails waits for its next turn."""

    chore: Chore
    next: float = field(default_factory=time.monotonic)

    def take(self, home: Home, pool: Pool | None) -> None:
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + self.chore.every
        try:
            self.chore.do(home, pool)
        except Exception as error:
            if isinstance(explain(error), DatabaseDamaged):
                raise
            log.exception("%s did not succeed and is tried again.", self.chore.what)
