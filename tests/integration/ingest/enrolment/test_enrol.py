"""Which portraits become templates, and which files are never opened."""

from __future__ import annotations

import io
from datetime import date

import numpy as np
import pytest
from PIL import Image

from consent_gate.db import audit_log
from consent_gate.db.models import (
    AuditEntry,
    ConsentAnswer,
    EnrolmentPhoto,
    Item,
    ItemState,
    Lookalike,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.register.repository import load_gallery, load_register
from ingest.enrolment.enrol import enrol
from ingest.enrolment.enrolment_report import EnrolmentReport
from ingest.enrolment.plan import ListedPhoto
from ingest.enrolment.session import EnrolmentSession
from ingest.pipeline import ingest_once
from tests.support.cached_analysis import CachedPool
from tests.support.demo_portraits import COLLINS, OBAMA, OTHER_OBAMA, exif_taken_in, portrait_jpeg
from tests.support.factories import World, matches
from tests.support.imports import consent_csv, database_bytes, import_csv
from tests.support.photo_source import PhotosInMemory

ANN, BEN, CAT = "007001", "007002", "007003"

NO_MATCHING = {f"_{CAT}": "T,T,T,,,"}


def bring_photos(
    home: Home, photos: dict[str, bytes], listed: dict[str, ListedPhoto] | None = None
) -> EnrolmentReport:
    return enrol(
        home,
        PhotosInMemory(photos),
        listed or {},
        "office",
        lambda *_: None,
        open_pool=CachedPool,
    )


def side_by_side(*people: str) -> bytes:
    pictures = [
        Image.open(io.BytesIO(portrait_jpeg(person))).resize((400, 500)) for person in people
    ]
    both = np.concatenate([np.asarray(picture) for picture in pictures], axis=1)
    out = io.BytesIO()
    Image.fromarray(both).save(out, "JPEG")
    return out.getvalue()


def reasons(done: EnrolmentReport) -> dict[str, str]:
    return dict(done.not_enrolled)


def test_the_files_of_pupils_without_matching_consent_are_never_opened(home: Home) -> None:
    objected = {"_007004": "T,T,T,T,Y,", "_007005": ",,,,,"}
    import_csv(home, consent_csv(**NO_MATCHING, **objected))
    import_csv(home, consent_csv(**NO_MATCHING, **objected, _007006="gone"))
    others = [f"{number}.jpg" for number in (CAT, "007004", "007005", "007006", "999999")]
    box = PhotosInMemory(
        {f"{ANN}.jpg": portrait_jpeg(OBAMA), **dict.fromkeys(others, b"never to be read")}
    )
    done = enrol(home, box, {}, "office", lambda *_: None, open_pool=CachedPool)
    assert done.enrolled == (ANN,)
    assert box.opened == {f"{ANN}.jpg"}
    told = reasons(done)
    assert sorted(told) == [CAT, "007004", "007005", "007006", "999999.jpg"]
    assert "objects" in told["007004"]
    assert "left" in told["007006"]


def test_a_portrait_with_two_people_or_nobody_enrols_no_one(home: Home) -> None:
    import_csv(home, consent_csv())
    out = io.BytesIO()
    Image.new("RGB", (500, 600), (90, 140, 200)).save(out, "JPEG")
    photos = {
        f"{ANN}.jpg": side_by_side(OBAMA, COLLINS),
        f"{BEN}.jpg": out.getvalue(),
        f"{CAT}.jpg": b"\xff\xd8 not a whole picture",
    }
    done = bring_photos(home, photos)
    assert done.enrolled == ()
    told = reasons(done)
    assert "more than one person" in told[ANN]
    assert "No face" in told[BEN]
    assert told[CAT]
    assert not EnrolmentPhoto.objects.exists()


def test_a_portrait_that_lies_on_its_side_is_taken_as_the_upright_one_would_be(home: Home) -> None:
    import_csv(home, consent_csv())
    lying = io.BytesIO()
    upright = Image.open(io.BytesIO(portrait_jpeg(OBAMA)))
    upright.transpose(Image.Transpose.ROTATE_90).save(lying, "JPEG", quality=90)
    done = bring_photos(home, {f"{ANN}.jpg": lying.getvalue()})
    assert done.enrolled == (ANN,)
    done = bring_photos(home, {f"{BEN}.jpg": portrait_jpeg(OBAMA)})
    assert ANN in reasons(done)[BEN], "the same person"


def test_twins_are_listed_as_lookalikes_also_when_enrolling_is_stopped_halfway(home: Home) -> None:
    """Somebody presses Ctrl-C: whoever is enrolled by then is compared with everybody."""
    import_csv(home, consent_csv().replace(",F1,", ",F2,"))
    twins = {f"{ANN}.jpg": portrait_jpeg(OBAMA), f"{BEN}.jpg": portrait_jpeg(OTHER_OBAMA)}

    def stop_at_the_third(number: int, _: int) -> None:
        if number == 3:
            raise KeyboardInterrupt

    box = PhotosInMemory({**twins, f"{CAT}.jpg": portrait_jpeg(COLLINS)})
    with pytest.raises(KeyboardInterrupt):
        enrol(home, box, {}, "office", stop_at_the_third, open_pool=CachedPool)
    pairs = Lookalike.objects.values_list("first__admission_number", "second__admission_number")
    assert list(pairs) == [(ANN, BEN)]


@pytest.mark.dialect
def test_twins_are_listed_as_lookalikes_also_when_enrolling_was_killed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither Ctrl-C nor an error: the machine lost its power. The next round notes it first."""
    import_csv(home, consent_csv().replace(",F1,", ",F2,"))
    monkeypatch.setattr(EnrolmentSession, "finish", lambda _: ((), 0))
    bring_photos(
        home, {f"{ANN}.jpg": portrait_jpeg(OBAMA), f"{BEN}.jpg": portrait_jpeg(OTHER_OBAMA)}
    )
    out = World(home).make_item(matches(ANN))
    ConsentAnswer.objects.filter(pupil__admission_number=BEN, purpose="website").delete()
    ingest_once(home, lambda *_: None, CachedPool)
    assert load_register(home.now().date()).pupils[ANN].lookalikes == (BEN,)
    assert "ambiguous_match" in out.decisions.get(channel="website").reasons
    noted = AuditEntry.objects.filter(action="gallery.compared").count()
    ingest_once(home, lambda *_: None, CachedPool)
    assert AuditEntry.objects.filter(action="gallery.compared").count() == noted, "once is enough"


@pytest.mark.dialect
def test_a_photo_in_doubt_is_remembered_although_enrolling_was_killed(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_csv(home, consent_csv())
    bring_photos(home, {f"{ANN}.jpg": portrait_jpeg(OBAMA)})
    monkeypatch.setattr(EnrolmentSession, "finish", lambda _: ((), 0))
    bring_photos(home, {f"{BEN}.jpg": portrait_jpeg(OTHER_OBAMA)})
    assert load_register(home.now().date()).pupils[ANN].lookalikes == (BEN,)


def test_the_same_photo_for_two_pupils_enrols_neither(home: Home) -> None:
    import_csv(home, consent_csv())
    photo = portrait_jpeg(OBAMA)
    done = bring_photos(home, {f"{ANN}.jpg": photo, f"{BEN}.jpg": photo})
    assert done.enrolled == ()
    assert set(reasons(done)) == {ANN, BEN}


def test_of_two_new_photos_that_look_alike_neither_is_taken(home: Home) -> None:
    import_csv(home, consent_csv())
    done = bring_photos(
        home, {f"{ANN}.jpg": portrait_jpeg(OBAMA), f"{BEN}.jpg": portrait_jpeg(OTHER_OBAMA)}
    )
    assert done.enrolled == ()
    assert set(reasons(done)) == {ANN, BEN}
    assert not Template.objects.exists()
    assert audit_log.verify(home) == []


@pytest.mark.dialect
def test_faces_recognised_by_a_photo_in_doubt_are_examined_again(home: Home) -> None:
    """The gate goes on meanwhile: Ann was enrolled for a minute, perhaps with Ben's face."""
    import_csv(home, consent_csv())
    photos = {f"{ANN}.jpg": portrait_jpeg(OBAMA), f"{BEN}.jpg": portrait_jpeg(OTHER_OBAMA)}
    between: list[Item] = []

    def a_picture_is_decided(number: int, _: int) -> None:
        if number == 2:
            between.append(World(home).make_item(matches(ANN)))

    enrol(home, PhotosInMemory(photos), {}, "office", a_picture_is_decided, open_pool=CachedPool)
    (item,) = between
    assert item.decisions.get(channel="website").verdict == "held"
    item.refresh_from_db()
    assert item.state == ItemState.RECEIVED


def test_a_photo_like_an_enrolled_pupils_is_refused_and_doubts_both(home: Home) -> None:
    import_csv(home, consent_csv())
    bring_photos(home, {f"{ANN}.jpg": portrait_jpeg(OBAMA)})
    done = bring_photos(home, {f"{BEN}.jpg": portrait_jpeg(OTHER_OBAMA)})
    assert done.enrolled == ()
    assert ANN in reasons(done)[BEN]
    register = load_register(home.now().date())
    assert register.pupils[ANN].lookalikes == (BEN,), "the gate would take Ben for Ann"

    done = bring_photos(home, {f"{BEN}.jpg": portrait_jpeg(COLLINS)})
    assert done.enrolled == (BEN,)
    assert not Lookalike.objects.exists(), "the right photo of Ben ends the doubt"


def test_twins_are_enrolled_and_listed_as_lookalikes(home: Home) -> None:
    import_csv(home, consent_csv().replace(",F2,", ",F1,"))
    done = bring_photos(
        home, {f"{ANN}.jpg": portrait_jpeg(OBAMA), f"{BEN}.jpg": portrait_jpeg(OTHER_OBAMA)}
    )
    assert set(done.enrolled) == {ANN, BEN}
    assert done.lookalikes == ((ANN, BEN),)


@pytest.mark.dialect
def test_enrolling_the_same_photos_again_changes_nothing(home: Home) -> None:
    import_csv(home, consent_csv())
    photos = {f"{ANN}.jpg": portrait_jpeg(OBAMA)}
    bring_photos(home, photos)
    rows = list(Template.objects.values_list("pk", flat=True))
    done = bring_photos(home, photos)
    assert (done.enrolled, done.not_enrolled) == ((), ())
    assert list(Template.objects.values_list("pk", flat=True)) == rows


@pytest.mark.dialect
def test_templates_of_other_models_are_replaced_not_mixed(home: Home) -> None:
    import_csv(home, consent_csv())
    photos = {f"{ANN}.jpg": portrait_jpeg(OBAMA)}
    bring_photos(home, photos)
    Template.objects.update(model_version="older")
    done = bring_photos(home, photos)
    assert done.enrolled == (ANN,)
    assert Template.objects.count() == 2
    assert load_gallery(home).pupils == (ANN,)


@pytest.mark.dialect
def test_no_vector_lies_in_the_database_in_the_clear(home: Home) -> None:
    import_csv(home, consent_csv())
    bring_photos(home, {f"{ANN}.jpg": portrait_jpeg(OBAMA)})
    data = database_bytes(home)
    for vectors in load_gallery(home).vectors.values():
        assert vectors.astype("<f4").tobytes()[:64] not in data


def test_the_portraits_own_date_counts_and_an_old_one_cannot_clear_alone(home: Home) -> None:
    import_csv(home, consent_csv())
    bring_photos(home, {f"{ANN}.jpg": portrait_jpeg(OBAMA, exif=exif_taken_in(2021))})
    assert EnrolmentPhoto.objects.get().taken_on == date(2021, 9, 4)
    assert load_register(home.now().date()).pupils[ANN].enrolled_on == date(2021, 9, 4)


def test_of_two_dates_the_older_counts(home: Home) -> None:
    import_csv(home, consent_csv())
    listed = {f"{ANN}.jpg": ListedPhoto(ANN, date(2020, 9, 4))}
    bring_photos(home, {f"{ANN}.jpg": portrait_jpeg(OBAMA, exif=exif_taken_in(2021))}, listed)
    assert EnrolmentPhoto.objects.get().taken_on == date(2020, 9, 4)


def test_a_photo_without_a_date_counts_from_today_and_is_reported(home: Home) -> None:
    import_csv(home, consent_csv())
    done = bring_photos(home, {f"{ANN}.jpg": portrait_jpeg(OBAMA)})
    assert done.undated == 1
    assert load_register(home.now().date()).pupils[ANN].enrolled_on == home.now().date()


def test_the_day_a_person_gives_counts_for_photos_that_do_not_tell(home: Home) -> None:
    import_csv(home, consent_csv())
    ben = portrait_jpeg(COLLINS, exif=exif_taken_in(2021))
    photos, said = (
        PhotosInMemory({f"{ANN}.jpg": portrait_jpeg(OBAMA), f"{BEN}.jpg": ben}),
        date(2022, 9, 4),
    )
    done = enrol(home, photos, {}, "office", lambda *_: None, said, CachedPool)
    assert done.undated == 0
    days = dict(EnrolmentPhoto.objects.values_list("pupil__admission_number", "taken_on"))
    assert days == {ANN: said, BEN: date(2021, 9, 4)}
