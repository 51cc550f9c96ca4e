"""A picture released by staff is published once the time for undoing has passed."""

from __future__ import annotations

import pytest

from consent_gate.db.models import Item, Publication
from consent_gate.home.home import Home
from consent_gate.model import Tag, TagKind
from consent_gate.review import service as review
from consent_gate.review.covering import undo_answers
from consent_gate.review.undo import undoable_action
from publish.release import publish_pending
from tests.conftest import Clock
from tests.support.factories import World
from tests.support.fake_renderer import FakeRenderer, make_photo, published_files, read_manifest
from tests.support.settings_override import with_channel

ANN = "000001"


@pytest.fixture
def strangers(world: World) -> Item:
    """A picture of a visitor, tagged, waiting for a signature."""
    world.make_pupil(ANN)
    item = make_photo(world.home, "009999")
    tag = Tag(TagKind.ADULT_WITH_AGREEMENT, basis="signed the visitors' form")
    review.tag_face(review.at_current_revision(world.home, "j.shaw", item.pk), 0, tag)
    return item


def release(home: Home, item: Item, *channels: str, by: str = "j.shaw") -> None:
    review.release(review.at_current_revision(home, by, item.pk), channels, "I met him")


def test_a_release_by_staff_waits_a_minute(home: Home, clock: Clock, strangers: Item) -> None:
    release(home, strangers, "website")
    publish_pending(home, FakeRenderer())
    assert published_files(home, "website") == {}
    clock.pass_minutes(1)
    publish_pending(home, FakeRenderer())
    assert len(published_files(home, "website")) == 1


def test_a_release_undone_in_time_is_never_published(
    home: Home, clock: Clock, strangers: Item
) -> None:
    release(home, strangers, "website", "mag")
    publish_pending(home, FakeRenderer())
    last = undoable_action(home, "j.shaw")
    assert last is not None
    for item, channels in last.answers:
        undo_answers(review.at_current_revision(home, "j.shaw", item.pk), channels)
    clock.pass_minutes(5)
    publish_pending(home, FakeRenderer())
    assert published_files(home, "website") == published_files(home, "mag") == {}
    states = set(Publication.objects.values_list("state", "released_at"))
    assert states == {("cancelled_cleaned", None)}


@pytest.mark.dialect
def test_a_release_by_the_machine_waits_for_nobody(world: World) -> None:
    world.make_pupil(ANN)
    make_photo(world.home, ANN)
    publish_pending(world.home, FakeRenderer())
    assert len(published_files(world.home, "website")) == 1


def test_a_recall_waits_for_nobody(home: Home, clock: Clock, strangers: Item) -> None:
    release(home, strangers, "website")
    clock.pass_minutes(1)
    publish_pending(home, FakeRenderer())
    review.refuse(review.at_current_revision(home, "m.reid", strangers.pk), ["website"])
    publish_pending(home, FakeRenderer())
    assert published_files(home, "website") == {}


def test_nobody_undoes_what_a_colleague_answered(home: Home, strangers: Item) -> None:
    release(home, strangers, "website", by="m.reid")
    assert undoable_action(home, "j.shaw") is None


def test_a_second_signature_can_be_undone_by_who_gave_it(world: World, strangers: Item) -> None:
    home = with_channel(world.home, "website", four_eyes=True)
    release(home, strangers, "website", by="j.shaw")
    release(home, strangers, "website", by="m.reid")
    last = undoable_action(home, "m.reid")
    assert last is not None
    assert last.answers == ((strangers, ("website",)),)


def test_pictures_answered_together_are_undone_together(world: World) -> None:
    items = [world.make_item() for _ in range(3)]
    for item in items:
        release(world.home, item, "website")
    last = undoable_action(world.home, "j.shaw", [item.pk for item in items])
    assert last is not None
    assert {item for item, _ in last.answers} == set(items)
    alone = undoable_action(world.home, "j.shaw")
    assert alone is not None
    assert [item for item, _ in alone.answers] == items[-1:]


def test_a_clock_set_back_holds_nothing_up(home: Home, clock: Clock, strangers: Item) -> None:
    release(home, strangers, "website")
    clock.pass_days(-1)
    publish_pending(home, FakeRenderer())
    assert len(published_files(home, "website")) == 1


def test_a_title_given_after_the_release_reaches_the_readers(
    home: Home, clock: Clock, strangers: Item
) -> None:
    release(home, strangers, "website")
    review.describe(
        review.at_current_revision(home, "j.shaw", strangers.pk), "Our visitor", "A man waves"
    )
    clock.pass_minutes(1)
    publish_pending(home, FakeRenderer())
    assert [entry["title"] for entry in read_manifest(home)["items"]] == ["Our visitor"]
    review.describe(
        review.at_current_revision(home, "m.reid", strangers.pk), "Mayor's visit", "A man waves"
    )
    publish_pending(home, FakeRenderer())
    assert [entry["title"] for entry in read_manifest(home)["items"]] == ["Mayor's visit"]
