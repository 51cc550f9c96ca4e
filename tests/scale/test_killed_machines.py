"""Workers, the running gate and PostgreSQL are killed while photos arrive, and no photo is lost.

SIGKILL ends everything at random moments, the database server too; what it said was committed is on
its disk. At the end every photo is there once, decided once, in the audit trail once and released
at most once. CONSENT_GATE_SCALE_KILL_FILES and _SEED make longer and other runs.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.db import connection
from django.db.utils import DatabaseError

from consent_gate.bootstrap import open_home
from consent_gate.db.models import AuditEntry, Publication
from consent_gate.home.home import Home
from ingest.runtime.dispatcher import reconcile_jobs
from tests.support import postgresql
from tests.support.factories import World
from tests.support.inbox_writer import (
    InboxWriter,
    assert_all_accounted_for,
    seeded_random,
    wait_until_all_decided,
)
from tests.support.worker_processes import (
    ROOT,
    WorkerPrograms,
    age_worker_heartbeats,
    make_school_home,
)

FILES = int(os.environ.get("CONSENT_GATE_SCALE_KILL_FILES", "120"))
SEED = int(os.environ.get("CONSENT_GATE_SCALE_KILL_SEED", "1"))
WORKERS = 2


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_nothing_is_lost_or_done_twice_when_workers_and_the_database_are_killed(
    own_server: postgresql.Server, tmp_path: Path
) -> None:
    home = a_patient_school(own_server, tmp_path / "oakwood")
    office, dice = InboxWriter(home.inbox, seeded_random(SEED)), seeded_random(SEED + 1)
    machines = WorkerPrograms(home.root)
    faults: list[BaseException] = []
    copying = threading.Thread(target=office.copy_everything, args=(FILES, faults))
    copying.start()
    gate = start_gate(home)
    killed = {"worker": 0, "gate": 0, "postgresql": 0}
    try:
        while copying.is_alive() or min(killed.values()) < 2:
            while len(machines.programs) < WORKERS:
                machines.start(seconds=0.05)
            time.sleep(dice.uniform(1.0, 4.0))
            victim = min(killed, key=lambda name: (killed[name], dice.random()))
            killed[victim] += 1
            if victim == "worker":
                machines.kill(dice.choice(machines.programs))
            elif victim == "gate":
                gate.kill()
                gate.wait()
                gate = start_gate(home)
            else:
                own_server.kill()
                time.sleep(dice.uniform(0, 1))
                own_server.start()
        copying.join()
        assert faults == []
        let_the_dead_be_noticed(home)
        wait_until_all_decided(home, FILES, seconds=600)
        gate.send_signal(signal.SIGTERM)
        assert gate.wait(timeout=90) == 0
    finally:
        machines.kill_all()
        gate.kill()
    assert_all_accounted_for(home, office)
    print(f"{FILES} photos, killed: {killed}")  # noqa: T201
    once = AuditEntry.objects.filter(action="publication.released").values_list("subject")
    assert once.count() == once.distinct().count() == Publication.objects.count() > FILES / 2


def a_patient_school(server: postgresql.Server, root: Path) -> Home:
    """A school whose gate waits briefly for files."""
    database = server.database()
    # The tests' server is lax. Here what it said was committed must be on the disk.
    server.tell(f"ALTER DATABASE {database} SET synchronous_commit = on")
    home = make_school_home(server, database, root, "oakwood")
    file = root / "consent-gate.toml"
    text = file.read_text().replace("settle_seconds = 0.05", "settle_seconds = 0.3")
    file.write_text(text.replace("patience_minutes = 15", "patience_minutes = 0.05"))
    World(home).make_import()
    return open_home(root)


def start_gate(home: Home) -> subprocess.Popen[bytes]:
    """The gate that takes photos in and lists pictures, as a program of its own."""
    (home.root / "watching.json").unlink(missing_ok=True)
    log = (home.root / "gate.log").open("ab")
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.run_gate", str(home.root)],
        cwd=ROOT,
        stdout=log,
        stderr=log,
    )


def let_the_dead_be_noticed(home: Home) -> None:
    """Half a minute without a sign of life passes for the killed; the living beat on."""
    connection.close()
    for _ in range(50):
        try:
            age_worker_heartbeats()
            reconcile_jobs(home)
            return
        except DatabaseError:  # the server is still reading its log
            connection.close()
            time.sleep(0.2)
