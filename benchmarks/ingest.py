"""Photos through the running gate, end to end, beside the raw cost of the same decoding and models.

    OMP_NUM_THREADS=1 nice -n 5 python -m benchmarks.ingest [--photos 1000] [--idle 60]

Enrols the made-up school of ../shared/data, starts the gate as a program of its own with one
worker, drops its event photos (again and again with other bytes at the end until there are enough)
and waits until each is decided and what was cleared is out. Costs are seconds of processor time,
which other programs on the machine hardly change; minutes and latencies are of the clock.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.data import SHARED
from benchmarks.machine import heading
from benchmarks.speed import gallery_home
from consent_gate.bootstrap import Home, open_home, prepare_django

TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Spent:
    """Processor seconds of the gate, with workers that have ended since."""

    gate: float
    workers: float


def photos(count: int) -> list[bytes]:
    """Event photos of the made-up school; repeats differ in bytes behind the picture's end."""
    files = sorted(p for p in (SHARED / "school" / "events").rglob("*") if p.is_file())
    step = max(1, len(files) // count)
    some = [path.read_bytes() for path in files[::step]][:count]
    return [some[n % len(some)] + b"\n%d" % (n // len(some)) for n in range(count)]


def raw_cost(home: Home, files: list[bytes]) -> float:
    """Processor seconds of decoding and the models alone, in this process."""
    from consent_gate.db.register_store import load_gallery
    from consent_gate.db.threshold_store import thresholds_in_force
    from ingest import worker
    from ingest.decode import DecodeLimits, decode
    from ingest.worker import Setup

    gallery, limits = load_gallery(home), DecodeLimits()
    worker.start(Setup(gallery, thresholds_in_force(), limits, 0))
    analyser = worker._models().analyser
    analyser.analyse(decode(files[0], limits).rgb, gallery)
    before = time.process_time()
    for data in files:
        analyser.analyse(decode(data, limits).rgb, gallery)
    return time.process_time() - before


def run_gate(root: str) -> None:
    """The gate without its web server, as a program: what ``consent-gate run`` keeps running."""
    from ingest.runner import keep_running

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    keep_running(open_home(Path(root)), stop)


def spent_by(gate: int) -> Spent:
    own, ended = _times(gate)
    return Spent(own, ended + sum(sum(_times(pid)) for pid in _children(gate)))


def memory_of(gate: int, field: str) -> tuple[float, float]:
    """MB of the gate, and of its largest worker: ``VmRSS`` or ``VmHWM`` of /proc."""
    of_workers = [_status(pid, field) for pid in _children(gate)]
    return _status(gate, field), max(of_workers, default=0.0)


def _times(pid: int) -> tuple[float, float]:
    """Of the process, and of those it has seen off. Raises OSError."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    if fields[0] == "Z":
        raise ProcessLookupError("the gate ended by itself")
    user, system, ended_user, ended_system = (int(f) / TICKS for f in fields[11:15])
    return user + system, ended_user + ended_system


def _children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _status(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def wait_until_idle(gate: int) -> None:
    """Until models are loaded: a few seconds without work. Raises OSError if it ended."""
    quiet = 0
    while quiet < 3:
        before = spent_by(gate)
        time.sleep(1)
        after = spent_by(gate)
        busy = after.gate + after.workers - before.gate - before.workers
        quiet = quiet + 1 if busy < 0.1 and _children(gate) else 0


def wait_until_done(gate: int, count: int) -> list[tuple[float, float]]:
    """Until all is decided and out. Memory of gate and worker every second meanwhile."""
    from consent_gate.db.models import Item, ItemState, Publication, PublicationState

    memory = []
    while True:
        memory.append(memory_of(gate, "VmRSS"))
        decided = Item.objects.filter(state=ItemState.DECIDED).count()
        moving = Publication.objects.exclude(state=PublicationState.LIVE).exists()
        if decided >= count and not moving:
            return memory
        time.sleep(1)


def latencies(home: Home) -> np.ndarray:
    """Seconds from a settled file to its verdict."""
    from consent_gate.db.models import Sighting

    rows = Sighting.objects.values_list("modified_ns", "item__decided_at")
    settle = home.settings.inbox.settle_seconds
    return np.array([decided.timestamp() - changed / 1e9 - settle for changed, decided in rows])


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--idle", type=int, default=60, help="seconds to watch it idle")
    parser.add_argument("--gate", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    prepare_django()
    if asked.gate:
        run_gate(asked.gate)
        return
    print(heading(f"{asked.photos} photos end to end, one worker"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), asked.photos, asked.idle)


def measure(folder: Path, count: int, idle: int) -> None:
    from consent_gate.db.models import Item, Publication

    home = gallery_home(folder / "home")
    settings = home.root / "consent-gate.toml"
    settings.write_text(settings.read_text().replace("workers = 0", "workers = 1"))
    files = photos(count)
    command = [sys.executable, "-m", "benchmarks.ingest", "--gate", str(home.root)]
    program = subprocess.Popen(command, cwd=ROOT)
    wait_until_idle(program.pid)
    start, began = spent_by(program.pid), time.monotonic()
    staging = home.root / "staging"
    staging.mkdir()
    for number, data in enumerate(files):
        (staging / f"{number:04}.jpg").write_bytes(data)
    shutil.move(staging, home.inbox / "event")
    memory = wait_until_done(program.pid, count)
    minutes, end = (time.monotonic() - began) / 60, spent_by(program.pid)
    peak = memory_of(program.pid, "VmHWM")
    waited = latencies(home)
    print(f"{count / minutes:.1f} photos a minute, {Item.objects.count()} items, ", end="")
    print(f"{Publication.objects.count()} renditions out")
    print(f"settled file to verdict: median {np.median(waited):.1f} s, ", end="")
    print(f"95 % within {np.percentile(waited, 95):.1f} s, all dropped at once")
    print(f"peak memory: gate {peak[0]:.0f} MB, worker {peak[1]:.0f} MB")
    thirds = np.array_split(np.array(memory), 3)
    print(f"mean memory, first and last third: {thirds[0].mean(0)} {thirds[2].mean(0)} MB")
    watch_idle(program, idle)
    program.terminate()
    began = time.monotonic()
    program.wait()
    print(f"stopped in {time.monotonic() - began:.1f} s", flush=True)
    report(raw_cost(home, files), start, end, count)


def watch_idle(program: subprocess.Popen[bytes], seconds: int) -> None:
    wait_until_idle(program.pid)
    before, resting = spent_by(program.pid), memory_of(program.pid, "VmRSS")
    time.sleep(seconds)
    after, still = spent_by(program.pid), memory_of(program.pid, "VmRSS")
    busy = after.gate + after.workers - before.gate - before.workers
    print(f"idle for {seconds} s: {100 * busy / seconds:.2f} % of one core, ", end="")
    print(f"memory {sum(resting):.1f} -> {sum(still):.1f} MB")


def report(raw: float, start: Spent, end: Spent, count: int) -> None:
    """Processor time a photo, and what the pipeline adds."""
    gate, workers = end.gate - start.gate, end.workers - start.workers
    print("\nprocessor seconds a photo:")
    print(f"  decoding and models alone        {raw / count:.3f}")
    print(f"  workers, with preview, renditions {workers / count:.3f}")
    print(f"  everything else of the gate      {gate / count:.3f}")
    print(f"overhead of the gate itself: {100 * gate / raw:.1f} %")
    print(f"with previews, renditions and their proof: {100 * ((gate + workers) / raw - 1):.1f} %")


if __name__ == "__main__":
    main()
