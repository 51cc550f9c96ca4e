"""Read the processor time and memory of a program and its workers from /proc."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Spent:
    """Processor seconds of a program and of its workers, including workers that have ended."""

    program: float
    workers: float

    def since(self, before: Spent) -> Spent:
        """Processor seconds since an earlier measurement."""
        return Spent(self.program - before.program, self.workers - before.workers)

    @property
    def total(self) -> float:
        return self.program + self.workers


def spent_by(pid: int) -> Spent:
    """Processor seconds until now. Raises OSError if the program has ended."""
    own, ended = _times(pid)
    return Spent(own, ended + sum(sum(_times(child)) for child in children(pid)))


def memory_of(pid: int, field: str) -> tuple[float, float]:
    """MB of the program and of its largest worker. ``field``: ``VmRSS`` or ``VmHWM`` of proc(5)."""
    of_workers = [_status(child, field) for child in children(pid)]
    return _status(pid, field), max(of_workers, default=0.0)


def children(pid: int) -> list[int]:
    """Process ids of the children. Raises OSError if the program has ended."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):  # a thread that has just ended
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _times(pid: int) -> tuple[float, float]:
    """Processor seconds of the process, and of its children that have ended. Raises OSError."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    if fields[0] == "Z":
        raise ProcessLookupError("the program ended by itself")
    user, system, ended_user, ended_system = (int(f) / TICKS for f in fields[11:15])
    return user + system, ended_user + ended_system


def _status(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return 0.0
