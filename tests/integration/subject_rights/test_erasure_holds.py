"""An erasure releases nothing that the erased pupil held."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import transaction

from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.db.models import Item, Lookalike, PupilEntry
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.event_classes import name_classes
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.home.home import Home
from consent_gate.model import Ambiguous, Box, Examined, Match, Tag, TagKind
from consent_gate.register.repository import load_register
from consent_gate.review import service as review
from consent_gate.review.service import at_current_revision
from consent_gate.subject_rights.erase import erase_pupil
from tests.support.factories import CHANNELS, World, matches
from tests.support.imports import verdict_of

ANN, BEN, CAT = "000001", "000002", "000003"
BOXES = [Box(100, 300, 160, 200), Box(900, 300, 160, 200)]


@pytest.fixture
def world(home: Home) -> World:
    """Ben and Cat consent to everything."""
    world = World(home)
    world.make_import()
    world.make_pupil(BEN, "Ben", "Baker")
    world.make_pupil(CAT, "Cat", "Cole")
    return world


def decided_again(home: Home, item: Item) -> str:
    """The website's outcome of the most generous round: it may publish."""
    with transaction.atomic():
        now = home.now()
        ctx = DecisionContext(home, load_register(now.date()), now, may_open=True)
        apply_decision(ctx, Item.objects.get(pk=item.pk))
    return verdict_of(item)


@pytest.mark.parametrize("face", [Ambiguous((ANN, BEN)), matches(ANN)])
def test_a_face_that_was_named_as_the_child_matches_nobody_later(
    world: World, face: Ambiguous | Match
) -> None:
    """Without the child's templates, the next examination matches the face to Ben, her twin."""
    home = world.home
    world.make_pupil(ANN)
    item = world.make_item(face, matches(CAT), boxes=BOXES)
    erase_pupil(home, ANN, "d.officer")
    seen = from_json(Item.objects.get(pk=item.pk).evidence)
    assert isinstance(seen, Examined)
    as_ben = replace(seen.faces[0], identity=Match(BEN, 0.3, 0.2))
    seen = replace(seen, faces=(as_ben, *seen.faces[1:]))
    Item.objects.filter(pk=item.pk).update(evidence=to_json(seen))
    assert decided_again(home, item) != "released"


def test_an_approved_crop_without_the_child_waits_again(world: World) -> None:
    """The child must never be published, and her head lies outside the crop."""
    home = world.home
    world.make_pupil(ANN, never_publish=True)
    item = world.make_item(matches(ANN), matches(BEN), boxes=BOXES)
    review.crop(at_current_revision(home, "j.shaw", item.pk), Box(700, 100, 500, 700))
    PupilEntry.objects.filter(admission_number=ANN).update(never_publish=False)
    review.release(at_current_revision(home, "j.shaw", item.pk), CHANNELS, "I know him")
    PupilEntry.objects.filter(admission_number=ANN).update(never_publish=True)
    assert decided_again(home, item) != "released"
    item.publications.all().delete()
    erase_pupil(home, ANN, "d.officer")
    assert decided_again(home, item) != "released"
    assert not item.approvals.exists()
    review.tag_face(at_current_revision(home, "j.shaw", item.pk), 0, Tag(TagKind.BLURRED))
    assert decided_again(home, item) != "released"
    review.release(at_current_revision(home, "j.shaw", item.pk), ["website"], "I know him")
    assert verdict_of(item) == "released", "a person decided again"


def test_a_picture_of_the_consented_brother_waits_for_a_person(world: World) -> None:
    home = world.home
    world.make_pupil(ANN, enrolled=False, said_no_to=CHANNELS, family_group="F1")
    PupilEntry.objects.filter(admission_number=BEN).update(family_group="F1")
    item = world.make_item(matches(BEN))
    assert verdict_of(item) == "held"
    certificate = erase_pupil(home, ANN, "d.officer")
    assert certificate["destroyed"]["pictures_for_a_person"] == 1
    assert decided_again(home, item) == "held"
    assert [tag.kind for tag in item.tags.all()] == ["cannot_tell"]


def test_a_picture_of_a_child_whom_the_models_confuse_with_her_waits_for_a_person(
    world: World,
) -> None:
    home = world.home
    ann = world.make_pupil(ANN, said_no_to=CHANNELS)
    Lookalike.objects.create(first=ann, second=PupilEntry.objects.get(admission_number=BEN))
    item = world.make_item(matches(BEN))
    assert verdict_of(item) == "held"
    erase_pupil(home, ANN, "d.officer")
    assert decided_again(home, item) == "held"


def test_a_face_that_staff_named_her_against_the_machine_is_not_cleared(world: World) -> None:
    home = world.home
    world.make_pupil(ANN, said_no_to=CHANNELS)
    item = world.make_item(matches(BEN), matches(CAT), boxes=BOXES)
    review.tag_face(at_current_revision(home, "j.shaw", item.pk), 0, Tag(TagKind.PUPIL, ANN))
    assert verdict_of(item) != "released"
    erase_pupil(home, ANN, "d.officer")
    assert decided_again(home, item) != "released"


def test_the_roll_of_an_event_that_named_only_her_frees_nobody(world: World) -> None:
    home = world.home
    world.make_pupil(ANN)
    item = world.make_item(matches(BEN), event="chess")
    name_classes(home, "chess", [ANN], "j.shaw")
    assert decided_again(home, item) != "released"
    item.publications.all().delete()
    item.decisions.all().delete()
    assert decided_again(home, item) == "held"
    erase_pupil(home, ANN, "d.officer")
    assert decided_again(home, item) == "held"


@pytest.mark.dialect
def test_one_of_two_possible_pupils_stays_possible(world: World) -> None:
    home = world.home
    world.make_pupil(ANN, never_publish=True)
    item = world.make_item(Ambiguous((ANN, BEN)), matches(CAT), boxes=BOXES)
    erase_pupil(home, ANN, "d.officer")
    assert decided_again(home, item) == "held"


def test_pictures_that_she_did_not_hold_keep_their_approvals(world: World) -> None:
    home = world.home
    world.make_pupil(ANN)
    item = world.make_item(matches(BEN), matches(CAT), boxes=BOXES)
    review.release(at_current_revision(home, "j.shaw", item.pk), ["website"], "I know them")
    erase_pupil(home, ANN, "d.officer")
    assert verdict_of(item) == "released"
    assert item.approvals.count() == 1
