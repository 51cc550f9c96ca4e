"""The pages of the office, the data protection officer and the administrator."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consent_gate.db.models import (
    AuditEntry,
    ImportRun,
    Publication,
    PublicationState,
    PupilEntry,
    Role,
    User,
)
from consent_gate.operations import demo
from consent_gate.web.accounts.first_run import setup_code
from consent_gate.web.server import serve
from consent_gate.web.views import pupils
from tests.support.factories import PASSWORD, World, matches
from tests.support.http_server import with_free_port

LogIn = Callable[[User], Client]
ANN = "000001"


def upload(client: Client, text: str = demo.EXPORT) -> str:
    """Send an export; returns the address of its preview."""
    sent = SimpleUploadedFile("export.csv", text.encode("utf-8-sig"))
    return client.post("/imports/", {"export": sent}).headers["Location"]


def published(world: World, number: str = ANN) -> Publication:
    """A picture of a pupil that is live on the website."""
    item = world.make_item(matches(number))
    row = Publication.objects.get(item=item, channel="website")
    row.state, row.released_at = PublicationState.LIVE, world.home.now()
    row.save()
    return row


def test_an_export_changes_nothing_until_somebody_says_apply(
    world: World, logged_in: LogIn
) -> None:
    client = logged_in(world.make_user(role=Role.OFFICE))
    preview = upload(client)
    page = client.get(preview).content.decode()
    assert "What this import would change" in page
    assert "What the file says of each use" in page
    assert "(000101)" in page
    assert not PupilEntry.objects.exists()
    client.post(f"{preview}apply/", {"answer": "apply"})
    assert set(PupilEntry.objects.values_list("admission_number", flat=True)) == {
        "000101",
        "000102",
        "000103",
    }
    assert ImportRun.objects.order_by("-pk")[0].actor == "j.shaw"


def test_an_uploaded_export_lies_encrypted_and_goes_when_it_is_cancelled(
    world: World, logged_in: LogIn
) -> None:
    client = logged_in(world.make_user(role=Role.OFFICE))
    preview = upload(client)
    kept = list((world.home.vault / "uploads").iterdir())
    assert len(kept) == 1
    assert b"Ashdown" not in kept[0].read_bytes()
    client.post(f"{preview}apply/", {"answer": "cancel"})
    assert not kept[0].exists()
    assert not PupilEntry.objects.exists()


def test_a_guessed_upload_is_not_found(world: World, logged_in: LogIn) -> None:
    client = logged_in(world.make_user(role=Role.OFFICE))
    for token in ("abc", "gate", "none"):
        assert client.get(f"/imports/{token}/").headers["Location"] == "/imports/"


def test_a_file_that_is_no_export_is_told_in_words(world: World, logged_in: LogIn) -> None:
    client = logged_in(world.make_user(role=Role.OFFICE))
    preview = upload(client, "nothing\n")
    page = client.get(preview, follow=True).content.decode()
    assert "notice error" in page or "Not understood" in page
    assert not PupilEntry.objects.exists()


def test_a_pupils_page_tells_each_answer_and_never_a_template(
    world: World, logged_in: LogIn
) -> None:
    world.make_pupil(ANN, "Ann", "Archer", said_no_to=["website"])
    page = logged_in(world.make_user(role=Role.OFFICE)).get(f"/pupils/{ANN}/").content.decode()
    assert "Ann Archer" in page
    assert "1 enrolment photo" in page
    assert "not a real vector" not in page


def test_all_pictures_of_a_pupil_are_recalled_at_once(world: World, logged_in: LogIn) -> None:
    world.make_pupil(ANN)
    row = published(world)
    client = logged_in(world.make_user(role=Role.DATA_PROTECTION_OFFICER))
    client.post(f"/pupils/{ANN}/recall/")
    row.refresh_from_db()
    assert row.withdrawn_at is not None
    manifest = json.loads((world.home.approved("website") / "manifest.json").read_text())
    assert manifest["items"] == []
    assert [gone["id"] for gone in manifest["withdrawn"]] == [row.pk]


def test_whoever_takes_a_picture_back_stays_in_the_list_they_were_in(
    world: World, logged_in: LogIn
) -> None:
    world.make_pupil(ANN)
    row = published(world)
    client = logged_in(world.make_user())
    assert f"/published/{row.pk}/take-back/?channel=website" in (
        client.get("/published/?channel=website").content.decode()
    )
    answer = client.post(f"/published/{row.pk}/take-back/?channel=website")
    assert answer.headers["Location"] == "/published/?channel=website"
    again = client.post(f"/published/{row.pk}/take-back/", follow=True).content.decode()
    assert "had been withdrawn already" in again


def test_staff_confirm_that_the_copies_are_gone(world: World, logged_in: LogIn) -> None:
    world.make_pupil(ANN)
    row = published(world)
    client = logged_in(world.make_user())
    client.post(f"/published/{row.pk}/take-back/")
    assert "All copies are gone" in client.get("/published/?show=back").content.decode()
    client.post(f"/published/{row.pk}/copies-gone/")
    row.refresh_from_db()
    assert row.confirmed_at is not None


def test_all_pictures_of_a_pupil_are_counted_though_the_newest_are_shown(
    world: World, logged_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pupils, "MAX_PICTURES", 2)
    world.make_pupil(ANN)
    for _ in range(3):
        world.make_item(matches(ANN))
    client = logged_in(world.make_user(role=Role.ADMINISTRATOR))
    shown = client.get(f"/pupils/{ANN}/").content.decode()
    assert 'Pictures with this pupil <span class="soft">3</span>' in shown
    assert shown.count("thumbnail.jpg") == 2
    assert "The newest 2 are shown." in shown


def checked(client: Client) -> str:
    return client.post("/audit/verify/", follow=True).content.decode()


def test_the_audit_trail_is_searched_by_what_the_page_says(world: World, logged_in: LogIn) -> None:
    world.make_item()
    client = logged_in(world.make_user(role=Role.DATA_PROTECTION_OFFICER))
    client.post("/audit/export/")
    assert "Audit exported" in client.get("/audit/").content.decode()
    found = client.get("/audit/?action=item+decided").content.decode()
    assert "Item decided" in found
    assert "Audit exported" not in found
    assert "no face found" in found
    assert "No entry matches" in client.get("/audit/?action=item+sealed").content.decode()


def test_the_audit_trail_tells_the_time_of_the_schools_clock(
    world: World, logged_in: LogIn
) -> None:
    world.make_item()
    AuditEntry.objects.filter(sequence=1).update(at="2026-07-01T09:30:15.000000+00:00")
    client = logged_in(world.make_user(role=Role.DATA_PROTECTION_OFFICER))
    assert "1 Jul 2026, 10:30:15" in client.get("/audit/").content.decode()


def test_the_audit_trail_shows_the_beginning_of_a_digest_and_saves_all_of_it(
    world: World, logged_in: LogIn
) -> None:
    world.make_item()
    AuditEntry.objects.filter(sequence=1).update(detail={"sha256": "0123456789abcdef" * 4})
    client = logged_in(world.make_user(role=Role.DATA_PROTECTION_OFFICER))
    shown = client.get("/audit/").content.decode()
    assert "0123456789ab…" in shown
    assert "0123456789abc" not in shown
    assert "0123456789abcdef" * 4 in client.post("/audit/export/").getvalue().decode()


def test_an_altered_audit_trail_is_shown_to_be_broken(world: World, logged_in: LogIn) -> None:
    world.make_item()
    client = logged_in(world.make_user(role=Role.DATA_PROTECTION_OFFICER))
    assert "The audit trail is complete" in checked(client)
    AuditEntry.objects.filter(sequence=1).update(actor="somebody else")
    assert "entry 1 was altered" in checked(client)


def test_the_audit_trail_is_saved_as_a_file_and_that_is_recorded(
    world: World, logged_in: LogIn
) -> None:
    world.make_item()
    client = logged_in(world.make_user(role=Role.DATA_PROTECTION_OFFICER))
    answer = client.post("/audit/export/")
    lines = answer.getvalue().decode().splitlines()
    assert len(lines) == 1 + AuditEntry.objects.count()
    assert AuditEntry.objects.filter(action="audit.exported").count() == 1


def test_the_page_people_says_which_pages_each_role_opens(world: World, logged_in: LogIn) -> None:
    client = logged_in(world.make_user("admin", Role.ADMINISTRATOR))
    page = " ".join(client.get("/people/").content.decode().split())
    assert "<dt>Technician</dt> <dd> Health, Cameras, Calibration, Settings, Rules </dd>" in page
    assert "<dt>Reviewer</dt> <dd> Held pictures, Events, Published" in page


def test_the_copies_of_one_picture_follow_each_other_on_the_page_published(
    world: World, logged_in: LogIn
) -> None:
    world.make_pupil(ANN)
    for number in range(4):
        world.make_item(matches(ANN), name=f"{number}.jpg")
    Publication.objects.update(intended_at=world.home.now())
    page = logged_in(world.make_user()).get("/published/").content.decode()
    items = re.findall('<a href="/pictures/([a-z0-9]+)/"', page)
    assert len(items) > len(set(items)) == 4
    assert items == sorted(items)


def test_an_administrator_adds_a_colleague_who_can_then_log_in(
    world: World, logged_in: LogIn
) -> None:
    client = logged_in(world.make_user("admin", Role.ADMINISTRATOR))
    form = {"username": "m.reid", "role": "reviewer", "password": PASSWORD, "again": PASSWORD}
    client.post("/people/", form)
    fresh = Client(SERVER_NAME="localhost")
    fresh.post("/login/", {"login": "m.reid", "password": PASSWORD})
    assert fresh.get("/queue/").status_code == 200


def test_closing_an_account_logs_the_person_out_at_once(world: World, logged_in: LogIn) -> None:
    admin = logged_in(world.make_user("admin", Role.ADMINISTRATOR))
    colleague = world.make_user("m.reid")
    theirs = logged_in(colleague)
    assert theirs.get("/queue/").status_code == 200
    admin.post(f"/people/{colleague.pk}/", {"change": "close"})
    assert theirs.get("/queue/").status_code == 302


def test_nobody_changes_their_own_role(world: World, logged_in: LogIn) -> None:
    user = world.make_user("admin", Role.ADMINISTRATOR)
    logged_in(user).post(f"/people/{user.pk}/", {"change": "role", "role": "reviewer"})
    user.refresh_from_db()
    assert user.role == Role.ADMINISTRATOR


def test_pictures_with_people_are_not_released_in_a_batch(world: World, logged_in: LogIn) -> None:
    world.make_pupil(ANN, said_no_to=["website"])
    empty, people = world.make_item(), world.make_item(matches(ANN))
    client = logged_in(world.make_user())
    both = {"item": [empty.pk, people.pk], "answer": "release", "basis": "Nobody is in it"}
    asked = client.post("/queue/batch/", both).content.decode()
    assert "School website: 1 picture<" in asked
    assert "1 ticked picture with people" in asked
    assert {d.verdict for d in empty.decisions.all()} == {"held"}
    shown = {**both, "shown": [f"{empty.pk}:{empty.revision}", f"{people.pk}:{people.revision}"]}
    told = client.post("/queue/batch/", shown, follow=True).content.decode()
    assert "Pictures with people cannot be released together." in told
    assert {d.verdict for d in empty.decisions.all()} == {"released"}
    assert people.decisions.get(channel="website").verdict == "held"


def test_a_batch_that_was_refused_is_not_told_to_have_been_empty(
    world: World, logged_in: LogIn
) -> None:
    world.make_pupil(ANN, said_no_to=["website"])
    people = [world.make_item(matches(ANN)).pk for _ in range(3)]
    client = logged_in(world.make_user())
    both = {"item": people, "answer": "release", "basis": "Nobody is in it"}
    told = client.post("/queue/batch/", both, follow=True).content.decode()
    assert told.count("Pictures with people cannot be released together.") == 1
    shown = {**both, "shown": [f"{pk}:1" for pk in people]}
    told = client.post("/queue/batch/", shown, follow=True).content.decode()
    assert "3 pictures: " in told
    assert "No picture was ticked" not in told
    nothing = client.post("/queue/batch/", {"answer": "release"}, follow=True).content.decode()
    assert "No picture was ticked" in nothing


def test_a_picture_that_changed_since_it_was_shown_is_not_released_with_others(
    world: World, logged_in: LogIn
) -> None:
    item = world.make_item()
    client = logged_in(world.make_user())
    old = {"item": [item.pk], "answer": "release", "basis": "Nobody is in it"}
    old["shown"] = [f"{item.pk}:{item.revision - 1}"]
    told = client.post("/queue/batch/", old, follow=True).content.decode()
    assert "Somebody else changed this picture" in told
    assert {d.verdict for d in item.decisions.all()} == {"held"}


def test_the_set_up_code_is_told_where_the_gate_is_started_until_there_is_an_account(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = threading.Event()
    stopped.set()
    home = with_free_port(world.home)
    serve(home, stopped)
    assert str(setup_code(home)) in capsys.readouterr().err
    world.make_user()
    serve(home, stopped)
    assert "set-up code" not in capsys.readouterr().err
