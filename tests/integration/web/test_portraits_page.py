"""The Portraits page and the commands ``portraits``: who sees and who confirms which portraits."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.cli.portraits import PortraitsChanged
from consent_gate.db.models import AuditEntry, EnrolmentPhoto, Item, PupilEntry, Role, User
from consent_gate.home.home import Home
from consent_gate.model import Tag, TagKind
from consent_gate.operations.contact_sheet import PER_PAGE, SheetEntry, sheet_pages
from consent_gate.operations.health import work_checks
from consent_gate.operations.health.health_check import State
from consent_gate.review import service as review
from consent_gate.subject_rights.access import collect_subject_data, find_pupil
from consent_gate.subject_rights.access_letter import write_letter
from tests.support.factories import World
from tests.support.unsure_faces import make_unsure

ROBIN, KIT = "000101", "000102"
LogIn = Callable[[User], Client]


@pytest.fixture
def waiting(demo_school: Home) -> Home:
    """The demonstration's school before anybody looked at its portraits."""
    settings.CONSENT_GATE_HOME = demo_school
    EnrolmentPhoto.objects.update(confirmed_by="", confirmed_at=None)
    return demo_school


def photo_of(number: str) -> EnrolmentPhoto:
    return EnrolmentPhoto.objects.get(pupil__admission_number=number)


def keys_on(page: str) -> list[str]:
    """What the page names as shown."""
    return re.findall(r'name="shown" value="([^"]+)"', page)


def run(home: Home, *words: str, ends_with: int = 0) -> str:
    connection.close()
    result = CliRunner().invoke(app, ["--home", str(home.root), *words])
    assert result.exit_code == ends_with, result.output
    return result.output


def test_the_office_confirms_a_class_on_its_sheet(waiting: Home, logged_in: LogIn) -> None:
    client = logged_in(World(waiting).make_user(role=Role.OFFICE))
    assert "2 portraits wait" in client.get("/portraits/").content.decode()
    page = client.get("/portraits/?class=3W").content.decode()
    assert "Robin Ashdown" in page
    assert "Kit Marlowe" not in page
    picture = client.get(f"/portraits/{photo_of(ROBIN).pk}.jpg")
    assert picture.content.startswith(b"\xff\xd8")
    client.post("/portraits/confirm/", {"class": "3W", "shown": keys_on(page)})
    assert photo_of(ROBIN).confirmed_by == "j.shaw"
    assert photo_of(KIT).confirmed_at is None
    entry = AuditEntry.objects.get(action="enrolment.confirmed", actor="j.shaw")
    assert ROBIN not in entry.subject


def test_a_school_without_portraits_reads_what_that_means(world: World, logged_in: LogIn) -> None:
    """Nothing is confirmed where there is nothing, and face matching can recognise nobody."""
    world.make_pupil(ROBIN, enrolled=False)
    world.make_pupil(KIT, enrolled=False, biometric_objection=True)
    client = logged_in(world.make_user(role=Role.OFFICE))
    page = " ".join(client.get("/portraits/").content.decode().split())
    assert "Every portrait is confirmed" not in page
    assert "All classes as a PDF" not in page
    assert "1 pupil with consent to face matching has no portrait" in page
    assert enrolment_finding(world.home) == (
        State.WARNING,
        "Pupils with consent to face matching: 1. With an enrolment photo: 0. So every picture "
        "of people waits for a person. Import portraits with the consent list, or take them "
        "with the webcam on the pupils' pages.",
    )
    world.make_pupil("000103")
    assert enrolment_finding(world.home) == (
        State.GOOD,
        "Pupils with consent to face matching: 2. With an enrolment photo: 1.",
    )


def enrolment_finding(home: Home) -> tuple[State, str]:
    [found] = work_checks.enrolment(home)
    return found.state, found.message


def test_a_reviewer_says_that_a_portrait_is_not_the_pupil(waiting: Home, logged_in: LogIn) -> None:
    client = logged_in(World(waiting).make_user(role=Role.REVIEWER))
    client.post(f"/portraits/{photo_of(KIT).pk}/not/")
    assert not EnrolmentPhoto.objects.filter(pupil__admission_number=KIT).exists()
    assert photo_of(ROBIN).templates.exists()


def test_the_technician_sees_no_portrait(waiting: Home, logged_in: LogIn) -> None:
    client = logged_in(World(waiting).make_user(role=Role.TECHNICIAN))
    photo = photo_of(ROBIN).pk
    for path in ("/portraits/", "/portraits/sheet.pdf", f"/portraits/{photo}.jpg"):
        assert client.get(path).status_code == 403
    assert client.post("/portraits/confirm/", {"photo": photo}).status_code == 403
    assert photo_of(ROBIN).confirmed_at is None


def test_a_class_is_not_confirmed_by_a_link_from_elsewhere(waiting: Home, logged_in: LogIn) -> None:
    client = logged_in(World(waiting).make_user(role=Role.OFFICE))
    assert client.get("/portraits/confirm/").status_code == 405
    assert client.get(f"/portraits/{photo_of(ROBIN).pk}/not/").status_code == 405


def test_the_sheet_is_a_pdf_or_a_page(waiting: Home, logged_in: LogIn, tmp_path: Path) -> None:
    client = logged_in(World(waiting).make_user(role=Role.OFFICE))
    answer = client.get("/portraits/sheet.pdf")
    assert answer.content.startswith(b"%PDF")
    assert "Robin" not in answer.headers["Content-Disposition"]
    shown = run(waiting, "portraits", "sheet", str(tmp_path / "all.pdf"))
    assert "2 portraits" in shown
    assert "Robin" not in shown
    assert (tmp_path / "all.pdf").read_bytes().startswith(b"%PDF")
    run(waiting, "portraits", "sheet", "--class", "3W", str(tmp_path / "3w.html"))
    page = (tmp_path / "3w.html").read_text("utf-8")
    assert "Robin Ashdown" in page
    assert "Kit" not in page
    assert "data:image/jpeg;base64," in page
    assert (tmp_path / "3w.html").stat().st_mode & 0o077 == 0
    run(waiting, "portraits", "sheet", str(tmp_path / "all.docx"), ends_with=2)


def test_a_page_of_the_sheet_has_thirty_portraits_of_one_class() -> None:
    photo = EnrolmentPhoto()
    entries = [SheetEntry(photo, f"Pupil {n}", "3W") for n in range(31)]
    entries.append(SheetEntry(photo, "Pupil 32", "5B"))
    assert PER_PAGE == 30
    pages = [(name, len(page)) for name, page in sheet_pages(entries)]
    assert pages == [("3W", 30), ("3W", 1), ("5B", 1)]


def test_portraits_are_confirmed_without_a_browser(waiting: Home) -> None:
    run(waiting, "portraits", "confirm", "--by", "J. Shaw", ends_with=2)
    run(waiting, "portraits", "confirm", "--all", KIT, "--by", "J. Shaw", ends_with=2)
    run(waiting, "portraits", "confirm", "--all", "--by", " ", ends_with=2)
    run(waiting, "portraits", "confirm", "--all", ends_with=2)
    assert not EnrolmentPhoto.objects.exclude(confirmed_at=None).exists()
    done = run(waiting, "portraits", "confirm", "--class", "3W", "--by", "J. Shaw", "--json")
    assert json.loads(done) == {"confirmed": [ROBIN], "left_out": []}
    EnrolmentPhoto.objects.filter(pupil__admission_number=KIT).update(in_doubt=True)
    done = run(waiting, "portraits", "confirm", "--all", "--by", "J. Shaw", "--json", ends_with=1)
    assert json.loads(done) == {"confirmed": [], "left_out": [KIT]}
    done = run(waiting, "portraits", "confirm", KIT, "--by", "J. Shaw", "--json")
    assert json.loads(done) == {"confirmed": [KIT], "left_out": []}


def code_of(home: Home, folder: Path) -> str:
    """The code that the sheet of class 3W shows."""
    run(home, "portraits", "sheet", "--class", "3W", str(folder / "sheet.html"))
    [code] = re.findall(r"code ([2-9A-Z]{4})</h1>", (folder / "sheet.html").read_text("utf-8"))
    return str(code)


def test_the_code_of_the_sheet_confirms_what_the_sheet_shows(waiting: Home, tmp_path: Path) -> None:
    words = ("portraits", "confirm", "--class", "3W", "--by", "J. Shaw", "--json", "--code")
    done = run(waiting, *words, code_of(waiting, tmp_path).lower())
    assert json.loads(done) == {"confirmed": [ROBIN], "left_out": []}


@pytest.mark.parametrize("change", ["portrait", "name", "newcomer", "pupil", "code"])
def test_a_class_that_changed_since_the_sheet_is_not_confirmed(
    waiting: Home, logged_in: LogIn, tmp_path: Path, change: str
) -> None:
    client = logged_in(World(waiting).make_user(role=Role.OFFICE))
    keys = keys_on(client.get("/portraits/?class=3W").content.decode())
    code = code_of(waiting, tmp_path)
    robin, kit = photo_of(ROBIN), photo_of(KIT)
    if change == "portrait":
        EnrolmentPhoto.objects.filter(pk=robin.pk).update(sha256="f" * 64)
    elif change == "name":
        PupilEntry.objects.filter(pk=robin.pupil_id).update(forename="Noel", preferred_forename="")
    elif change == "newcomer":
        PupilEntry.objects.filter(pk=kit.pupil_id).update(reg_group="3W")
    elif change == "pupil":
        PupilEntry.objects.filter(pk=kit.pupil_id).update(reg_group="3W")
        EnrolmentPhoto.objects.filter(pk=robin.pk).update(pupil=kit.pupil)
    else:
        code = "2222"
    words = ("portraits", "confirm", "--class", "3W", "--by", "J. Shaw", "--code", code)
    connection.close()
    refused = CliRunner().invoke(app, ["--home", str(waiting.root), *words])
    assert isinstance(refused.exception, PortraitsChanged)
    if change not in {"code", "newcomer"}:
        client.post("/portraits/confirm/", {"class": "3W", "shown": keys})
        client.post("/portraits/confirm/", {"class": "3W", "photo": keys[0]})
        client.post("/portraits/confirm/", {"class": "3W", "photo": robin.pk})
    assert not EnrolmentPhoto.objects.exclude(confirmed_at=None).exists()


def test_a_newcomer_is_not_confirmed_by_an_older_page(waiting: Home, logged_in: LogIn) -> None:
    client = logged_in(World(waiting).make_user(role=Role.OFFICE))
    keys = keys_on(client.get("/portraits/?class=3W").content.decode())
    PupilEntry.objects.filter(pk=photo_of(KIT).pupil_id).update(reg_group="3W")
    client.post("/portraits/confirm/", {"class": "3W", "shown": keys})
    assert photo_of(ROBIN).confirmed_at is not None
    assert photo_of(KIT).confirmed_at is None


def test_a_code_is_for_a_class(waiting: Home) -> None:
    words = ("portraits", "confirm", "--by", "J. Shaw", "--code", "K7Q2")
    run(waiting, *words, "--all", ends_with=2)
    run(waiting, *words, KIT, ends_with=2)


def test_the_access_letter_says_who_confirmed_the_photo(demo_school: Home) -> None:
    data = collect_subject_data(find_pupil(ROBIN))
    assert data["templates"][0]["confirmed_by"] == "office"
    assert "confirmed by a member of staff" in write_letter(demo_school, data)
    EnrolmentPhoto.objects.update(confirmed_by="", confirmed_at=None)
    data = collect_subject_data(find_pupil(ROBIN))
    assert "not used until a member of staff confirms" in write_letter(demo_school, data)


def test_the_office_sees_which_pupils_one_portrait_serves_badly(
    demo_school: Home, logged_in: LogIn
) -> None:
    settings.CONSENT_GATE_HOME = demo_school
    client = logged_in(World(demo_school).make_user(role=Role.OFFICE))
    assert "Another portrait would help" not in client.get("/portraits/").content.decode()
    for name in ("04 judge", "01 winner"):
        item = Item.objects.get(source__contains=name)
        make_unsure(item, 0, None)
        action = review.at_current_revision(demo_school, "j.shaw", item.pk)
        review.tag_face(action, 0, Tag(TagKind.PUPIL, KIT))
    page = client.get("/portraits/").content.decode()
    assert "Another portrait would help" in page
    assert f"/pupils/{KIT}/" in page
    assert f"/pupils/{ROBIN}/" not in page
