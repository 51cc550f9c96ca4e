"""New photos are examined before re-examinations, and these before an archive."""

from __future__ import annotations

import pytest
from django.db import transaction

from consent_gate.db.models import ConsentAnswer, Item, ItemState, Priority
from consent_gate.decisions.apply import apply_decisions
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.home.home import Home
from consent_gate.model import Answer
from consent_gate.operations.health.health_check import State
from consent_gate.operations.health.work_checks import waiting as health_of_waiting
from consent_gate.register.repository import load_register
from ingest.intake import intake_once
from ingest.scheduling.queue import LIVE_PER_LATER, ExaminationQueue, requeue
from tests.support.factories import World, matches
from tests.support.images import jpeg, scene

pytestmark = pytest.mark.dialect


def order(most: int = 20) -> list[str]:
    return ExaminationQueue().next_batch(most, exclude=())


def waiting_pictures(
    world: World, count: int, event: str, priority: Priority = Priority.LIVE
) -> list[str]:
    made = [world.make_item(event=event).pk for _ in range(count)]
    Item.objects.filter(pk__in=made).update(state=ItemState.RECEIVED, priority=priority)
    return made


def test_a_few_photos_dropped_now_overtake_an_archive(home: Home) -> None:
    world = World(home)
    archive = [p for n in range(12) for p in waiting_pictures(world, 5, f"archive/{n % 7}")]
    fresh = waiting_pictures(world, 6, "sports-day")
    turns = order()
    assert set(fresh) <= set(turns[:8])
    assert turns.index(archive[0]) == 3, "and the one that has waited longest is not forgotten"
    assert len(set(turns)) == 20


def test_reexaminations_wait_for_new_photos(home: Home) -> None:
    world = World(home)
    again = waiting_pictures(world, 3, "last-term", Priority.REEXAMINE)
    screened = waiting_pictures(world, 3, "archive", Priority.ARCHIVE)
    live = waiting_pictures(world, 2 * LIVE_PER_LATER, "sports-day")
    turns = order()
    assert set(turns[:LIVE_PER_LATER]) <= set(live)
    assert turns[LIVE_PER_LATER] in again, "one place in ten, so that they do not wait for ever"
    assert not set(turns) & set(screened)


def test_an_archive_is_examined_when_no_other_photo_waits(home: Home) -> None:
    world = World(home)
    screened = waiting_pictures(world, 4, "archive", Priority.ARCHIVE)
    again = waiting_pictures(world, 3, "last-term", Priority.REEXAMINE)
    turns = order()
    assert set(turns[:3]) == set(again)
    assert set(turns[3:]) == set(screened)


def test_only_decided_pictures_are_examined_again(home: Home) -> None:
    world = World(home)
    decided = world.make_item()
    sealed, erased = world.make_item(), world.make_item()
    Item.objects.filter(pk=sealed.pk).update(state=ItemState.SEALED)
    Item.objects.filter(pk=erased.pk).update(state=ItemState.ERASED)
    (live,) = waiting_pictures(world, 1, "sports-day")
    assert requeue(home, Item.objects.all()) == 1
    assert order() == [live, decided.pk]
    assert Item.objects.get(pk=live).priority == Priority.LIVE, "it keeps its place"


def test_a_picture_that_could_newly_go_out_after_an_import_waits_behind_todays_photos(
    home: Home,
) -> None:
    world = World(home)
    world.make_import()
    world.make_pupil("004123", said_no_to=["website"])
    picture = world.make_item(matches("004123"))
    ConsentAnswer.objects.update(answer=Answer.GIVEN.value)
    this = DecisionContext(home, load_register(home.now().date()), home.now())
    with transaction.atomic():
        apply_decisions(this, [Item.objects.get(pk=picture.pk)])
    item = Item.objects.get(pk=picture.pk)
    assert (item.state, item.priority) == (ItemState.RECEIVED, Priority.REEXAMINE)


@pytest.mark.parametrize("priority", [Priority.REEXAMINE, Priority.ARCHIVE])
def test_a_photo_of_the_archive_that_is_dropped_in_is_wanted_now(
    home: Home, priority: Priority
) -> None:
    (home.inbox / "IMG_1.jpg").write_bytes(jpeg(scene(96, 64)))
    intake_once(home)
    Item.objects.update(priority=priority)
    (home.inbox / "sports-day.jpg").write_bytes(jpeg(scene(96, 64)))
    intake_once(home)
    assert Item.objects.get().priority == Priority.LIVE


def test_reexaminations_do_not_count_as_stuck(home: Home) -> None:
    world = World(home)
    picture = world.make_item()
    Item.objects.filter(pk=picture.pk).update(received_at=home.now().replace(year=2020))
    requeue(home, Item.objects.all())
    assert [f.state for f in health_of_waiting(home)] == [State.GOOD]
    Item.objects.update(priority=Priority.LIVE, evidence=None)
    assert [f.state for f in health_of_waiting(home)] == [State.BAD]
