"""Steps and queries that the tests of worker machines share."""

from __future__ import annotations

import threading
from collections.abc import Callable

from consent_gate.db.models import (
    AuditEntry,
    EnrolmentPhoto,
    Item,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from consent_gate.register.gallery_version import gallery_version
from ingest.intake import intake_once
from ingest.runtime.worker_session import OpenPool, WorkerSession, run_session
from tests.support.factories import World
from tests.support.fake_analysis import FakePool
from tests.support.images import jpeg, scene


def add_photos(
    home: Home, *, count: int = 1, event: str = "sports-day", tail: bytes = b""
) -> list[str]:
    """Photos that the office copied in and the gate has taken in. Their items, oldest first."""
    folder = home.inbox / event
    folder.mkdir(exist_ok=True)
    before = Item.objects.count()
    for n in range(before, before + count):
        (folder / f"IMG_{n}.jpg").write_bytes(jpeg(scene(96, 64, seed=n)) + tail)
    assert intake_once(home).new == count
    return list(Item.objects.order_by("received_at").values_list("pk", flat=True))[before:]


def count_states() -> dict[str, int]:
    found = list(Item.objects.values_list("state", flat=True))
    return {state: found.count(state) for state in set(found)}


def examined_items() -> list[str]:
    """Subjects of what the audit trail says was examined; one entry each time."""
    rows = AuditEntry.objects.filter(action="item.examined").order_by("sequence")
    return list(rows.values_list("subject", flat=True))


def make_session(home: Home) -> WorkerSession:
    return WorkerSession(home, FakePool(home, gallery_of([])), gallery_version(home))


def run_worker_during(
    home: Home, stop: threading.Event, pool: OpenPool, meanwhile: Callable[[], object]
) -> None:
    """A worker in a thread; something happens meanwhile; then it is told to stop."""
    thread = threading.Thread(target=lambda: run_session(home, stop, open_pool=pool))
    thread.start()
    try:
        meanwhile()
    finally:
        stop.set()
        thread.join(timeout=120)
    assert not thread.is_alive()


def enrol_pupil(home: Home) -> None:
    """Another template is in force."""
    pupil = World(home).make_pupil(f"9{EnrolmentPhoto.objects.count():05}", enrolled=True)
    assert Template.objects.filter(photo__pupil=pupil).exists()
