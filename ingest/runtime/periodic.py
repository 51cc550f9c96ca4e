"""Tasks that the running gate does at intervals beside examining photos.

The functions lie in packages above this one, so the command that starts the gate passes them in. A
task that fails is logged and runs again after its interval.
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
    """An analysis that another thread can terminate."""

    def terminate(self) -> None:
        """Kill the workers at once."""
        ...


@dataclass(frozen=True)
class PeriodicTask:
    """A function to call at intervals."""

    description: str
    """For the log."""
    interval: float
    """Seconds."""
    run: Callable[[Home, AnalysisWorkers | None], object]
    """The pool is None where worker machines render pictures, or while no examination is
    possible."""


@dataclass
class ScheduledTask:
    """A periodic task and when it is due next."""

    task: PeriodicTask
    next_run: float = field(default_factory=time.monotonic)
    """Monotonic time in seconds."""

    def run_if_due(self, home: Home, pool: AnalysisWorkers | None) -> None:
        """Run the task if it is due; log a failure.

        Raises:
            Exception: The failure shows that the database is damaged; the error is passed on.
        """
        if time.monotonic() < self.next_run:
            return
        self.next_run = time.monotonic() + self.task.interval
        try:
            self.task.run(home, pool)
        except Exception as error:
            if isinstance(classify_error(error), DatabaseCorrupt):
                raise
            log.exception("%s failed and is tried again later.", self.task.description)
