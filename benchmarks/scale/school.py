"""Set up a PostgreSQL server with durable settings, schools on it, and waiting photos."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed import gallery_home
from consent_gate.bootstrap import open_home
from consent_gate.home.home import Home
from tests.support import postgresql, worker_processes
from tests.support.factories import World
from tests.support.images import jpeg, scene

DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "max_connections": "400",
    "shared_buffers": "256MB",
}
"""Settings of a production server; the tests' server is faster and not durable."""

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class ListeningServer(postgresql.Server):
    """A server that also listens on network addresses."""

    addresses: str = ""

    def start(self) -> None:
        options = " ".join(f"-c {name}={value}" for name, value in postgresql.FAST.items())
        how = f"-k {self.folder} -c listen_addresses='{self.addresses}' {options}"
        self._run("pg_ctl", "-w", "-l", str(self.folder / "log"), "-o", how, "start")


@contextmanager
def durable_server(addresses: str = "", trusted: str = "") -> Iterator[postgresql.Server]:
    """A durable server in a temporary folder. ``trusted``: a network in the form of pg_hba.conf."""
    postgresql.FAST.update(DURABLE)
    server = ListeningServer(
        Path(tempfile.mkdtemp(prefix="cg-pg-", dir="/tmp")), addresses=addresses
    )
    server.make()
    if trusted:
        with (server.folder / "data" / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {trusted} trust\n")
    server.start()
    server.tell(f"CREATE ROLE {postgresql.SCHOOL} LOGIN")
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder)


def empty_school(server: postgresql.Server, root: Path, when_no_faces: str = "release") -> Home:
    """A school with consent information and nothing else."""
    worker_processes.make_school_home(server, server.database(), root, "oakwood")
    file = root / "consent-gate.toml"
    chosen = f'when_no_faces = "{when_no_faces}"'
    file.write_text(file.read_text().replace('when_no_faces = "release"', chosen))
    home = open_home(root)
    World(home).make_import()
    return home


def real_school(server: postgresql.Server, root: Path) -> Home:
    """The made-up school of the test photos, enrolled; its photos are examined by workers."""
    worker_processes.make_school_home(server, server.database(), root, "oakwood")
    file = root / "consent-gate.toml"
    file.write_text(file.read_text().replace('when_no_faces = "release"', 'when_no_faces = "hold"'))
    gallery_home(root)
    return open_home(root)


def ingest_small_photos(home: Home, count: int) -> None:
    """Ingest ``count`` photos of 96 by 64 pixels, which then wait for examination."""
    from ingest.intake import intake_once

    folder = home.inbox / "archive"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:05}.jpg").write_bytes(jpeg(scene(96, 64, seed=number)))
    assert intake_once(home).new == count


def requeue_all(home: Home) -> None:
    """Reset every photo to the state before its examination and enqueue it."""
    from django.db import transaction
    from procrastinate.contrib.django.models import ProcrastinateJob

    from consent_gate.db import jobs
    from consent_gate.db.models import Item, ItemState, Priority, Publication

    ProcrastinateJob.objects.all()._raw_delete(ProcrastinateJob.objects.db)
    with transaction.atomic():
        Publication.objects.all().delete()
        Item.objects.update(state=ItemState.RECEIVED, evidence=None, attempts=0)
        for item_id in Item.objects.values_list("pk", flat=True):
            jobs.enqueue_examination(home, item_id, Priority.LIVE)


@dataclass(frozen=True)
class Spent:
    """Processor seconds so far."""

    workers: float
    server: float

    def since(self, before: Spent) -> Spent:
        return Spent(self.workers - before.workers, self.server - before.server)


def spent(programs: list[int], server: postgresql.Server) -> Spent:
    """Processor seconds of the programs with their children, and of the server's processes."""
    family = {pid for program in programs for pid in _family(program)}
    postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    return Spent(
        sum(_times(pid, ended=pid in programs) for pid in family),
        sum(_times(pid, ended=pid == postmaster) for pid in _family(postmaster)),
    )


def _family(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from _family(int(child))


def _times(pid: int, *, ended: bool) -> float:
    """Processor seconds of the process; with ``ended`` also of its children that have ended.

    0 for a process that has just ended: its parent counts them.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(field) / TICKS for field in fields[11 : 15 if ended else 13])


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition. Raises TimeoutError after ``seconds``."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.2)
