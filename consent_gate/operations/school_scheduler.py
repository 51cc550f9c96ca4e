"""Whose turn it is at a machine that works for several schools.

The school whose next job is the most urgent goes first; among equals, the one served longest ago.
So photos dropped in at one school never wait behind another's archive, and no school can keep the
others from their turn by having many. Each turn is a program of its own, that opens one home and
ends: nothing of one school is in the memory of a program that works for another.
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
"""How long a school is served while another has work as urgent. Starting a turn costs 2.4 seconds,
1.5 to load the program and 0.9 until two workers give their first answers (2026-11-22, two cores
with little else to do): less than a tenth of a turn."""

RANK_CHECK_INTERVAL = 3.0
"""How often the schools are asked what waits, by one short connection each."""

MAX_SHARE_CHECKING = 0.05
"""With many schools the looks come less often, so that they cost no more of the time."""

FAILURE_PAUSE_SECONDS = 60.0
"""How long a school whose turn failed is left alone: it may be the machine, or its server."""


@dataclass
class SchoolScheduler:
    """Who was served when. Pure: times are the caller's."""

    served: dict[str, float] = field(default_factory=dict)
    """When the last turn of each school began."""
    resting: dict[str, float] = field(default_factory=dict)
    """Until when a school is left alone."""

    def next(self, ranks: Mapping[str, int], now: float) -> str | None:
        """The school to serve, of those with work: the most urgent, then the longest unserved."""
        ready = [name for name in ranks if self.resting.get(name, now) <= now]
        if not ready:
            return None
        return min(ready, key=lambda name: (-ranks[name], self.served.get(name, -1.0), name))

    def should_preempt(self, serving: str, ranks: Mapping[str, int], now: float) -> bool:
        """Whether another's work is more urgent; or as urgent, and this one had its time."""
        mine = ranks.get(serving)
        others = [
            rank
            for name, rank in ranks.items()
            if name != serving and self.resting.get(name, now) <= now
        ]
        if mine is None or not others:
            return False  # it ends by itself, or nobody else waits
        had_its_time = now - self.served[serving] >= TURN_SECONDS
        return max(others) > mine or (max(others) == mine and had_its_time)


def serve_schools(trust: Trust, stop: Event, processes: int) -> None:
    """Work for all schools until told to stop, then let the turn under way end gently."""
    scheduler = SchoolScheduler()
    while not stop.is_set():
        began = time.monotonic()
        school = scheduler.next(ranks_of(trust), time.monotonic())
        if school is None:
            stop.wait(_pause(began))
            continue
        scheduler.served[school] = time.monotonic()
        if not _serve(trust, school, scheduler, stop, processes):
            scheduler.resting[school] = time.monotonic() + FAILURE_PAUSE_SECONDS


def ranks_of(trust: Trust) -> dict[str, int]:
    """For each school with work for us, the rank of its next job."""
    ranks = {}
    for name, root in trust.schools.items():
        try:
            rank = (
                jobs.next_job_priority() if jobs.uses_remote_workers(open_summary(root)) else None
            )
        except (GateError, DatabaseError) as error:
            log.error("%s cannot be looked at: %s.", name, type(error).__name__)
            continue
        finally:
            connection.close()
        if rank is not None:
            ranks[name] = rank
    return ranks


def _serve(
    trust: Trust, school: str, scheduler: SchoolScheduler, stop: Event, processes: int
) -> bool:
    """Serve one school until it has no work, or must yield. False when the program failed."""
    turn = _start(trust.schools[school], processes)
    try:
        while turn.poll() is None:
            began = time.monotonic()
            yields = scheduler.should_preempt(school, ranks_of(trust), began)
            if stop.is_set() or yields:
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
    """Seconds until the next look through all schools."""
    took = time.monotonic() - began
    return max(RANK_CHECK_INTERVAL, took / MAX_SHARE_CHECKING)
