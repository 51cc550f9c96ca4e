"""Share a worker machine between several schools, one school at a time.

The school whose next job is the most urgent is served first; among equals, the school that has
waited longest. New photos of one school therefore never wait behind another school's archive, and
a school with many photos cannot block the others. Each turn is a separate process that opens one
home and ends, so no process ever holds data of two schools in memory.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from django.db import DatabaseError, connection

from consent_gate.db import jobs
from consent_gate.errors import GateError
from consent_gate.operations.trust import Trust, open_summary

log = logging.getLogger("consent_gate")

TURN_SECONDS = 30.0
"""How long a school is served while another school has equally urgent work.

Starting a turn takes 2.4 seconds: 1.5 to load the program and 0.9 until two workers give their
first results (measured 2026-11-22 on two idle cores). That is less than a tenth of a turn."""

RANK_CHECK_INTERVAL = 3.0
"""Seconds between two checks of what waits at the schools, by one short connection each."""

MAX_SHARE_CHECKING = 0.05
"""Largest share of the time spent on these checks; with many schools they happen less often."""

FAILURE_PAUSE_SECONDS = 60.0
"""How long a school is skipped after its turn failed."""


@dataclass
class SchoolScheduler:
    """Chooses which school to serve. Pure: the caller passes monotonic times in seconds."""

    served: dict[str, float] = field(default_factory=dict)
    """When the last turn of each school began."""
    paused_until: dict[str, float] = field(default_factory=dict)
    """Time until which a school is skipped."""

    def next(self, ranks: Mapping[str, int], now: float) -> str | None:
        """The school to serve next; None when no school with work is ready.

        ``ranks`` holds the rank of the next job of each school with work; higher is more urgent.
        """
        ready = [name for name in ranks if self.paused_until.get(name, now) <= now]
        if not ready:
            return None
        return min(ready, key=lambda name: (-ranks[name], self.served.get(name, -1.0), name))

    def should_preempt(self, serving: str, ranks: Mapping[str, int], now: float) -> bool:
        """Whether to end the turn of ``serving`` for another school.

        True when another school's work is more urgent, or as urgent and the turn has lasted
        TURN_SECONDS.
        """
        mine = ranks.get(serving)
        others = [
            rank
            for name, rank in ranks.items()
            if name != serving and self.paused_until.get(name, now) <= now
        ]
        if mine is None or not others:
            return False  # the turn ends by itself, or no other school waits
        had_its_time = now - self.served[serving] >= TURN_SECONDS
        return max(others) > mine or (max(others) == mine and had_its_time)


def serve_schools(trust: Trust, stop: Event, processes: int) -> None:
    """Work for all schools until ``stop`` is set, then end the current turn in good order.

    ``processes`` is the number of worker processes of a turn.
    """
    scheduler = SchoolScheduler()
    while not stop.is_set():
        began = time.monotonic()
        school = scheduler.next(ranks_of(trust), time.monotonic())
        if school is None:
            stop.wait(_pause(began))
            continue
        scheduler.served[school] = time.monotonic()
        if not _serve(trust, school, scheduler, stop, processes):
            scheduler.paused_until[school] = time.monotonic() + FAILURE_PAUSE_SECONDS


def ranks_of(trust: Trust) -> dict[str, int]:
    """The rank of the next job of each school that has jobs for worker machines."""
    ranks = {}
    for name, root in trust.schools.items():
        try:
            rank = (
                jobs.next_job_priority() if jobs.uses_remote_workers(open_summary(root)) else None
            )
        except (GateError, DatabaseError) as error:
            log.error("The jobs of %s cannot be read: %s.", name, type(error).__name__)
            continue
        finally:
            connection.close()
        if rank is not None:
            ranks[name] = rank
    return ranks


def _serve(
    trust: Trust, school: str, scheduler: SchoolScheduler, stop: Event, processes: int
) -> bool:
    """Serve one school until it has no work, or is preempted. False when the process failed."""
    turn = _start(trust.schools[school], processes)
    try:
        while turn.poll() is None:
            began = time.monotonic()
            preempted = scheduler.should_preempt(school, ranks_of(trust), began)
            if stop.is_set() or preempted:
                turn.terminate()
                break
            _wait_for(turn, stop, _pause(began))
    finally:
        code = turn.wait()
    return code == 0


def _start(root: Path, processes: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "consent_gate", "--home", str(root), "worker", "--until-done"]
    return subprocess.Popen([*command, "--processes", str(processes)])


def _wait_for(turn: subprocess.Popen[bytes], stop: Event, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and turn.poll() is None and not stop.wait(0.2):
        pass


def _pause(began: float) -> float:
    """Seconds until the next check of all schools; ``began`` is when the last check began."""
    took = time.monotonic() - began
    return max(RANK_CHECK_INTERVAL, took / MAX_SHARE_CHECKING)
