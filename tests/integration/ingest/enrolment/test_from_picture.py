"""A face of a picture becomes an enrolment photo with consent, for its own pupil."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client

from consent_gate.db import audit_log
from consent_gate.db.models import (
    AuditEntry,
    EnrolmentPhoto,
    Item,
    ItemState,
    Portrait,
    Template,
    User,
)
from consent_gate.home.home import Home
from consent_gate.model import Tag, TagKind
from consent_gate.operations import demo
from consent_gate.register.portraits import portrait_of
from consent_gate.register.repository import load_gallery
from consent_gate.review import service as review
from ingest.enrolment.from_picture import (
    ALREADY_ENROLLED,
    NOT_ALIKE,
    NOT_ALLOWED,
    NOT_TAGGED,
    SAME_PICTURE,
    CannotEnrol,
    enrol_face,
)
from publish.retention import erase_item
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import
from tests.support.cached_analysis import CachedPool
from tests.support.factories import World

ROBIN, KIT, JO = "000101", "000102", "000103"
LogIn = Callable[[User], Client]


def picture(name: str) -> Item:
    return Item.objects.get(source__contains=name)


def say(home: Home, item: Item, face: int, number: str) -> None:
    review.tag_face(
        review.at_current_revision(home, "j.shaw", item.pk), face, Tag(TagKind.PUPIL, number)
    )


def give_jo_consent_to_matching(home: Home) -> None:
    """By an export; no portrait of Jo was ever sent."""
    export = demo.EXPORT.replace("Year  6,T,T,T,,", "Year  6,T,T,T,T,")
    run_import(home, ExportFile("next.csv", export.encode()), (), "office")


@pytest.fixture
def relay(demo_school: Home) -> Item:
    """Robin and Jo, whom nobody recognises yet; staff say who it is."""
    give_jo_consent_to_matching(demo_school)
    item = picture("06 relay")
    say(demo_school, item, 1, JO)
    return item


@pytest.mark.dialect
def test_a_named_face_becomes_an_enrolment_photo(demo_school: Home, relay: Item) -> None:
    assert JO not in load_gallery(demo_school).pupils
    assert enrol_face(demo_school, relay.pk, 1, "j.shaw", CachedPool) == JO
    assert JO in load_gallery(demo_school).pupils
    photo = EnrolmentPhoto.objects.get(pupil__admission_number=JO)
    assert (photo.item, photo.face, photo.added_by) == (relay, 1, "j.shaw")
    assert photo.taken_on == relay.received_at.date()
    assert portrait_of(demo_school, JO) is not None
    told = AuditEntry.objects.filter(action="templates.made").latest("sequence")
    assert (told.actor, told.detail["picture"]) == ("j.shaw", relay.pk)
    assert audit_log.verify(demo_school) == []


@pytest.mark.dialect
def test_a_face_is_not_enrolled_without_consent_to_matching(demo_school: Home) -> None:
    item = picture("06 relay")
    say(demo_school, item, 1, JO)
    with pytest.raises(CannotEnrol, match=NOT_ALLOWED):
        enrol_face(demo_school, item.pk, 1, "j.shaw", CachedPool)
    assert not EnrolmentPhoto.objects.filter(pupil__admission_number=JO).exists()


@pytest.mark.dialect
def test_a_face_nobody_named_is_not_enrolled(demo_school: Home) -> None:
    with pytest.raises(CannotEnrol, match=NOT_TAGGED):
        enrol_face(demo_school, picture("01 winner").pk, 0, "j.shaw", CachedPool)
    assert Template.objects.count() == 4


def test_a_visitor_tagged_as_a_pupil_does_not_become_that_pupil(demo_school: Home) -> None:
    item = picture("07 guest")
    say(demo_school, item, 1, ROBIN)
    with pytest.raises(CannotEnrol, match=NOT_ALIKE):
        enrol_face(demo_school, item.pk, 1, "j.shaw", CachedPool)
    assert Template.objects.count() == 4


def test_a_pupil_tagged_as_another_does_not_become_the_other(demo_school: Home) -> None:
    """Jo has no enrolment photo to compare with, but the face is Kit's."""
    give_jo_consent_to_matching(demo_school)
    item = picture("04 judge")
    say(demo_school, item, 0, JO)
    with pytest.raises(CannotEnrol, match=f"looks like pupil {KIT}"):
        enrol_face(demo_school, item.pk, 0, "j.shaw", CachedPool)
    assert JO not in load_gallery(demo_school).pupils


@pytest.mark.dialect
def test_a_face_is_enrolled_once(demo_school: Home, relay: Item) -> None:
    enrol_face(demo_school, relay.pk, 1, "j.shaw", CachedPool)
    with pytest.raises(CannotEnrol, match=ALREADY_ENROLLED):
        enrol_face(demo_school, relay.pk, 1, "j.shaw", CachedPool)


@pytest.mark.dialect
def test_of_one_picture_a_pupil_has_one_enrolment_photo(demo_school: Home) -> None:
    """Two faces tagged as the same pupil, as in a picture put together from two."""
    item = picture("01 winner")
    say(demo_school, item, 0, ROBIN)
    photo = a_stored_photo(demo_school, item)
    photo.face = 1
    photo.save()
    with pytest.raises(CannotEnrol, match=SAME_PICTURE):
        enrol_face(demo_school, item.pk, 0, "j.shaw", CachedPool)
    assert photos_of_robin() == 2


def a_stored_photo(home: Home, item: Item) -> EnrolmentPhoto:
    """As if the face had been enrolled; no worker is needed to see it go."""
    robin = EnrolmentPhoto.objects.get(pupil__admission_number=ROBIN)
    photo = EnrolmentPhoto.objects.create(
        pupil=robin.pupil,
        sha256=item.sha256,
        first_imported_on=home.now().date(),
        item=item,
        face=0,
        added_by="j.shaw",
    )
    for template in robin.templates.all():
        template.pk, template.photo = None, photo
        template.save()
    return photo


def photos_of_robin() -> int:
    return EnrolmentPhoto.objects.filter(pupil__admission_number=ROBIN).count()


@pytest.mark.dialect
def test_a_corrected_tag_takes_its_enrolment_photo_back(demo_school: Home) -> None:
    item = picture("01 winner")
    say(demo_school, item, 0, ROBIN)
    a_stored_photo(demo_school, item)
    say(demo_school, item, 0, ROBIN)
    assert photos_of_robin() == 2, "nothing else was said"
    say(demo_school, item, 0, KIT)
    assert photos_of_robin() == 1


@pytest.mark.dialect
def test_faces_recognised_by_a_wrong_photo_are_examined_again(demo_school: Home) -> None:
    item, other = picture("01 winner"), picture("07 guest")
    say(demo_school, item, 0, ROBIN)
    a_stored_photo(demo_school, item)
    assert other.shown.filter(admission_number=ROBIN).exists()
    review.untag_face(review.at_current_revision(demo_school, "j.shaw", item.pk), 0)
    other.refresh_from_db()
    assert other.state == ItemState.RECEIVED
    assert picture("04 judge").state == ItemState.DECIDED, "Robin is not in it"


@pytest.mark.dialect
def test_an_erased_picture_takes_its_enrolment_photo_along(demo_school: Home) -> None:
    item = picture("07 guest")
    a_stored_photo(demo_school, item)
    with transaction.atomic():
        erase_item(demo_school, item, "refused_days")
    assert photos_of_robin() == 1


@pytest.mark.dialect
def test_a_sealed_picture_leaves_no_enrolment_photo(demo_school: Home) -> None:
    item = picture("07 guest")
    a_stored_photo(demo_school, item)
    review.seal(review.at_current_revision(demo_school, "j.shaw", item.pk))
    assert photos_of_robin() == 1


@pytest.mark.dialect
def test_a_withdrawal_takes_faces_of_pictures_as_well(demo_school: Home) -> None:
    a_stored_photo(demo_school, picture("01 winner"))
    export = demo.EXPORT.replace("Year  3,T,T,T,T,", "Year  3,T,T,T,F,")
    run_import(demo_school, ExportFile("next.csv", export.encode()), (), "office")
    assert photos_of_robin() == 0
    assert Portrait.objects.count() == 1


def test_the_page_asks_twice_and_says_what_stands_in_the_way(
    demo_school: Home, logged_in: LogIn
) -> None:
    settings.CONSENT_GATE_HOME = demo_school
    client = logged_in(World(demo_school).make_user("j.shaw"))
    item = picture("06 relay")
    say(demo_school, item, 1, JO)
    item.refresh_from_db()
    page = f"/pictures/{item.pk}/?face=2"
    assert NOT_ALLOWED in client.get(page).content.decode()
    give_jo_consent_to_matching(demo_school)
    item.refresh_from_db()
    assert "I am sure that this is Jo Fenwick" in client.get(page).content.decode()
    form = {"revision": item.revision}
    client.post(f"/pictures/{item.pk}/faces/1/enrol/", form)
    assert JO not in load_gallery(demo_school).pupils
    client.post(f"/pictures/{item.pk}/faces/1/enrol/", {**form, "sure": "yes"})
    assert JO in load_gallery(demo_school).pupils
    assert "One of Jo Fenwick\u2019s enrolment photos" in client.get(page).content.decode()
