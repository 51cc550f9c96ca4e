"""The gate is killed at random moments while photos arrive, and loses none.

The whole process tree is killed with SIGKILL, as a power cut would; files arrive meanwhile in all
the ways computers copy them. ``make kill-test`` is the long run; CONSENT_GATE_KILL_FILES and _SEED
make others.
"""

from __future__ import annotations

import hashlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import (
    AuditEntry,
    Item,
    ItemState,
    Publication,
)
from consent_gate.home.home import Home
from consent_gate.operations import demo
from consent_gate.vault.originals import vault_of
from ingest.runtime.heartbeat import read_heartbeat
from publish.integrity.check import find_discrepancies
from tests.support.factories import World
from tests.support.gate_thread import wait_until
from tests.support.inbox_writer import (
    InboxWriter,
    assert_all_accounted_for,
    seeded_random,
    wait_until_all_decided,
)

FILES = int(os.environ.get("CONSENT_GATE_KILL_FILES", "300"))

SEED = int(os.environ.get("CONSENT_GATE_KILL_SEED", "1"))

ROOT = Path(__file__).parents[2]

log = logging.getLogger(__name__)


@pytest.fixture
def school(home: Home) -> Home:
    """A school whose website takes pictures without faces, and a gate that waits briefly."""
    settings = home.root / "consent-gate.toml"
    text = settings.read_text()
    text = text.replace('when_no_faces = "hold"', 'when_no_faces = "release"')
    text = text.replace("settle_seconds = 0.05", "settle_seconds = 0.3")
    text = text.replace("patience_minutes = 15", "patience_minutes = 0.05")
    settings.write_text(text)
    World(home).make_import()
    return open_home(home.root)


def start(home: Home, module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """The gate in a session of its own, so that all of it can be killed at once."""
    (home.root / "watching.json").unlink(missing_ok=True)
    log = (home.root / "gate.log").open("ab")
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        start_new_session=True,
        stdout=log,
        stderr=log,
    )


def kill(gate: subprocess.Popen[bytes]) -> None:
    os.killpg(gate.pid, signal.SIGKILL)
    gate.wait()


def stop_in_time(home: Home, gate: subprocess.Popen[bytes]) -> None:
    wait_until(lambda: read_heartbeat(home))  # it may just have started
    gate.send_signal(signal.SIGTERM)
    assert gate.wait(timeout=120) == 0


def counts() -> tuple[int, int, int]:
    """Items, pictures out, audit entries."""
    return Item.objects.count(), Publication.objects.count(), AuditEntry.objects.count()


@pytest.mark.slow
@pytest.mark.timeout(300 + FILES)
def test_every_photo_is_decided_once_however_often_the_gate_is_killed(school: Home) -> None:
    office, dice = InboxWriter(school.inbox, seeded_random(SEED)), seeded_random(SEED + 1)
    faults: list[BaseException] = []
    copying = threading.Thread(target=office.copy_everything, args=(FILES, faults))
    copying.start()
    kills = 0
    while copying.is_alive() or kills < 6:
        gate = start(school, "tests.support.fake_analysis", str(school.root))
        time.sleep(dice.uniform(1.5, 6))
        assert gate.poll() is None, (school.root / "gate.log").read_text()
        kill(gate)
        kills += 1
    copying.join()
    assert faults == []
    gate = start(school, "tests.support.fake_analysis", str(school.root))
    wait_until_all_decided(school, FILES, seconds=150 + FILES / 2)
    stop_in_time(school, gate)
    assert_all_accounted_for(school, office)
    assert Publication.objects.count() > FILES / 2
    log.info("%s files, the gate killed %s times, seed %s: all accounted for", FILES, kills, SEED)
    log.info("%s items, %s released, %s audit entries whole", *counts())


def test_the_real_gate_killed_with_its_workers_decides_every_photo(demo_school: Home) -> None:
    """The same with the real models: workers hold photos when they are killed."""
    settings = demo_school.root / "consent-gate.toml"
    settings.write_text(settings.read_text().replace("workers = 0", "workers = 1"))
    photos = {f"{n}.jpg": photo.data + b"again" for n, photo in enumerate(demo.event_photos()[:2])}
    before, dice = Item.objects.count(), seeded_random(SEED)
    for name, data in photos.items():
        (demo_school.inbox / name).write_bytes(data)
    for kills in range(2):
        gate = start(demo_school, "tests.support.run_gate", str(demo_school.root))
        wait_until(Item.objects.filter(state=ItemState.RECEIVED, attempts=kills + 1).exists)
        time.sleep(dice.uniform(0.5, 3))  # the worker loads its models, or examines a photo
        assert gate.poll() is None, (demo_school.root / "gate.log").read_text()
        kill(gate)
    gate = start(demo_school, "tests.support.run_gate", str(demo_school.root))
    wait_until_all_decided(demo_school, before + len(photos), seconds=280)
    stop_in_time(demo_school, gate)
    digests = {hashlib.sha256(data).hexdigest() for data in photos.values()}
    assert Item.objects.filter(sha256__in=digests, state=ItemState.DECIDED).count() == len(photos)
    assert find_discrepancies(demo_school) == []
    assert audit_log.verify(demo_school) == []
    assert set(vault_of(demo_school).item_ids()) == set(Item.objects.values_list("pk", flat=True))
