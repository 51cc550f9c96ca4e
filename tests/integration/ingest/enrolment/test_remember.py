"""A face that staff name is remembered: offered, counted, confirmed, undone, and never alone."""

from __future__ import annotations

import pytest

from consent_gate.db.models import (
    AuditEntry,
    ConsentAnswer,
    EnrolmentPhoto,
    FaceToRemember,
    Item,
    ItemState,
)
from consent_gate.home.home import Home
from consent_gate.model import BIOMETRIC, Tag, TagKind
from consent_gate.register.repository import load_gallery
from consent_gate.review import service as review
from ingest.enrolment.remember import (
    ENOUGH,
    ask_to_remember,
    may_be_ticked,
    may_be_ticked_by_hand,
    offer_for,
    remember_queued,
    remembered_of,
)
from tests.support.cached_analysis import CachedPool
from tests.support.unsure_faces import make_unsure

ROBIN, KIT, JO = "000101", "000102", "000103"


def picture(name: str) -> Item:
    return Item.objects.get(source__contains=name)


def say(home: Home, item: Item, face: int, number: str) -> None:
    action = review.at_current_revision(home, "j.shaw", item.pk)
    review.tag_face(action, face, Tag(TagKind.PUPIL, number))


@pytest.fixture
def judge(demo_school: Home) -> Item:
    """Kit's face in a picture, of which the machine is not sure."""
    item = picture("04 judge")
    make_unsure(item, 0, KIT)
    return item


@pytest.mark.dialect
def test_a_ticked_face_becomes_a_confirmed_template(demo_school: Home, judge: Item) -> None:
    assert may_be_ticked(demo_school, judge, 0)
    say(demo_school, judge, 0, KIT)
    before = load_gallery(demo_school).template_count
    assert ask_to_remember(demo_school, judge, 0, "j.shaw")
    assert remember_queued(demo_school, CachedPool) == 1
    assert not FaceToRemember.objects.exists()
    photo = EnrolmentPhoto.objects.get(item=judge)
    assert (photo.pupil.admission_number, photo.confirmed_by) == (KIT, "j.shaw")
    gallery = load_gallery(demo_school)
    assert gallery.template_count == before + 1
    assert gallery.remembered is not None
    assert gallery.remembered.sum() == 1
    told = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"templates.made", "enrolment.confirmed", "event.examined_again"} <= told


def test_the_events_other_held_pictures_are_examined_again_at_once(
    demo_school: Home, judge: Item
) -> None:
    held = picture("06 relay")
    assert held.state == ItemState.DECIDED
    say(demo_school, judge, 0, KIT)
    ask_to_remember(demo_school, judge, 0, "j.shaw")
    remember_queued(demo_school, CachedPool)
    held.refresh_from_db()
    assert held.state == ItemState.RECEIVED


@pytest.mark.dialect
def test_removing_the_tag_removes_the_template(demo_school: Home, judge: Item) -> None:
    say(demo_school, judge, 0, KIT)
    ask_to_remember(demo_school, judge, 0, "j.shaw")
    remember_queued(demo_school, CachedPool)
    review.untag_face(review.at_current_revision(demo_school, "j.shaw", judge.pk), 0)
    assert not EnrolmentPhoto.objects.filter(item=judge).exists()


def test_naming_somebody_else_before_it_is_made_makes_nothing(
    demo_school: Home, judge: Item
) -> None:
    say(demo_school, judge, 0, KIT)
    ask_to_remember(demo_school, judge, 0, "j.shaw")
    say(demo_school, judge, 0, ROBIN)
    assert remember_queued(demo_school, CachedPool) == 0
    assert not EnrolmentPhoto.objects.filter(item=judge).exists()


@pytest.mark.parametrize(("nearest", "mirror"), [(None, 0.98), (ROBIN, 0.98), (KIT, 0.9)])
def test_the_tick_stands_ready_only_for_the_nearest_pupil_and_a_good_face(
    demo_school: Home, nearest: str | None, mirror: float
) -> None:
    item = picture("04 judge")
    make_unsure(item, 0, nearest, mirror)
    say(demo_school, item, 0, KIT)
    offer = offer_for(demo_school, item, 0)
    assert offer is not None
    assert not offer.ticked
    assert not ask_to_remember(demo_school, item, 0, "j.shaw")


def test_a_face_that_is_another_pupils_is_refused_with_the_reason(
    demo_school: Home, judge: Item
) -> None:
    make_unsure(judge, 0, ROBIN)
    say(demo_school, judge, 0, ROBIN)
    assert ask_to_remember(demo_school, judge, 0, "j.shaw")
    assert remember_queued(demo_school, CachedPool) == 0
    assert "does not look like" in FaceToRemember.objects.get().refusal
    assert not EnrolmentPhoto.objects.filter(item=judge).exists()


def test_it_is_offered_only_with_consent_to_matching(demo_school: Home, judge: Item) -> None:
    say(demo_school, judge, 0, KIT)
    ask_to_remember(demo_school, judge, 0, "j.shaw")
    kit = ConsentAnswer.objects.filter(pupil__admission_number=KIT, purpose=BIOMETRIC)
    kit.update(answer="refused")
    assert not may_be_ticked(demo_school, judge, 0)
    assert remember_queued(demo_school, CachedPool) == 0
    assert not EnrolmentPhoto.objects.filter(item=judge).exists()


def test_only_as_many_faces_as_the_settings_allow(demo_school: Home, judge: Item) -> None:
    say(demo_school, judge, 0, KIT)
    ask_to_remember(demo_school, judge, 0, "j.shaw")
    remember_queued(demo_school, CachedPool)
    assert remembered_of(KIT) == 1
    recognition = demo_school.settings.recognition.model_copy(
        update={"remembered_faces_a_pupil": 1}
    )
    settings = demo_school.settings.model_copy(update={"recognition": recognition})
    strict = type(demo_school)(demo_school.root, settings, demo_school.keys, demo_school.clock)
    item = picture("01 winner")
    make_unsure(item, 0, KIT)
    say(strict, item, 0, KIT)
    offer = offer_for(strict, item, 0)
    assert offer is not None
    assert offer.refusal == ENOUGH


def test_a_person_may_tick_a_good_face_that_the_machine_did_not_know(demo_school: Home) -> None:
    item = picture("04 judge")
    make_unsure(item, 0, None)
    assert may_be_ticked_by_hand(demo_school, item, 0)
    say(demo_school, item, 0, KIT)
    assert not ask_to_remember(demo_school, item, 0, "j.shaw")
    assert ask_to_remember(demo_school, item, 0, "j.shaw", by_hand=True)
    assert remember_queued(demo_school, CachedPool) == 1
    photo = EnrolmentPhoto.objects.get(item=item)
    assert (photo.pupil.admission_number, photo.added_by) == (KIT, "j.shaw")


def test_a_face_of_another_child_is_refused_although_a_person_ticked_it(demo_school: Home) -> None:
    item = picture("04 judge")
    make_unsure(item, 0, None)
    say(demo_school, item, 0, ROBIN)
    assert ask_to_remember(demo_school, item, 0, "j.shaw", by_hand=True)
    assert remember_queued(demo_school, CachedPool) == 0
    assert "does not look like" in FaceToRemember.objects.get().refusal
    assert not EnrolmentPhoto.objects.filter(item=item).exists()


def test_a_poor_face_is_not_remembered_although_a_person_ticked_it(demo_school: Home) -> None:
    item = picture("04 judge")
    make_unsure(item, 0, None, 0.9)
    assert not may_be_ticked_by_hand(demo_school, item, 0)
    say(demo_school, item, 0, KIT)
    assert not ask_to_remember(demo_school, item, 0, "j.shaw", by_hand=True)
    make_unsure(item, 0, KIT)
    assert not may_be_ticked_by_hand(demo_school, item, 0), "there the tick stands ready"


def test_no_tick_of_a_person_replaces_biometric_consent(demo_school: Home) -> None:
    ConsentAnswer.objects.filter(pupil__admission_number=KIT, purpose=BIOMETRIC).delete()
    item = picture("04 judge")
    make_unsure(item, 0, None)
    say(demo_school, item, 0, KIT)
    assert not ask_to_remember(demo_school, item, 0, "j.shaw", by_hand=True)
    assert remember_queued(demo_school, CachedPool) == 0
    assert not EnrolmentPhoto.objects.filter(item=item).exists()


def test_the_first_face_of_a_pupil_waits_for_confirmation_although_a_person_ticked_it(
    demo_school: Home,
) -> None:
    EnrolmentPhoto.objects.filter(pupil__admission_number=KIT).delete()
    item = picture("04 judge")
    make_unsure(item, 0, None)
    say(demo_school, item, 0, KIT)
    assert ask_to_remember(demo_school, item, 0, "j.shaw", by_hand=True)
    assert remember_queued(demo_school, CachedPool) == 1
    assert EnrolmentPhoto.objects.get(item=item).confirmed_at is None
