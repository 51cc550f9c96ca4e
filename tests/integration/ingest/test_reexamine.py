"""Pictures with an unknown face are examined again after new enrolments."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, ItemState, Priority
from consent_gate.home.home import Home
from consent_gate.matching.bursts import burst_key
from consent_gate.model import Ambiguous
from consent_gate.operations import demo
from ingest.enrolment.enrol import PhotoBatch, enrol
from ingest.pipeline import ingest_once
from ingest.scheduling import reexamine
from ingest.scheduling.queue import ExaminationQueue
from ingest.scheduling.reexamine import flag_unrecognised, requeue_batch
from publish.retention import erase_item
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import
from tests.support.cached_analysis import CachedPool, enrol_without_workers
from tests.support.factories import STRANGER, World, matches
from tests.support.fake_renderer import make_world_with_ann
from tests.support.imports import confirm_portraits
from tests.support.photo_source import PhotosInMemory


@pytest.fixture
def world(home: Home) -> World:
    return make_world_with_ann(home)


def noted() -> set[str]:
    return set(Item.objects.filter(needs_reexamination=True).values_list("source", flat=True))


# --- which --------------------------------------------------------------------------------------


@pytest.mark.dialect
def test_only_pictures_held_for_an_unknown_face_are_flagged(world: World) -> None:
    world.make_pupil("000002", said_no_to=["website", "mag", "displays"])
    world.make_item(STRANGER, name="unknown.jpg")
    world.make_item(Ambiguous(("000001", "000002")), name="ambiguous.jpg")
    world.make_item(matches("000001"), name="released.jpg")
    world.make_item(matches("000002"), name="refused.jpg")
    world.make_item(name="nobody.jpg")
    Item.objects.filter(pk=world.make_item(STRANGER, name="sealed.jpg").pk).update(
        state=ItemState.SEALED
    )
    gone = world.make_item(STRANGER, name="gone.jpg")
    with transaction.atomic():
        erase_item(world.home, gone, "retention", "gate")
    assert flag_unrecognised() == 2
    assert noted() == {"sports-day/unknown.jpg", "sports-day/ambiguous.jpg"}


@pytest.mark.dialect
def test_the_newest_are_flagged_up_to_a_limit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reexamine, "MAX_FLAGGED", 3)
    for number in range(5):
        world.make_item(STRANGER, name=f"{number}.jpg")
    assert flag_unrecognised() == 3
    assert noted() == {f"sports-day/{number}.jpg" for number in (2, 3, 4)}


# --- when ---------------------------------------------------------------------------------------


@pytest.mark.dialect
def test_a_few_are_requeued_at_a_time_so_that_staff_see_the_rest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reexamine, "BATCH_SIZE", 2)
    for number in range(5):
        world.make_item(STRANGER, name=f"{number}.jpg")
    flag_unrecognised()
    assert requeue_batch(world.home) == 2
    assert Item.objects.filter(state=ItemState.DECIDED).count() == 3
    assert requeue_batch(world.home) == 0, "while those two wait"
    Item.objects.filter(state=ItemState.RECEIVED).update(state=ItemState.DECIDED)
    assert [requeue_batch(world.home), len(noted())] == [2, 1]


@pytest.mark.dialect
def test_photos_dropped_in_now_go_before_old_ones(world: World) -> None:
    for number in range(20):
        world.make_item(STRANGER, name=f"{number}.jpg", event=f"old-{number}")
    flag_unrecognised()
    assert requeue_batch(world.home) == 20
    fresh = [world.make_item(STRANGER, event="today").pk for _ in range(9)]
    Item.objects.filter(pk__in=fresh).update(state=ItemState.RECEIVED, priority=Priority.LIVE)
    assert ExaminationQueue().next_batch(9, exclude=()) == fresh


# --- the whole way ------------------------------------------------------------------------------


def by_an_import(home: Home) -> None:
    """Term begins: the same list, now with the portraits."""
    export = ExportFile("consent.csv", demo.EXPORT.encode())
    run_import(home, export, (), "office", PhotoBatch([PhotosInMemory(demo.portraits())]))


def by_photos_alone(home: Home) -> None:
    enrol(
        home,
        PhotosInMemory(demo.portraits()),
        {},
        "office",
        lambda *_: None,
        open_pool=CachedPool,
    )


@pytest.mark.parametrize("enrolled", [by_an_import, by_photos_alone])
def test_a_pupil_enrolled_later_is_found_in_the_old_picture_and_only_then_it_goes_out(
    home: Home, enrolled: Callable[[Home], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol_without_workers(monkeypatch)
    run_import(home, ExportFile("consent.csv", demo.EXPORT.encode()), (), "office")
    (winner,) = (photo for photo in demo.event_photos() if "winner" in photo.name)
    (home.inbox / "winner.jpg").write_bytes(winner.data)
    ingest_once(home, lambda *_: None, CachedPool)
    item = Item.objects.get()
    assert item.decisions.get(channel="website").reasons == ["unknown_face"]
    assert item.burst_key == burst_key(from_json(item.evidence)) != ""

    enrolled(home)
    confirm_portraits(home)
    item.refresh_from_db()
    assert (item.state, item.needs_reexamination) == (ItemState.DECIDED, True)
    assert not item.publications.exists(), "nothing goes out on the old decision"

    ingest_once(home, lambda *_: None, CachedPool)
    item.refresh_from_db()
    assert item.decisions.get(channel="website").verdict == "released"
    assert (item.state, item.needs_reexamination) == (ItemState.DECIDED, False)
    assert len(list(home.approved("website").rglob("*.jpg"))) == 1
