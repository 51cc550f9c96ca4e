"""A picture released by staff is recalled with their approval, and then needs a new one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from django.test import Client

from consent_gate.db.models import EnrolmentPhoto, Item, ItemState, Priority, Publication, User
from consent_gate.decisions.enrolments import delete_enrolments
from consent_gate.home.home import Home
from consent_gate.model import Box, Tag, TagKind
from consent_gate.review import service as review
from consent_gate.review.covering import undo_answers
from consent_gate.review.undo import undoable_action
from ingest.scheduling.queue import requeue
from publish.recall.by_hand import RecallSelection, recall_selection
from publish.release import publish_pending
from tests.conftest import Clock
from tests.support.factories import World
from tests.support.fake_renderer import (
    FakeRenderer,
    make_photo,
    published_files,
    read_manifest,
    withdraw_consent,
)

ANN, BEN = "000001", "000002"


@pytest.fixture
def anns(world: World) -> Item:
    """A picture of Ann that the machine released by itself."""
    world.make_pupil(ANN)
    return make_photo(world.home, ANN)


def said(home: Home, item: Item, by: str = "j.shaw") -> review.ReviewAction:
    return review.at_current_revision(home, by, item.pk)


def release(home: Home, item: Item, clock: Clock) -> None:
    review.release(said(home, item), ["website"], "I know her")
    clock.pass_minutes(2)
    publish_pending(home, FakeRenderer())


def undo(home: Home) -> None:
    last = undoable_action(home, "j.shaw")
    assert last is not None
    for item, channels in last.answers:
        undo_answers(said(home, item), channels)


# --- what came back waits for a person ----------------------------------------------------------


def test_undoing_the_new_approval_leaves_a_recalled_picture_recalled(
    home: Home, clock: Clock, anns: Item
) -> None:
    publish_pending(home, FakeRenderer())
    recall_selection(home, RecallSelection(items=[anns.pk]), "the DPO")
    review.release(said(home, anns), ["website"], "I know her")
    undo(home)
    clock.pass_minutes(5)
    publish_pending(home, FakeRenderer())
    assert published_files(home) == {}
    assert anns.decisions.get(channel="website").verdict == "withdrawn"


def test_undoing_a_refusal_does_not_release_a_picture_recalled_before(
    home: Home, clock: Clock, anns: Item
) -> None:
    publish_pending(home, FakeRenderer())
    recall_selection(home, RecallSelection(items=[anns.pk]), "the DPO")
    review.refuse(said(home, anns), ["website"])
    undo(home)
    clock.pass_minutes(5)
    publish_pending(home, FakeRenderer())
    assert published_files(home) == {}


def test_a_refusal_undone_brings_back_what_nothing_else_had_taken(
    home: Home, clock: Clock, anns: Item
) -> None:
    publish_pending(home, FakeRenderer())
    review.refuse(said(home, anns), ["website"])
    undo(home)
    clock.pass_minutes(5)
    publish_pending(home, FakeRenderer())
    assert len(published_files(home)) == 1


def test_a_change_after_the_new_approval_waits_for_another_one(
    home: Home, clock: Clock, world: World, anns: Item, logged_in: Callable[[User], Client]
) -> None:
    publish_pending(home, FakeRenderer())
    recall_selection(home, RecallSelection(items=[anns.pk]), "the DPO")
    release(home, anns, clock)
    assert len(published_files(home)) == 1
    review.crop(said(home, anns), Box(0, 0, 160, 120))
    publish_pending(home, FakeRenderer())
    assert published_files(home) == {}
    page = logged_in(world.make_user()).get("/published/?show=back").content.decode()
    assert "the approval was withdrawn" in page
    release(home, anns, clock)
    assert len(published_files(home)) == 1


# --- what went out by a person's word comes back with it ----------------------------------------


def test_a_picture_comes_back_with_the_tag_that_let_it_out(
    home: Home, clock: Clock, world: World
) -> None:
    """The machine alone could not tell Ann from a sister who has no enrolment photo."""
    world.make_pupil(ANN, family_group="A")
    world.make_pupil(BEN, forename="Bea", family_group="A", enrolled=False)
    item = make_photo(home, ANN)
    review.tag_face(said(home, item), 0, Tag(TagKind.PUPIL, ANN))
    release(home, item, clock)
    assert len(published_files(home)) == 1
    review.untag_face(said(home, item), 0)
    publish_pending(home, FakeRenderer())
    assert published_files(home) == {}


def test_a_crop_takes_back_what_was_released_without_faces(
    home: Home, clock: Clock, world: World
) -> None:
    item = make_photo(home)
    release(home, item, clock)
    assert len(published_files(home)) == 1
    review.crop(said(home, item), Box(0, 0, 100, 120))
    publish_pending(home, FakeRenderer())
    assert published_files(home) == {}


def test_a_crop_is_never_left_out_because_the_consent_list_is_old(
    home: Home, clock: Clock, anns: Item
) -> None:
    publish_pending(home, FakeRenderer())
    clock.pass_days(200)
    publish_pending(home, FakeRenderer())
    assert len(published_files(home)) == 1  # an old list recalls nobody
    review.crop(said(home, anns), Box(0, 0, 100, 120))
    publish_pending(home, FakeRenderer())
    assert published_files(home) == {}


# --- what is to be examined again ---------------------------------------------------------------


@pytest.fixture
def wrongly_known(home: Home, world: World) -> Item:
    """Out as a picture of Ann, whose enrolment photo was another child's face."""
    world.make_pupil(ANN)
    item, source = make_photo(home, ANN), make_photo(home, ANN)
    publish_pending(home, FakeRenderer())
    photo = EnrolmentPhoto.objects.get(pupil__admission_number=ANN)
    photo.item, photo.face = source, 0
    photo.save()
    with transaction.atomic():
        delete_enrolments(home, source, "j.shaw", 0)
    item.refresh_from_db()
    assert item.state == ItemState.RECEIVED
    return item


def test_an_import_does_not_end_the_wait_for_another_examination(
    home: Home, wrongly_known: Item
) -> None:
    withdraw_consent(home, ANN, "mag")
    wrongly_known.refresh_from_db()
    assert (wrongly_known.state, wrongly_known.priority) == (ItemState.RECEIVED, Priority.LIVE)


def test_a_refusal_in_one_channel_does_not_end_the_wait_of_the_others(
    home: Home, wrongly_known: Item
) -> None:
    review.refuse(said(home, wrongly_known), ["mag"])
    wrongly_known.refresh_from_db()
    assert wrongly_known.state == ItemState.RECEIVED


def test_nothing_goes_out_on_evidence_that_is_to_be_looked_at_again(home: Home, anns: Item) -> None:
    requeue(home, Item.objects.filter(pk=anns.pk))
    publish_pending(home, FakeRenderer())
    assert read_manifest(home)["items"] == []
    assert set(Publication.objects.values_list("state", "released_at")) == {("written", None)}
    Item.objects.filter(pk=anns.pk).update(state=ItemState.DECIDED)
    publish_pending(home, FakeRenderer())
    assert len(published_files(home)) == 1
