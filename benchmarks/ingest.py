"""Measure the running gate end to end, and compare it with decoding and models alone.

    OMP_NUM_THREADS=1 python -m benchmarks.ingest [--photos 1000] [--singles 12] [--soak-minutes 3]

Enrols the made-up school of the test photos and starts the gate as a separate program with one
worker for each core. It copies single event photos to the inbox, one after the other, then all
others at once, and waits until all are decided and the released ones are published. If there are
too few photos, it repeats them with other bytes at the end. Then it measures the idle gate.
Decoding and models alone are measured on an even sample of the photos. Costs are processor seconds;
minutes and latencies are by the clock and depend on other programs.
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.data import SHARED
from benchmarks.ingest_alone import BaselineCost, measure_baseline
from benchmarks.machine import heading
from benchmarks.processes import Spent, children, memory_of, spent_by
from benchmarks.speed import gallery_home
from consent_gate.bootstrap import configure_django, open_home
from consent_gate.home.home import Home

ROOT = Path(__file__).parents[1]
CORES = len(os.sched_getaffinity(0))
SAMPLE = 100
"""Number of photos with which decoding and models alone are measured."""


def photos(count: int) -> list[bytes]:
    """Event photos of the made-up school; repeats have other bytes after the picture's end."""
    files = sorted(p for p in (SHARED / "school" / "events").rglob("*") if p.is_file())
    step = max(1, len(files) // count)
    chosen = [path.read_bytes() for path in files[::step]][:count]
    return [chosen[n % len(chosen)] + b"\n%d" % (n // len(chosen)) for n in range(count)]


def run_gate(root: str) -> None:
    """Run the gate without its web server until SIGTERM."""
    from ingest.runtime.runner import run_gate

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_gate(open_home(Path(root)), stop)
    gc.freeze()  # as ``consent-gate run`` ends


def wait_until_idle(gate: int) -> None:
    """Wait for three idle seconds, when the models are loaded. Raises OSError if it has ended."""
    idle_seconds = 0
    while idle_seconds < 3:
        before = spent_by(gate)
        time.sleep(1)
        is_idle = spent_by(gate).since(before).total < 0.1
        idle_seconds = idle_seconds + 1 if is_idle and len(children(gate)) >= CORES else 0


def wait_until_done(gate: int, count: int) -> list[tuple[float, float]]:
    """Wait until all is decided and published.

    Returns the MB of the gate and of its largest worker for every second.
    """
    from consent_gate.db.models import Item, ItemState, Publication, PublicationState

    memory = []
    while True:
        memory.append(memory_of(gate, "VmRSS"))
        decided = Item.objects.filter(state=ItemState.DECIDED).count()
        moving = Publication.objects.exclude(state=PublicationState.LIVE).exists()
        if decided >= count and not moving:
            return memory
        time.sleep(1)


def latencies(home: Home, folder: str) -> np.ndarray:
    """Seconds from the end of the settling time to the verdict, of the files of this folder."""
    from consent_gate.db.models import InboxSighting

    rows = InboxSighting.objects.filter(source__startswith=f"{folder}/")
    times = rows.values_list("modified_ns", "item__decided_at")
    settle = home.settings.inbox.settle_seconds
    return np.array([at.timestamp() - changed / 1e9 - settle for changed, at in times if at])


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=1000)
    parser.add_argument("--singles", type=int, default=12, help="photos copied one by one")
    parser.add_argument(
        "--soak-minutes", type=float, default=3, help="time to measure the idle gate"
    )
    parser.add_argument("--gate", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    configure_django()
    if asked.gate:
        run_gate(asked.gate)
        return
    print(heading(f"{asked.photos} photos end to end, {CORES} workers"), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), asked.photos, asked.singles, asked.soak_minutes)


def measure(folder: Path, count: int, singles: int, soak_minutes: float) -> None:
    from consent_gate.db.models import Item

    home = gallery_home(folder / "home")
    files = photos(count + singles)
    command = [sys.executable, "-m", "benchmarks.ingest", "--gate", str(home.root)]
    program = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_until_idle(program.pid)
        drop_singles(home, program.pid, files[:singles])  # the models are warm after these
        spent = drop_all(home, program.pid, files[singles:], singles)
        soak(program.pid, soak_minutes)
        began = time.monotonic()
        program.terminate()
        program.wait()
        print(f"stopped in {time.monotonic() - began:.1f} s", flush=True)
    finally:
        program.kill()
    ids = list(Item.objects.order_by("source").values_list("pk", flat=True))
    sample = ids[:: max(1, len(ids) // SAMPLE)]
    report(measure_baseline(home.root, sample, CORES), spent, count, len(sample))


def drop_all(home: Home, gate: int, files: list[bytes], before: int) -> Spent:
    """Copy all files at once; return the processor seconds."""
    from consent_gate.db.models import Publication

    start, began = spent_by(gate), time.monotonic()
    staging = home.root / "staging"
    staging.mkdir()
    for number, data in enumerate(files):
        (staging / f"{number:04}.jpg").write_bytes(data)
    shutil.move(staging, home.inbox / "event")
    memory = wait_until_done(gate, before + len(files))
    minutes, spent = (time.monotonic() - began) / 60, spent_by(gate).since(start)
    busy = spent.total / (minutes * 60 * CORES)
    out, peak = Publication.objects.count(), memory_of(gate, "VmHWM")
    print(f"{len(files) / minutes:.1f} photos a minute, {out} pictures out; ", end="")
    print(f"{100 * busy:.0f} % of {CORES} cores used, load {os.getloadavg()[0]:.1f} at the end")
    print_latency("all dropped at once", latencies(home, "event"))
    print(f"peak memory: gate {peak[0]:.0f} MB, largest worker {peak[1]:.0f} MB")
    first, *_, last = (third.mean(0) for third in np.array_split(np.array(memory), 3))
    print(f"mean of first and last third: gate {first[0]:.0f}, {last[0]:.0f} MB; ", end="")
    print(f"largest worker {first[1]:.0f}, {last[1]:.0f} MB", flush=True)
    return spent


def drop_singles(home: Home, gate: int, files: list[bytes]) -> None:
    """Copy one photo at a time, each when the one before is published."""
    for number, data in enumerate(files, 1):
        partly = home.root / "single.jpg"
        partly.write_bytes(data)
        (home.inbox / "singles").mkdir(exist_ok=True)
        partly.rename(home.inbox / f"singles/{number}.jpg")
        wait_until_done(gate, number)
    if files:
        print_latency("dropped one by one", latencies(home, "singles"))


def print_latency(what: str, waited: np.ndarray) -> None:
    middle, most = np.percentile(waited, (50, 95))
    print(f"settled file to verdict, {what}: median {middle:.1f} s, 95 % within {most:.1f} s")


def soak(gate: int, minutes: float) -> None:
    """Measure processor time and memory of the idle gate."""
    wait_until_idle(gate)
    start, began = spent_by(gate), time.monotonic()
    days, used = [], []
    while (passed := time.monotonic() - began) < minutes * 60:
        days.append(passed / 86_400)
        used.append(sum(memory_of(gate, "VmRSS")))
        time.sleep(5)
    busy = spent_by(gate).since(start).total
    print(
        f"idle for {minutes:g} minutes: {100 * busy / (minutes * 60):.2f} % of one core; ",
        end="",
    )
    growth = np.polyfit(days, used, 1)[0] if len(days) > 2 else 0.0
    print(f"memory {used[0]:.1f} -> {used[-1]:.1f} MB, ", end="")
    print(f"by a straight line {growth:+.0f} MB a day (a rough estimate: the time is short)")


def report(alone: BaselineCost, spent: Spent, count: int, sample: int) -> None:
    """Print the processor time a photo and the share that the pipeline adds."""
    gate, workers = spent.program / count, spent.workers / count
    exclude = workers - alone.models - alone.preview - alone.renditions
    print(f"\nprocessor seconds a photo (alone: {sample} of the photos, {CORES} at a time):")
    rate = alone.photos_a_minute
    print(f"  decoding and models alone          {alone.models:.3f}  {rate:.1f} a minute")
    print(f"  previews for staff, alone          {alone.preview:.3f}")
    print(f"  rendering and verification, alone  {alone.renditions:.3f}")
    print(f"  the gate's workers, everything     {workers:.3f}")
    print(f"  the gate's own process             {gate:.3f}")
    own = 100 * (gate + exclude) / alone.models
    print(f"pipeline over decoding and models: {own:+.1f} %")
    everything = 100 * ((gate + workers) / alone.models - 1)
    print(f"with previews, rendering and verification: {everything:+.1f} %")


if __name__ == "__main__":
    main()
