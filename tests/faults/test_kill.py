"""Killed at random moments while photos arrive, the gate accounts for every byte at the end.

The whole process tree is killed with SIGKILL, as a power cut would; files arrive meanwhile in all
the ways computers copy them. ``make kill-test`` is the long run; CONSENT_GATE_KILL_FILES and _SEED
make others.
"""

from __future__ import annotations

import hashlib
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    InboxSighting,
    Item,
    ItemState,
    Publication,
    PublicationState,
)
from consent_gate.home.home import Home
from consent_gate.operations import demo
from consent_gate.vault.originals import read_part, vault_of
from ingest.runtime.heartbeat import read_heartbeat
from publish.integrity.check import find_discrepancies
from tests.support.factories import World, folder_vault
from tests.support.gate_thread import eventually
from tests.support.images import jpeg, scene

FILES = int(os.environ.get("CONSENT_GATE_KILL_FILES", "300"))
SEED = int(os.environ.get("CONSENT_GATE_KILL_SEED", "1"))
ROOT = Path(__file__).parents[2]

log = logging.getLogger(__name__)


@dataclass
class Office:
    """Copies photos into the inbox in every way that offices do, and keeps count."""

    inbox: Path
    dice: random.Random
    complete: dict[str, str] = field(default_factory=dict)
    """Path below the inbox to the SHA-256 of the whole file."""
    halves: set[str] = field(default_factory=set)
    """SHA-256 of what lay there for a moment before the rest came."""

    def copy_everything(self, count: int, faults: list[BaseException]) -> None:
        try:
            for number in range(count):
                self.copy_one(number)
        except BaseException as error:
            faults.append(error)
            raise

    def copy_one(self, number: int) -> None:
        name = f"event-{number % 17}/{number % 5}/IMG_{number:05}.jpg"
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = self.a_file(number)
        how = self.dice.choice(("at once", "at once", "slowly", "renamed", "reserved"))
        if how == "at once":
            path.write_bytes(data)
        elif how == "renamed":
            part = path.with_name(path.name + ".filepart")
            part.write_bytes(data)
            part.rename(path)
        else:
            self.in_two_pieces(path, data, reserve=how == "reserved")
        self.complete[name] = hashlib.sha256(data).hexdigest()
        time.sleep(self.dice.uniform(0, 0.02))

    def in_two_pieces(self, path: Path, data: bytes, *, reserve: bool) -> None:
        half = len(data) // 2
        first = data[:half] + (bytes(len(data) - half) if reserve else b"")
        self.halves.add(hashlib.sha256(first).hexdigest())
        self.halves.add(hashlib.sha256(b"").hexdigest())
        with path.open("wb") as file:
            file.write(first)
            file.flush()
            time.sleep(self.dice.uniform(0, 0.1))
            file.seek(half)
            file.write(data[half:])

    def a_file(self, number: int) -> bytes:
        """A photo; now and then one that came before, a letter, or an empty file."""
        kind = number % 20
        if kind == 7:
            return f"Dear parents, this is letter {number}.".encode()
        if kind == 11 and number > 100:
            number -= 91
        return jpeg(scene(96, 64, seed=number))


@pytest.fixture
def school(home: Home) -> Home:
    """A school whose website takes pictures without faces, and a gate that waits briefly."""
    settings = home.root / "consent-gate.toml"
    text = settings.read_text()
    text = text.replace('when_no_faces = "hold"', 'when_no_faces = "release"')
    text = text.replace("settle_seconds = 0.05", "settle_seconds = 0.3")
    text = text.replace("patience_minutes = 15", "patience_minutes = 0.05")
    settings.write_text(text)
    World(home).an_import()
    return open_home(home.root)


def dice_of(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  repeatable, not secret


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


def wait_until_all_is_decided(home: Home, count: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        waiting = Item.objects.filter(state=ItemState.RECEIVED).count()
        moving = Publication.objects.exclude(state=PublicationState.LIVE).count()
        if InboxSighting.objects.count() >= count and not waiting and not moving:
            return
        told = read_heartbeat(home)
        assert time.monotonic() < end, f"{waiting} wait, {moving} on their way, {told}"
        time.sleep(0.2)


def stop_in_time(home: Home, gate: subprocess.Popen[bytes]) -> None:
    eventually(lambda: read_heartbeat(home), seconds=60)  # it may just have started
    gate.send_signal(signal.SIGTERM)
    assert gate.wait(timeout=10) == 0


def account_for(home: Home, office: Office) -> None:
    """Everything that was dropped in is there once, decided once, and released at most once."""
    items = {item.sha256: item for item in Item.objects.all()}
    assert items.keys() >= set(office.complete.values()), "every byte dropped in is in the ledger"
    assert items.keys() <= set(office.complete.values()) | office.halves, "and nothing else"
    assert {i.state for i in items.values()} == {ItemState.DECIDED}
    sightings = dict(InboxSighting.objects.values_list("source", "item__sha256"))
    assert {name: sightings.get(name) for name in office.complete} == office.complete

    verdicts = Counter(ChannelDecision.objects.values_list("item_id", flat=True))
    assert verdicts == {item.pk: 3 for item in items.values()}
    received = Counter(
        AuditEntry.objects.filter(action="item.received").values_list("subject", flat=True)
    )
    assert received == {f"item:{item.pk}": 1 for item in items.values()}
    assert audit_log.verify(home) == []

    vault = folder_vault(home)
    assert set(vault.item_ids()) == {item.pk for item in items.values()}, "no orphan in the vault"
    assert list(vault.root.glob("*/*/*.partial")) == []
    for item in items.values():
        assert hashlib.sha256(read_part(home, item)).hexdigest() == item.sha256

    assert find_discrepancies(home) == []
    released = {
        item
        for item, verdict in ChannelDecision.objects.filter(channel="website").values_list(
            "item_id", "verdict"
        )
        if verdict == "released"
    }
    out = Counter(Publication.objects.filter(state="live").values_list("item_id", flat=True))
    assert out == dict.fromkeys(released, 1), "each release is in the ledger, and once"
    on_disk = [p for p in home.approved("website").rglob("*.jpg") if not p.name.startswith(".")]
    assert len(on_disk) == len(released)


def counts() -> tuple[int, int, int]:
    """Items, pictures out, audit entries."""
    return Item.objects.count(), Publication.objects.count(), AuditEntry.objects.count()


@pytest.mark.timeout(300 + FILES)
def test_every_photo_is_decided_once_however_often_the_gate_is_killed(school: Home) -> None:
    office, dice = Office(school.inbox, dice_of(SEED)), dice_of(SEED + 1)
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
    wait_until_all_is_decided(school, FILES, seconds=150 + FILES / 2)
    stop_in_time(school, gate)
    account_for(school, office)
    assert Publication.objects.count() > FILES / 2
    log.info("%s files, the gate killed %s times, seed %s: all accounted for", FILES, kills, SEED)
    log.info("%s items, %s released, %s audit entries whole", *counts())


def test_the_real_gate_killed_with_its_workers_decides_every_photo(demo_school: Home) -> None:
    """The same with the real models: workers hold photos when they are killed."""
    settings = demo_school.root / "consent-gate.toml"
    settings.write_text(settings.read_text().replace("workers = 0", "workers = 1"))
    photos = {f"{n}.jpg": photo.data + b"again" for n, photo in enumerate(demo.event_photos()[:4])}
    before, dice = Item.objects.count(), dice_of(SEED)
    for name, data in photos.items():
        (demo_school.inbox / name).write_bytes(data)
    for _ in range(3):
        gate = start(demo_school, "tests.support.run_gate", str(demo_school.root))
        time.sleep(dice.uniform(6, 10))
        assert gate.poll() is None, (demo_school.root / "gate.log").read_text()
        kill(gate)
    gate = start(demo_school, "tests.support.run_gate", str(demo_school.root))
    wait_until_all_is_decided(demo_school, before + len(photos), seconds=200)
    stop_in_time(demo_school, gate)
    digests = {hashlib.sha256(data).hexdigest() for data in photos.values()}
    assert Item.objects.filter(sha256__in=digests, state=ItemState.DECIDED).count() == len(photos)
    assert find_discrepancies(demo_school) == []
    assert audit_log.verify(demo_school) == []
    assert set(vault_of(demo_school).item_ids()) == set(Item.objects.values_list("pk", flat=True))
