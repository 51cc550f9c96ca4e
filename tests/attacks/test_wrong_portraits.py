"""Portraits that lie under a wrong name: the gate must not publish the wrong child by them."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from consent_gate.db.models import (
    AuditEntry,
    ConsentAnswer,
    EnrolmentPhoto,
    Item,
    ItemState,
    Publication,
    PupilEntry,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.model import BIOMETRIC, Box
from consent_gate.register.repository import load_gallery, load_register
from consent_gate.review import service
from consent_gate.review.validation import NotReviewable
from ingest.enrolment.confirmation import (
    confirm_photos,
    reject_photo,
    waiting_in_class,
    waiting_photos,
)
from ingest.enrolment.enrol import enrol
from ingest.enrolment.enrolment_report import EnrolmentReport, photos_report
from ingest.pipeline import ingest_once
from tests.support.cached_analysis import CachedPool
from tests.support.demo_portraits import COLLINS, HOPPER, OBAMA, OTHER_OBAMA, portrait_jpeg
from tests.support.factories import World, matches
from tests.support.imports import consent_csv, import_csv, verdict_of
from tests.support.photo_source import PhotosInMemory

ANN, BEN = "007001", "007002"
STRANGERS = 24


def bring(home: Home, **photos: bytes) -> EnrolmentReport:
    """Import portraits; the keywords are admission numbers after an underscore."""
    named = {f"{number.strip('_')}.jpg": jpeg for number, jpeg in photos.items()}
    return enrol(home, PhotosInMemory(named), {}, "office", lambda *_: None, open_pool=CachedPool)


def confirm_all(home: Home) -> None:
    confirm_photos(home, [photo.pk for photo in waiting_photos(home)], "j.shaw")


def photos_of(number: str) -> list[EnrolmentPhoto]:
    return list(EnrolmentPhoto.objects.filter(pupil__admission_number=number).order_by("pk"))


def test_swapped_first_portraits_release_nobody_until_a_person_confirms_them(home: Home) -> None:
    import_csv(home, consent_csv())
    bring(home, _007001=portrait_jpeg(COLLINS), _007002=portrait_jpeg(OBAMA))
    (home.inbox / "day").mkdir()
    (home.inbox / "day" / "1.jpg").write_bytes(portrait_jpeg(OTHER_OBAMA))
    ingest_once(home, lambda *_: None, CachedPool)
    item = Item.objects.get()
    assert verdict_of(item) == "held"
    assert item.decisions.get(channel="website").reasons == ["enrolment_unconfirmed"]
    confirm_all(home)
    item.refresh_from_db()
    assert item.state == ItemState.RECEIVED, "it is examined again before it is released"
    ingest_once(home, lambda *_: None, CachedPool)
    assert verdict_of(item) == "released"


@pytest.mark.parametrize("stranger", [COLLINS, HOPPER])
def test_a_second_portrait_of_somebody_else_is_refused(home: Home, stranger: str) -> None:
    import_csv(home, consent_csv())
    bring(home, _007001=portrait_jpeg(OBAMA))
    confirm_all(home)
    done = bring(home, _007001=portrait_jpeg(stranger))
    assert done.enrolled == ()
    assert "does not look like the pupil" in dict(done.not_enrolled)[ANN]
    assert len(photos_of(ANN)) == 1


def test_a_second_portrait_that_differs_from_an_unconfirmed_one_puts_both_in_doubt(
    home: Home,
) -> None:
    import_csv(home, consent_csv())
    bring(home, _007001=portrait_jpeg(COLLINS))
    done = bring(home, _007001=portrait_jpeg(OBAMA))
    assert done.in_doubt == (ANN,)
    assert any(ANN in warning["message"] for warning in photos_report(done)["warnings"])
    result = confirm_photos(home, [p.pk for p in waiting_in_class(home, "3W")], "j.shaw")
    assert result.left_out == (ANN,)
    assert not EnrolmentPhoto.objects.exclude(confirmed_at=None).exists()

    wrong, right = photos_of(ANN)
    assert reject_photo(home, wrong, "j.shaw") == 0
    assert confirm_photos(home, [right.pk], "j.shaw").confirmed == (ANN,)


def test_a_new_portrait_of_a_confirmed_pupil_counts_only_once_it_is_confirmed(home: Home) -> None:
    import_csv(home, consent_csv())
    bring(home, _007001=portrait_jpeg(OBAMA))
    confirm_all(home)
    EnrolmentPhoto.objects.update(taken_on=home.now().date() - timedelta(days=600))
    bring(home, _007001=portrait_jpeg(OTHER_OBAMA))
    today = home.now().date()
    assert load_gallery(home).template_count == 1
    pupil = load_register(today).pupils[ANN]
    assert pupil.enrolment_confirmed
    assert pupil.enrolled_on != today, "the old photo does not grow young by the new one"
    confirm_all(home)
    assert load_gallery(home).template_count == 2
    assert load_register(today).pupils[ANN].enrolled_on == today


def test_a_portrait_that_arrived_after_the_page_was_shown_is_not_confirmed_with_it(
    home: Home,
) -> None:
    import_csv(home, consent_csv())
    bring(home, _007001=portrait_jpeg(OBAMA))
    shown = [photo.pk for photo in waiting_photos(home)]
    bring(home, _007002=portrait_jpeg(COLLINS))
    confirm_photos(home, shown, "j.shaw")
    assert photos_of(ANN)[0].confirmed_by == "j.shaw"
    assert photos_of(BEN)[0].confirmed_at is None


def test_a_confirmed_portrait_that_shows_somebody_else_takes_its_pictures_back(
    home: Home,
) -> None:
    import_csv(home, consent_csv())
    bring(home, _007001=portrait_jpeg(OBAMA))
    confirm_all(home)
    other = World(home).make_item(matches(BEN))
    item = World(home).make_item(matches(ANN))
    Publication.objects.update(state="live", released_at=home.now())
    (photo,) = photos_of(ANN)
    assert reject_photo(home, photo, "j.shaw") > 0
    assert not Template.objects.exists()
    assert not Publication.objects.filter(item=item, state="live").exists()
    assert verdict_of(item) == "withdrawn"
    item.refresh_from_db()
    assert item.state == ItemState.RECEIVED, "it is examined again"
    assert other.publications.count() == 0 or other.publications.filter(state="live").exists()
    assert AuditEntry.objects.filter(action="templates.destroyed", actor="j.shaw").exists()


def test_a_brother_whose_portrait_nobody_confirmed_guards_like_one_without(home: Home) -> None:
    import_csv(home, consent_csv())
    PupilEntry.objects.filter(admission_number__in=(ANN, BEN)).update(family_group="f")
    bring(home, _007001=portrait_jpeg(OBAMA), _007002=portrait_jpeg(COLLINS))
    (photo,) = photos_of(ANN)
    confirm_photos(home, [photo.pk], "j.shaw")
    assert load_register(home.now().date()).pupils[ANN].has_unenrolled_sibling
    confirm_all(home)
    assert not load_register(home.now().date()).pupils[ANN].has_unenrolled_sibling


def test_the_photo_of_a_pupil_who_lost_consent_cannot_be_confirmed(home: Home) -> None:
    import_csv(home, consent_csv())
    bring(home, _007001=portrait_jpeg(OBAMA))
    keys = [photo.pk for photo in waiting_photos(home)]
    ConsentAnswer.objects.filter(purpose=BIOMETRIC).update(answer="refused")
    assert confirm_photos(home, keys, "j.shaw").confirmed == ()


def people_with_two_photos(folder: Path) -> list[tuple[bytes, bytes]]:
    people = [sorted(person.glob("*.jpg"))[:2] for person in sorted(folder.iterdir())]
    pairs = [paths for paths in people if len(paths) == 2][: 2 * STRANGERS]
    return [(enlarged(first), enlarged(second)) for first, second in pairs]


def enlarged(path: Path) -> bytes:
    out = io.BytesIO()
    with Image.open(path) as picture:
        picture.convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


@pytest.mark.slow
def test_second_portraits_of_other_people_are_refused(home: Home, shared_data: Path) -> None:
    """And a second portrait of the same person is not: that would cost a school its time."""
    pairs = people_with_two_photos(shared_data / "faces" / "people")
    numbers = [f"{7001 + at:06d}" for at in range(STRANGERS)]
    import_csv(home, consent_csv(**{f"_{number}": "T,T,T,T,," for number in numbers}))
    first = {f"_{n}": pair[0] for n, pair in zip(numbers, pairs, strict=False)}
    enrolled = bring(home, **first).enrolled
    confirm_all(home)
    strangers = pairs[STRANGERS:]
    wrong = {f"_{n}": pair[0] for n, pair in zip(enrolled, strangers, strict=False)}
    done = bring(home, **wrong)
    assert len(wrong) == len(enrolled) >= 20
    assert len(done.enrolled) <= 1, f"{len(done.enrolled)} of {len(wrong)} wrong portraits"
    right = {f"_{n}": pairs[numbers.index(n)][1] for n in enrolled}
    done_right = bring(home, **right)
    assert len(done_right.enrolled) >= 0.9 * len(right)
    assert load_gallery(home).template_count == len(enrolled), "none counts before a person says so"


def test_a_match_to_a_photo_that_counts_no_longer_clears_nobody(home: Home) -> None:
    import_csv(home, consent_csv())
    World(home).make_user("j.shaw")
    bring(home, _007001=portrait_jpeg(OBAMA))  # another child's photo
    home.inbox.joinpath("day").mkdir()
    (home.inbox / "day" / "1.jpg").write_bytes(portrait_jpeg(OTHER_OBAMA))
    ingest_once(home, lambda *_: None, CachedPool)
    item = Item.objects.get()
    service.add_face(service.at_current_revision(home, "j.shaw", item.pk), Box(0, 0, 10, 10))
    bring(home, _007001=portrait_jpeg(COLLINS))  # the pupil's own
    wrong, right = photos_of(ANN)
    assert wrong.in_doubt
    assert right.in_doubt
    confirm_photos(home, [right.pk], "j.shaw", one_by_one=True)
    item.refresh_from_db()
    assert item.state == ItemState.RECEIVED, "examined again before a person decides about it"
    with pytest.raises(NotReviewable):
        service.untag_face(service.at_current_revision(home, "j.shaw", item.pk), 1)
    ingest_once(home, lambda *_: None, CachedPool)
    item.refresh_from_db()
    assert verdict_of(item) == "held"


def test_two_photos_in_doubt_of_one_pupil_are_not_both_confirmed(home: Home) -> None:
    import_csv(home, consent_csv())
    bring(home, _007001=portrait_jpeg(OBAMA))
    bring(home, _007001=portrait_jpeg(COLLINS))
    both = [photo.pk for photo in photos_of(ANN)]
    result = confirm_photos(home, both, "j.shaw", one_by_one=True)
    assert (result.confirmed, result.left_out) == ((), (ANN,))
