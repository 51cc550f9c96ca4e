"""The office imports consent and photos in the browser, step by step."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consent_gate.db.models import ConsentAnswer, EnrolmentPhoto, ImportRun, Role, Template, User
from consent_gate.home.home import Home
from consent_gate.operations import demo
from sims_import.applying.drop_folder import process_drop_folder
from tests.conftest import Clock
from tests.support.cached_analysis import enrol_without_workers
from tests.support.factories import World
from tests.support.imports import (
    SHIFTED_ANSWERS,
    UNKNOWN_CAPTION,
    consent_csv,
    consent_csv_of,
    consented_to_website,
    csv_with_caption,
    drop_export,
    drop_folder_names,
    import_csv,
)

LogIn = Callable[[User], Client]


@pytest.fixture
def desk(world: World, logged_in: LogIn) -> Client:
    """Somebody of the office at a browser."""
    ImportRun.objects.all().delete()
    return logged_in(world.make_user("o.ffice", Role.OFFICE))


def upload(desk: Client, text: str | bytes, name: str = "export.csv", **form: object) -> str:
    """Send an export; returns the address it leads to."""
    data = text if isinstance(text, bytes) else text.encode()
    sent = {"export": SimpleUploadedFile(name, data), **form}
    return desk.post("/imports/", sent).headers["Location"]


def page(desk: Client, address: str) -> str:
    return desk.get(address, follow=True).content.decode()


def apply(desk: Client, preview: str, *accept: str) -> str:
    """Press Apply; returns where that leads."""
    form = {"answer": "apply", "accept": list(accept)}
    return desk.post(f"{preview}apply/", form).headers["Location"]


def latest() -> ImportRun:
    return ImportRun.objects.latest("pk")


# --- questions ----------------------------------------------------------------------------------


def test_a_heading_nobody_knows_is_asked_about_with_values_and_the_answer_counts(
    home: Home, desk: Client
) -> None:
    asked = upload(desk, csv_with_caption(_7003="F"))
    assert asked.endswith("/questions/")
    shown = page(desk, asked)
    assert f"column &#x27;{UNKNOWN_CAPTION}&#x27;" in shown or f"'{UNKNOWN_CAPTION}'" in shown
    assert re.findall("<code>([^<]+)</code>", shown) == ["T", "F"], "the column's values"
    assert "Consent for School website" in shown
    preview = desk.post(asked, {f"column:{UNKNOWN_CAPTION}": "consent:website"}).headers["Location"]
    assert "Open questions" not in page(desk, preview)
    assert ConsentAnswer.objects.count() == 0, "nothing changes before Apply"
    apply(desk, preview, "layout")
    assert len(consented_to_website()) == 11
    assert upload(desk, csv_with_caption()).endswith("/questions/") is False, "kept for next term"
    assert 'photos online" = "consent:website"' in latest().mapping


def test_a_question_left_open_is_told_and_grants_nothing(home: Home, desk: Client) -> None:
    asked = upload(desk, csv_with_caption())
    preview = desk.post(asked, {f"column:{UNKNOWN_CAPTION}": ""}).headers["Location"]
    assert "Open questions" in page(desk, preview)
    apply(desk, preview)
    assert consented_to_website() == set()


def test_an_answer_that_was_not_offered_ends_the_import(home: Home, desk: Client) -> None:
    asked = upload(desk, csv_with_caption())
    answered = desk.post(asked, {f"column:{UNKNOWN_CAPTION}": "admission_number"}, follow=True)
    assert "does not belong to its question" in answered.content.decode()
    assert not ImportRun.objects.exists()


# --- looking ------------------------------------------------------------------------------------


def test_every_withdrawal_is_named_before_anything_is_applied(home: Home, desk: Client) -> None:
    import_csv(home, consent_csv_of(400))
    lost = {f"_{7000 + at:06d}": ",T,T,T,," for at in range(39)}
    shown = page(desk, upload(desk, consent_csv_of(400, **lost, _007399="gone")))
    for at in range(39):
        assert f">Name{at} Surname{at}<" in shown
    assert shown.count("loses consent for School website") == 39
    assert "Name399 Surname399" in shown, "who has left, too"
    assert "Name200 Surname200" not in shown, "nobody else"


def test_the_day_a_person_gives_counts_as_the_day_of_the_report(home: Home, desk: Client) -> None:
    day = home.now().date() - timedelta(days=20)
    preview = upload(desk, consent_csv(), exported_on=day.isoformat())
    apply(desk, preview)
    assert latest().exported_on == day
    preview = upload(desk, consent_csv())
    other = day + timedelta(days=3)
    desk.post(preview, {"exported_on": other.isoformat()})
    apply(desk, preview)
    assert latest().exported_on == other
    older = upload(desk, consent_csv(_007001=",T,T,T,,"), exported_on=day.isoformat())
    assert apply(desk, older) != older
    assert latest().exported_on == day


# --- applying -----------------------------------------------------------------------------------


def test_what_is_not_accepted_waits_and_can_be_accepted_later_under_the_persons_name(
    home: Home, desk: Client
) -> None:
    import_csv(home, consent_csv(**SHIFTED_ANSWERS))
    preview = upload(desk, consent_csv(_007039="T,,T,T,,"))
    assert apply(desk, preview) == preview, "back to what is still open"
    assert latest().status == "blocked"
    assert len(consented_to_website()) == 20
    mag = ConsentAnswer.objects.get(pupil__admission_number="007039", purpose="mag")
    assert mag.answer == "not_stated", "a withdrawal never waits"
    assert f'href="{preview}"' in page(desk, "/imports/")

    done = apply(desk, preview, "many-grants:website")
    assert (latest().status, latest().actor) == ("applied", "o.ffice")
    assert latest().accepted == ["many-grants:website"]
    assert done == f"/imports/done/{latest().pk}/"
    assert len(consented_to_website()) == 40
    assert "Applied later" in page(desk, "/imports/")
    assert "Waiting for an answer" not in page(desk, "/imports/")


def test_nothing_an_import_keeps_holds_a_cell_of_the_export(home: Home, desk: Client) -> None:
    odd = consent_csv().replace("Photograph - Website", "Photograph perhaps")
    odd = odd.replace("3W,F7,T", "3W,F7,Annalisa said yes")
    asked = upload(desk, odd)
    assert "Annalisa" in page(desk, asked), "the screen shows values"
    apply(desk, asked.replace("questions/", ""))
    run = latest()
    assert "Annalisa" not in f"{run.summary}{run.mapping}{run.accepted}"


# --- photos -------------------------------------------------------------------------------------


def a_zip(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


def test_photos_sent_with_an_export_are_enrolled_after_it_by_the_gate(
    home: Home, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol_without_workers(monkeypatch)
    photos = SimpleUploadedFile("portraits.zip", a_zip(demo.portraits()))
    preview = upload(desk, demo.EXPORT, photos=photos)
    process_drop_folder(home)
    assert not ImportRun.objects.exists(), "not before somebody said Apply"
    apply(desk, preview)
    run = latest()
    assert (run.status, run.actor) == ("queued", "o.ffice")
    assert "Photos are being processed" in page(desk, "/imports/")
    process_drop_folder(home)
    run.refresh_from_db()
    assert run.status == "applied"
    assert run.summary["enrolled"] == ["000101", "000102"]
    assert Template.objects.count() == 4
    assert list((home.sims / "uploads").iterdir()) == [], "the photos are not kept"
    shown = page(desk, f"/imports/done/{run.pk}/")
    assert "000103" in shown
    assert "There is no biometric consent" in shown


def test_photos_come_alone_or_inside_the_exports_zip(
    home: Home, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrol_without_workers(monkeypatch)
    inside = a_zip({"consent.csv": demo.EXPORT.encode(), **demo.portraits()})
    apply(desk, upload(desk, inside, "all.zip", photos_taken_on="2026-09-04"))
    assert latest().status == "queued"
    process_drop_folder(home)
    assert Template.objects.count() == 4
    assert {photo.taken_on for photo in EnrolmentPhoto.objects.all()} == {date(2026, 9, 4)}
    alone = SimpleUploadedFile("again.zip", a_zip(demo.portraits()))
    assert desk.post("/imports/", {"photos": alone}).headers["Location"] == "/imports/"
    assert (latest().status, latest().file_name) == ("queued", "again.zip")


def test_photos_that_are_no_zip_or_belong_to_a_cancelled_export_are_not_kept(
    home: Home, desk: Client
) -> None:
    wrong = SimpleUploadedFile("photos.zip", b"nothing")
    assert (
        "not a ZIP file of photos"
        in desk.post("/imports/", {"photos": wrong}, follow=True).content.decode()
    )
    photos = SimpleUploadedFile("portraits.zip", a_zip(demo.portraits()))
    preview = upload(desk, demo.EXPORT, photos=photos)
    assert len(list((home.sims / "uploads").iterdir())) == 1
    desk.post(f"{preview}apply/", {"answer": "cancel"})
    assert list((home.sims / "uploads").iterdir()) == []
    assert not ImportRun.objects.exists()


# --- the drop folder's --------------------------------------------------------------------


def test_what_waits_in_the_drop_folder_goes_through_the_same_steps(
    home: Home, desk: Client
) -> None:
    import_csv(home, consent_csv(**SHIFTED_ANSWERS))
    drop_export(home, "next.csv", consent_csv())
    process_drop_folder(home)
    waiting = latest()
    assert f'action="/imports/done/{waiting.pk}/look/"' in page(desk, "/imports/")
    asked = desk.post(f"/imports/done/{waiting.pk}/look/").headers["Location"]
    preview = desk.get(asked).headers["Location"]
    assert "many-grants:website" in page(desk, preview)
    apply(desk, preview, "many-grants:website")
    assert (latest().status, latest().actor) == ("applied", "o.ffice")
    assert len(consented_to_website()) == 40
    assert drop_folder_names(home, "waiting") == []
    assert "next.csv" in drop_folder_names(home, "done")
    assert f"/imports/done/{waiting.pk}/look/" not in page(desk, "/imports/")


NOBODY_ON_THE_WEBSITE = {f"_{7000 + at:06d}": ",T,T,T,," for at in range(40)}


# --- the history --------------------------------------------------------------------------------


def test_the_history_tells_who_which_file_and_what_changed_by_name(
    home: Home, desk: Client
) -> None:
    apply(desk, upload(desk, consent_csv()))
    done = apply(desk, upload(desk, consent_csv(_007003="T,,T,T,,"), "spring.csv"))
    shown = page(desk, done)
    for told in ("spring.csv", "Jo Shaw", latest().file_sha256, "Name3 Surname3", "loses consent"):
        assert told in shown
    assert "Name4 Surname4" not in shown


def test_grants_are_undone_from_the_history_and_withdrawals_stay(home: Home, desk: Client) -> None:
    apply(desk, upload(desk, consent_csv(_007001=",T,T,T,,")))
    done = apply(desk, upload(desk, consent_csv(_007003=",T,T,T,,")))
    assert "Undo what it allowed" in page(desk, done)
    desk.post(f"{done}undo/")
    assert consented_to_website() == {f"{7000 + at:06d}" for at in range(40)} - {"007001", "007003"}
    run = latest()
    assert run.undone_by == "o.ffice"
    shown = page(desk, done)
    assert "Undo what it allowed" not in shown
    assert "undone by Jo Shaw" in shown
    assert "Permissions undone on" in page(desk, "/pupils/007001/")


def test_who_loses_a_consent_is_not_counted_as_changed_once_more(home: Home, desk: Client) -> None:
    apply(desk, upload(desk, consent_csv()))
    apply(desk, upload(desk, consent_csv(_007003="T,,T,T,,"), "spring.csv"))
    assert "1 loses a consent" in page(desk, "/imports/")
    assert "other changes" not in page(desk, "/imports/")


def test_what_has_to_be_confirmed_stands_above_long_lists_of_pupils(
    home: Home, desk: Client
) -> None:
    apply(desk, upload(desk, consent_csv()))
    asked = page(desk, upload(desk, consent_csv(**NOBODY_ON_THE_WEBSITE)))
    assert asked.index("Please confirm, Jo Shaw") < asked.index("Lose a permission <span")


def test_a_stopped_import_that_is_cancelled_says_what_stays_and_what_to_do(
    home: Home, desk: Client
) -> None:
    apply(desk, upload(desk, consent_csv()))
    preview = upload(desk, consent_csv(**NOBODY_ON_THE_WEBSITE), "empty.csv")
    desk.post(f"{preview}apply/", {"answer": "apply"})
    told = desk.post(f"{preview}apply/", {"answer": "cancel"}, follow=True).content.decode()
    assert "Pictures that it held stay held." in told
    assert "upload a corrected file" in told
    untouched = upload(desk, consent_csv(), "good.csv")
    told = desk.post(f"{untouched}apply/", {"answer": "cancel"}, follow=True).content.decode()
    assert "Nothing was changed." in told
    apply(desk, upload(desk, consent_csv(), "good.csv"))
    after = page(desk, "/imports/")
    assert "Waiting for an answer" not in after
    assert "Partly applied" in after


def test_an_import_that_allowed_nothing_offers_nothing_to_take_back(
    home: Home, desk: Client
) -> None:
    apply(desk, upload(desk, consent_csv()))
    done = apply(desk, upload(desk, consent_csv(_007003="T,,T,T,,"), "spring.csv"))
    assert "loses consent" in page(desk, done)
    assert "Undo what it allowed" not in page(desk, done)


def test_the_lead_may_read_an_import_but_not_undo_it(
    world: World, desk: Client, logged_in: LogIn
) -> None:
    done = apply(desk, upload(desk, consent_csv()))
    lead = logged_in(world.make_user("m.reid", Role.SAFEGUARDING_LEAD))
    assert lead.get(done).status_code == 200
    assert "Undo what it allowed" not in lead.get(done).content.decode()
    assert lead.post(f"{done}undo/").status_code == 403
    assert latest().undone_at is None


def test_what_waits_for_a_person_is_told_on_the_page(
    home: Home, desk: Client, clock: Clock
) -> None:
    import_csv(home, consent_csv())
    assert "Waits for somebody" not in page(desk, "/imports/")
    import_csv(home, consent_csv(**{f"_{7000 + at:06d}": ",T,T,T,," for at in range(40)}))
    shown = page(desk, "/imports/")
    assert "Needs attention" in shown
    assert "Many consents for School website disappeared" in shown
    assert "Consent for School website has no yes for anybody" in shown
    clock.pass_days(200)
    assert "too old" in page(desk, "/imports/")


def test_photos_inside_a_zip_larger_than_an_export_are_kept_on_disk(
    home: Home, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the tables of such a ZIP come into memory."""
    enrol_without_workers(monkeypatch)
    monkeypatch.setattr("ingest.enrolment.zip_contents.MAX_EXPORT", 10_000)
    inside = a_zip({"consent.csv": demo.EXPORT.encode(), **demo.portraits()})
    assert len(inside) > 10_000
    apply(desk, upload(desk, inside, "all.zip"))
    process_drop_folder(home)
    assert Template.objects.count() == 4


def test_a_file_far_larger_than_an_export_is_refused_unread(
    home: Home, desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.enrolment.zip_contents.MAX_EXPORT", 1000)
    data = SimpleUploadedFile("consent.csv", b"x" * 1001)
    response = desk.post("/imports/", {"export": data}, follow=True)
    assert "far larger" in response.content.decode()
    assert not list((home.vault / "uploads").glob("*"))
