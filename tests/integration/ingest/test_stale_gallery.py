"""A result from an older gallery is not recorded; the picture is examined again.

A sister's face may be taken for her enrolled brother's. While she has no template the register
guards against it; once she has one, only a comparison with both can tell them apart. A result from
before, recorded after, would release her by his consent.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest
from django.db import connection

from consent_gate.db.models import AuditEntry, ChannelDecision, Item, ItemState, Publication
from consent_gate.decisions import lookalikes
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery, gallery_of
from consent_gate.register.gallery_version import gallery_version
from ingest.examinations import StaleGallery
from ingest.pipeline import LocalExaminations, process_all
from ingest.workers.examination import Examination
from tests.support.factories import World
from tests.support.fake_analysis import FakePool
from tests.support.gate_thread import running_gate, wait_until
from tests.support.images import jpeg, scene

pytestmark = pytest.mark.dialect


class EnrolsMeanwhile(FakePool):
    """During the first photo of all, an import enrols somebody."""

    done = threading.Event()
    opened = 0

    def __init__(self, home: Home, gallery: Gallery) -> None:
        super().__init__(home, gallery)
        self._home = home
        type(self).opened += 1

    def examine(self, data: bytes) -> Future[Examination]:
        if not self.done.is_set():
            self.done.set()
            self._executor.submit(self._enrol).result()
        return super().examine(data)

    def _enrol(self) -> None:
        World(self._home).make_pupil("000002")
        connection.close()


@pytest.fixture
def school(home: Home, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A school with one photo in the inbox. The templates of these tests open to nothing."""
    monkeypatch.setattr(lookalikes, "load_gallery", lambda _, **_options: gallery_of([]))
    EnrolsMeanwhile.done.clear()
    EnrolsMeanwhile.opened = 0
    World(home).make_import()
    (home.inbox / "IMG_1.jpg").write_bytes(jpeg(scene(96, 64)))
    return home


def test_a_result_from_before_an_enrolment_is_not_recorded(school: Home) -> None:
    stamp = gallery_version(school)
    with EnrolsMeanwhile(school, gallery_of([])) as pool, pytest.raises(StaleGallery):
        process_all(school, pool, lambda *_: None, stamp)
    item = Item.objects.get()
    assert (item.state, item.evidence, item.attempts) == (ItemState.RECEIVED, None, 0)
    assert not ChannelDecision.objects.exists()
    assert not Publication.objects.exists()


def test_the_running_gate_examines_again_with_the_new_gallery(school: Home) -> None:
    with running_gate(school, open_pool=EnrolsMeanwhile):
        wait_until(lambda: Item.objects.filter(state=ItemState.DECIDED).exists())
    assert EnrolsMeanwhile.opened == 2
    assert AuditEntry.objects.filter(action="item.examined").count() == 1


def test_with_the_gallery_in_force_a_result_is_recorded(school: Home) -> None:
    World(school).make_pupil("000002")
    with FakePool(school, gallery_of([])) as pool:
        process_all(school, pool, lambda *_: None, gallery_version(school))
    assert Item.objects.get().state == ItemState.DECIDED


def test_the_examinations_under_way_know_their_gallery(school: Home) -> None:
    """Handed over, not asked for when the result comes: that would be the new one."""
    with FakePool(school, gallery_of([])) as pool:
        old = LocalExaminations(school, pool, ("an older gallery",))
        work = process_all(school, pool, lambda *_: None, gallery_version(school))
        assert work.examined == 1
        Item.objects.update(state=ItemState.RECEIVED)
        old.submit_ready()
        old.wait_for_any()
        with pytest.raises(StaleGallery):
            old.collect_done()
