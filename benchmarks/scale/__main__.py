"""Measure worker machines: real photos, the queue alone, kills, and hosts in network namespaces.

    OMP_NUM_THREADS=1 python -m benchmarks.scale [real] [queue] [kill] [hosts] [--photos 48]
                                                 [--seconds 12] [--save FILE.json]

``real``   the made-up school's photos through 1, 2 and 4 worker processes
``queue``  1 to 64 workers that sleep instead of analysing: the limit of the database
``kill``   workers, gate and PostgreSQL killed at random; no photo may be lost or doubled
``hosts``  workers in network namespaces, each with its own path to the home; needs root

Rates are by the clock; costs are processor seconds, which depend less on other programs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.machine import heading
from consent_gate.bootstrap import configure_django
from consent_gate.home.home import Home

ROOT = Path(__file__).parents[2]
PARTS = ("real", "queue", "kill", "hosts")
SLEEP = 0.05
"""Seconds that a stand-in worker sleeps for a photo."""


def main() -> None:
    """Measure the selected parts, print the results, and save them if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--photos", type=int, default=48, help="number of real photos")
    parser.add_argument("--kill-files", type=int, default=300)
    parser.add_argument(
        "--seconds", type=float, default=12, help="time for each number of stand-in workers"
    )
    parser.add_argument("--save", type=Path)
    asked = parser.parse_args()
    asked.parts = asked.parts or list(PARTS)
    configure_django()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that server and workers are stopped
    title = heading("Worker machines")
    print(title, flush=True)
    measured: dict[str, Any] = {"machine": title.splitlines()[1]}
    for part in asked.parts:
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:
            measured[part] = globals()[f"measure_{part}"](Path(folder), asked)
    if asked.save:
        known = json.loads(asked.save.read_text()) if asked.save.exists() else {}
        known.update(
            {part: {**measured[part], "machine": measured["machine"]} for part in asked.parts}
        )
        asked.save.write_text(json.dumps(known, indent=1) + "\n")


def measure_real(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Measure photos a minute of 1, 2 and 4 worker processes, and the costs of a photo."""
    from benchmarks.ingest import photos
    from benchmarks.scale.school import durable_server, real_school
    from benchmarks.scale.sizes import bytes_a_photo, rows_bytes
    from consent_gate.db.models import Item
    from ingest.intake import intake_once

    with durable_server() as server:
        home = real_school(server, folder / "home")
        (home.inbox / "event").mkdir()
        for number, data in enumerate(photos(asked.photos)):
            (home.inbox / "event" / f"{number:04}.jpg").write_bytes(data)
        empty = rows_bytes()
        intake_once(home)
        print(f"{Item.objects.count()} photos of the school", flush=True)
        rows: list[dict[str, float]] = []
        sizes: dict[str, float] = {}
        for count in (1, 2, 4):
            row = _real_round(home, server, count)
            rows.append(row)
            sizes = sizes or bytes_a_photo(home, empty)
            row["efficiency"] = row["photos_a_minute"] / rows[0]["photos_a_minute"] / count
            print(
                f"{count} workers: {row['photos_a_minute']:.1f} photos a minute,"
                f" efficiency {row['efficiency']:.0%}; processor a photo: {row['worker_cpu']:.2f} s"
                f" workers, {row['server_cpu']:.3f} s PostgreSQL; load {row['load']:.1f}",
                flush=True,
            )
        return {"rows": rows, "bytes": sizes, "photos": Item.objects.count()}


def _real_round(home: Home, server: Any, count: int) -> dict[str, float]:
    """Measure from the moment all workers are busy to the last rendition."""
    from benchmarks.scale.school import requeue_all, spent, wait_until
    from consent_gate.db import jobs
    from consent_gate.db.models import Item

    requeue_all(home)
    total = Item.objects.count()
    command = [sys.executable, "-m", "consent_gate", "--home", str(home.root), "worker"]
    programs = [
        subprocess.Popen([*command, "--processes", "1"], stdout=subprocess.DEVNULL, cwd=ROOT)
        for _ in range(count)
    ]
    pids = [program.pid for program in programs]
    try:
        wait_until(lambda: jobs.live_workers() == count, 180)
        wait_until(lambda: jobs.queued_jobs()["live"] <= total - 2 * count, 180)
        before, began, left = spent(pids, server), time.monotonic(), _undone()
        wait_until(lambda: _undone() == 0 and jobs.running_jobs() == 0, 1800)
        seconds, used = time.monotonic() - began, spent(pids, server).since(before)
    finally:
        for program in programs:
            program.terminate()
        for program in programs:
            program.wait()
    return {
        "workers": count,
        "photos_a_minute": 60 * left / seconds,
        "worker_cpu": used.workers / left,
        "server_cpu": used.server / left,
        "load": os.getloadavg()[0],
    }


def _undone() -> int:
    from consent_gate.db import jobs
    from consent_gate.db.models import Item, ItemState

    return Item.objects.filter(state=ItemState.RECEIVED).count() + jobs.queued_jobs()["render"]


def measure_queue(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Measure photos a second with workers that sleep: the costs of the gate and the database.

    Every photo is held, so that rendering is not measured.
    """
    from benchmarks.scale.depth import fetch_times
    from benchmarks.scale.school import durable_server, empty_school, ingest_small_photos

    with durable_server() as server:
        home = empty_school(server, folder / "home", when_no_faces="hold")
        ingest_small_photos(home, int(80 * asked.seconds))
        rows = []
        for count in (1, 2, 4, 8, 16, 32, 64):
            row = _queue_round(home, server, count, asked.seconds)
            rows.append(row)
            print(
                f"{count:>2} stand-ins of {1000 * SLEEP:.0f} ms: {row['a_second']:.1f}"
                f" photos a second of {count / SLEEP:.0f} possible; processor a photo:"
                f" {1000 * row['worker_cpu']:.1f} ms workers, {1000 * row['server_cpu']:.1f} ms"
                f" PostgreSQL; load {row['load']:.1f}",
                flush=True,
            )
        hold = _time_in_the_lock(home, server)
        print(
            "recording a photo delays the school's other transactions by"
            f" {1000 * hold['clock']:.1f} ms by the clock,"
            f" of which {1000 * hold['processor']:.1f} ms are processor time"
        )
        depths = fetch_times()
        for depth, seconds in depths.items():
            print(f"taking a job while {int(depth):,} wait: {1000 * seconds:.1f} ms")
        return {"rows": rows, "sleep": SLEEP, "turn": hold, "fetch": depths}


def _queue_round(home: Home, server: Any, count: int, seconds: float) -> dict[str, float]:
    from benchmarks.scale.school import requeue_all, spent, wait_until
    from consent_gate.db import jobs
    from consent_gate.db.models import Item, ItemState

    requeue_all(home)
    programs, each = _split(count)
    command = [sys.executable, "-m", "benchmarks.scale.stand_in", str(home.root), str(each)]
    started = [subprocess.Popen([*command, str(SLEEP)], cwd=ROOT) for _ in range(programs)]
    pids, decided = [p.pid for p in started], Item.objects.filter(state=ItemState.DECIDED)
    try:
        wait_until(lambda: jobs.live_workers() == programs and decided.count() > 0, 180)
        before, began, first = spent(pids, server), time.monotonic(), decided.count()
        while time.monotonic() < began + seconds and _undone():
            time.sleep(0.2)
        done, took = decided.count() - first, time.monotonic() - began
        used = spent(pids, server).since(before)
    finally:
        for program in started:
            program.terminate()
        for program in started:
            program.wait()
    return {
        "workers": count,
        "a_second": done / took,
        "worker_cpu": used.workers / done,
        "server_cpu": used.server / done,
        "load": os.getloadavg()[0],
    }


def _split(count: int) -> tuple[int, int]:
    """Number of programs, and of stand-in workers in each. 64 programs would need 5 GB."""
    programs = min(count, 8)
    return programs, count // programs


def _time_in_the_lock(home: Home, server: Any) -> dict[str, float]:
    """Seconds for which recording one photo delays the school's other transactions.

    Returns the median by the clock, and the mean processor time including the server's.
    """
    from statistics import median

    from benchmarks.scale.school import requeue_all, spent
    from consent_gate.db.models import Item
    from consent_gate.model import Examined
    from consent_gate.register.gallery_version import gallery_version
    from ingest.examinations import record_examination
    from ingest.workers.examination import Examination

    requeue_all(home)
    stamp, times = gallery_version(home), []
    seen = Examination(Examined(96, 64, "0" * 64, (), text_side=10_000), b"p" * 200_000, lines=())
    items = list(Item.objects.values_list("pk", flat=True)[:100])
    before = spent([os.getpid()], server)
    for item_id in items:
        began = time.perf_counter()
        record_examination(home, item_id, seen, stamp)
        times.append(time.perf_counter() - began)
    used = spent([os.getpid()], server).since(before)
    return {"clock": median(times), "processor": (used.workers + used.server) / len(items)}


def measure_kill(_: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Run the test of killed machines with more photos."""
    test = "tests/scale/test_killed_machines.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "--timeout=3000", test],
        cwd=ROOT,
        env={**os.environ, "CONSENT_GATE_SCALE_KILL_FILES": str(asked.kill_files)},
        capture_output=True,
        text=True,
        check=False,
    )
    summary = re.search(r"^\d+ photos, killed: .*$", done.stdout, re.M)
    line = summary.group() if summary and not done.returncode else "FAILED"
    print(f"{line}; each photo must be stored, decided and in the audit log exactly once")
    return {"line": line, "passed": done.returncode == 0}


def measure_hosts(folder: Path, _: argparse.Namespace) -> dict[str, Any]:
    """Run workers that share only a network and the home's folder with the server."""
    from benchmarks.scale.hosts import NETWORK, SERVER, HostsImpossible, hosts
    from benchmarks.scale.school import (
        durable_server,
        empty_school,
        ingest_small_photos,
        wait_until,
    )
    from consent_gate.db import jobs

    with ExitStack() as stack:
        try:
            machines = stack.enter_context(hosts(2))
        except HostsImpossible as error:
            print(f"No network namespaces here: {error}")
            return {"possible": False}
        server = stack.enter_context(durable_server(SERVER, NETWORK))
        home = empty_school(server, folder / "home")
        ingest_small_photos(home, 60)
        file = home.root / "consent-gate.toml"
        file.write_text(file.read_text().replace(str(server.folder), SERVER))
        started = [host.start(home.root, SLEEP) for host in machines]
        wait_until(lambda: jobs.live_workers() == len(started), 180)
        wait_until(lambda: _undone() == 0 and jobs.running_jobs() == 0, 300)
        for program in started:
            program.terminate()
        codes = [program.wait() for program in started]
        print(f"{len(machines)} hosts, each with its own network and path: all 60 photos, {codes}")
        return {"possible": True, "hosts": len(machines), "photos": 60}


if __name__ == "__main__":
    main()
