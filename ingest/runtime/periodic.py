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
from ingest.runtime.faults import DatabaseCorrupt, classify_error

log = logging.getLogger("consent_gate")


class AnalysisWorkers(Analysis, Protocol):
    """An analysis that can be ended from another thread."""

    def terminate(self) -> None:
        """End at once."""
        ...


@dataclass(frozen=True)
class PeriodicTask:
    """Something else that has to be done again and again."""

    description: str
    """For the log."""
    interval: float
    """Seconds."""
    run: Callable[[Home, AnalysisWorkers | None], object]
    """Without a pool where worker machines make the pictures, or nothing can be examined now."""


@dataclass
class ScheduledTask:
    """When a chore is due next; one that fails waits for its next turn."""

    task: PeriodicTask
    next: float = field(default_factory=time.monotonic)

    def run_if_due(self, home: Home, pool: AnalysisWorkers | None) -> None:
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + self.task.interval
        try:
            self.task.run(home, pool)
        except Exception as error:
            if isinstance(classify_error(error), DatabaseCorrupt):
                raise
            log.exception("%s did not succeed and is tried again.", self.task.description)
