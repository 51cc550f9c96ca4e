"""Photos copied into the inbox as offices copy them, and a check that all are accounted for."""

from __future__ import annotations

import hashlib
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

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
from consent_gate.vault.originals import read_part
from ingest.runtime.heartbeat import read_heartbeat
from publish.integrity.check import find_discrepancies
from tests.support.factories import folder_vault
from tests.support.images import jpeg, scene


@dataclass
class InboxWriter:
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


def seeded_random(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  repeatable, not secret


def wait_until_all_decided(home: Home, count: int, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        waiting = Item.objects.filter(state=ItemState.RECEIVED).count()
        moving = Publication.objects.exclude(state=PublicationState.LIVE).count()
        if InboxSighting.objects.count() >= count and not waiting and not moving:
            return
        told = read_heartbeat(home)
        assert time.monotonic() < end, f"{waiting} wait, {moving} on their way, {told}"
        time.sleep(0.2)


def assert_all_accounted_for(home: Home, office: InboxWriter) -> None:
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
