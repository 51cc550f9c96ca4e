"""The pages for access, erasure, never-publish marks, cameras and calibration."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.test import Client

from consent_gate.db import audit_log
from consent_gate.db.models import (
    AuditEntry,
    Camera,
    ItemState,
    NeverPublishLift,
    PupilEntry,
    Role,
    Template,
    ThresholdSet,
    User,
)
from consent_gate.home.filesystem import replace_with
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import BIOMETRIC
from consent_gate.register import thresholds
from tests.conftest import Clock
from tests.support.factories import STRANGER, World, make_evidence, matches
from tests.support.imports import consent_csv, import_csv

LogIn = Callable[[User], Client]
ANN = "000001"
CANON = "Canon|Canon EOS 2000D|0123456"


@pytest.fixture
def officer(world: World, logged_in: LogIn) -> Client:
    return logged_in(world.make_user("dpo", Role.DATA_PROTECTION_OFFICER))


def text_of(client: Client, path: str) -> str:
    return client.get(path).content.decode()


# --- what a family may ask for -------------------------------------------------------------


def test_a_family_gets_all_that_is_held_as_a_page_to_read(world: World, officer: Client) -> None:
    world.make_pupil(ANN, "Ann", "Archer")
    world.make_pupil("000002", "Ben", "Baker")
    world.make_item(matches(ANN), matches("000002"), name="both.jpg")
    answer = officer.post(f"/pupils/{ANN}/export/")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        page = archive.read("summary.txt").decode()
    assert "Name: Ann Archer" in page
    assert "both.jpg" in page
    assert "Baker" not in page
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Archer" not in answer.headers["Content-Disposition"]
    told = AuditEntry.objects.get(action="pupil.exported")
    assert (told.actor, told.subject) == ("dpo", audit_log.pupil_subject(world.home, ANN))


def test_a_pupil_is_erased_once_the_number_was_typed_and_a_certificate_is_shown(
    world: World, officer: Client
) -> None:
    world.make_pupil(ANN, "Ann", "Archer")
    alone = world.make_item(matches(ANN))
    officer.post(f"/pupils/{ANN}/erase/", {"again": "000002"})
    assert PupilEntry.objects.filter(admission_number=ANN).exists()
    page = officer.post(f"/pupils/{ANN}/erase/", {"again": f" {ANN} "}, follow=True)
    text = page.content.decode()
    assert "This is the certificate" in text
    assert "No trace was found" in text
    assert "Archer" not in text
    assert not PupilEntry.objects.exists()
    assert not Template.objects.exists()
    alone.refresh_from_db()
    assert alone.state == ItemState.ERASED
    assert officer.get(f"/pupils/{ANN}/").status_code == 404


def test_what_an_erasure_left_behind_is_shown_for_people_to_delete(
    world: World, officer: Client
) -> None:
    world.make_pupil(ANN, "Ann", "Archer")
    (world.home.inbox / "ann-archer.jpg").write_bytes(b"a picture nobody took in")
    officer.post(f"/pupils/{ANN}/erase/", {"again": ANN})
    assert "names of files in inbox: 1" in text_of(officer, "/erasures/")


def test_only_the_data_protection_officer_is_offered_to_erase(
    world: World, officer: Client, logged_in: LogIn
) -> None:
    world.make_pupil(ANN)
    assert "Erase this pupil" in text_of(officer, f"/pupils/{ANN}/")
    office = logged_in(world.make_user("office", Role.OFFICE))
    assert "Erase this pupil" not in text_of(office, f"/pupils/{ANN}/")
    assert office.post(f"/pupils/{ANN}/erase/", {"again": ANN}).status_code == 403
    assert PupilEntry.objects.exists()


def test_a_pupils_page_tells_what_each_import_changed(world: World, officer: Client) -> None:
    import_csv(world.home, consent_csv())
    import_csv(world.home, consent_csv(_007001=",T,T,T,,"))
    page = text_of(officer, "/pupils/007001/")
    assert "New on the register" in page
    assert "Loses consent for School website" in page


def test_a_pupil_without_a_template_is_marked_as_named_by_hand(
    world: World, officer: Client
) -> None:
    world.make_pupil(ANN, enrolled=False)
    world.make_pupil("000002")
    world.make_pupil("000003", enrolled=False, said_no_to=[BIOMETRIC])
    assert "Named by hand only" in text_of(officer, f"/pupils/{ANN}/")
    assert "Named by hand only" not in text_of(officer, "/pupils/000002/")
    listed = text_of(officer, "/pupils/")
    assert listed.count("No enrolment photo") == 1
    assert listed.count("Named by hand only") == 1


def test_an_enrolment_photo_that_is_too_old_is_told(
    world: World, clock: Clock, officer: Client
) -> None:
    world.make_pupil(ANN)
    assert "Too old to clear alone" not in text_of(officer, f"/pupils/{ANN}/")
    clock.pass_days(world.home.settings.rules.enrolment_max_age_days + 1)
    assert "Too old to clear a picture by itself" in text_of(officer, f"/pupils/{ANN}/")


# --- never publish -------------------------------------------------------------------------


def test_a_never_publish_mark_is_lifted_by_two_people(
    world: World, officer: Client, logged_in: LogIn
) -> None:
    pupil = world.make_pupil(ANN, "Ann", "Archer", never_publish=True)
    office = logged_in(world.make_user("office", Role.OFFICE))
    User.objects.filter(username="office").update(first_name="Olu", last_name="Okafor")
    office.post(f"/pupils/{ANN}/lift/")
    pupil.refresh_from_db()
    assert pupil.never_publish, "one person is not enough"
    assert "waiting for you" in text_of(officer, "/pupils/")
    assert "Olu Okafor" in text_of(officer, "/confirm/")
    officer.post(f"/pupils/{ANN}/lift/confirm/")
    pupil.refresh_from_db()
    assert not pupil.never_publish
    told = AuditEntry.objects.filter(action__startswith="never_publish.").order_by("sequence")
    assert [(e.action, e.actor) for e in told] == [
        ("never_publish.lift_asked", "office"),
        ("never_publish.lifted", "dpo"),
    ]


def test_whoever_asked_cannot_lift_the_mark_alone(world: World, officer: Client) -> None:
    pupil = world.make_pupil(ANN, never_publish=True)
    officer.post(f"/pupils/{ANN}/lift/")
    assert "Lift the mark" not in text_of(officer, "/confirm/")
    page = officer.post(f"/pupils/{ANN}/lift/confirm/", follow=True).content.decode()
    assert "notice error" in page
    pupil.refresh_from_db()
    assert pupil.never_publish


def test_a_mark_that_stays_asks_nobody_any_more(
    world: World, officer: Client, logged_in: LogIn
) -> None:
    world.make_pupil(ANN, never_publish=True)
    logged_in(world.make_user("lead", Role.SAFEGUARDING_LEAD)).post(f"/pupils/{ANN}/lift/")
    officer.post(f"/pupils/{ANN}/lift/refuse/")
    assert not NeverPublishLift.objects.exists()
    assert PupilEntry.objects.get().never_publish


# --- cameras -------------------------------------------------------------------------------


def test_a_camera_that_was_seen_is_confirmed_by_a_named_person_and_others_are_held(
    world: World, logged_in: LogIn
) -> None:
    world.make_pupil(ANN)
    school = world.make_item(evidence=replace(make_evidence(matches(ANN)), device=CANON))
    phone = world.make_item(
        evidence=replace(make_evidence(matches(ANN)), device="Apple|iPhone 15|")
    )
    office = logged_in(world.make_user("office", Role.OFFICE))
    page = text_of(office, "/cameras/")
    assert "Canon EOS 2000D" in page
    assert "pictures from any camera are allowed" in page
    office.post("/cameras/change/", {"camera": CANON, "say": "confirm"})
    assert Camera.objects.get().actor == "office"
    held = phone.decisions.get(channel="website")
    assert held.reasons == ["unregistered_device"]
    assert "unregistered_device" not in school.decisions.get(channel="website").reasons
    office.post("/cameras/change/", {"camera": CANON, "say": "remove"})
    assert not Camera.objects.exists()


def test_a_camera_nobody_has_seen_is_not_confirmed(world: World, logged_in: LogIn) -> None:
    office = logged_in(world.make_user("office", Role.OFFICE))
    answer = office.post(
        "/cameras/change/", {"camera": "Acme|Never seen|1", "say": "confirm"}, follow=True
    )
    assert "notice error" in answer.content.decode()
    assert not Camera.objects.exists()


def test_the_technician_looks_at_cameras_and_changes_none(world: World, logged_in: LogIn) -> None:
    world.make_item(evidence=replace(make_evidence(STRANGER), device=CANON))
    technician = logged_in(world.make_user("it", Role.TECHNICIAN))
    assert "This is a school camera" not in text_of(technician, "/cameras/")
    answer = technician.post("/cameras/change/", {"camera": CANON, "say": "confirm"})
    assert answer.status_code == 403


# --- calibration ---------------------------------------------------------------------------


def test_a_proposal_counts_once_a_named_person_has_accepted_it(
    world: World, officer: Client
) -> None:
    shipped = shipped_thresholds()
    ours = replace(shipped, margin=shipped.margin + 0.01, fitted_on="our own portraits")
    row = thresholds.propose(world.home, ours, "", "it")
    assert "supplied with the program" in text_of(officer, "/calibration/")
    assert thresholds.thresholds_in_force() == shipped
    officer.post(f"/calibration/{row.pk}/accept/")
    assert thresholds.thresholds_in_force() == ours
    page = text_of(officer, "/calibration/")
    assert "own portraits" in page
    assert "In force" in page
    assert ThresholdSet.objects.get().accepted_by == "dpo"


def test_the_technician_reads_the_report_and_accepts_nothing(
    world: World, logged_in: LogIn
) -> None:
    row = thresholds.propose(world.home, shipped_thresholds(), "", "it")
    technician = logged_in(world.make_user("it", Role.TECHNICIAN))
    assert technician.get("/calibration/").status_code == 200
    assert technician.post(f"/calibration/{row.pk}/accept/").status_code == 403


def test_a_report_opens_with_its_own_style_and_no_script(world: World, officer: Client) -> None:
    folder = world.home.root / "reports"
    folder.mkdir()
    page = "<html><style>body { color: red }</style><script>alert(1)</script></html>"
    replace_with(folder / "calibration-2026-11-20.html", page.encode())
    assert "/calibration/report/2026-11-20/" in text_of(officer, "/calibration/")
    answer = officer.get("/calibration/report/2026-11-20/")
    policy = answer.headers["Content-Security-Policy"]
    assert "style-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert "default-src 'none'" in policy
    assert officer.get("/calibration/report/2026-11-19/").status_code == 404
    assert officer.get("/calibration/report/secrets/").status_code == 404


# --- settings ------------------------------------------------------------------------------


def test_the_settings_in_force_can_be_read_with_the_file_to_edit(
    world: World, officer: Client
) -> None:
    page = text_of(officer, "/settings/")
    assert str(world.home.root / "consent-gate.toml") in page
    assert "[channels.website]" in page
    assert "register_max_age_days" in page
    assert "Restart the gate" not in page


def test_a_file_that_was_edited_and_not_yet_read_is_told(world: World, officer: Client) -> None:
    path = world.home.root / "consent-gate.toml"
    text = path.read_text()
    path.write_text(text.replace("register_max_age_days = 130", "register_max_age_days = 90"))
    page = text_of(officer, "/settings/")
    assert "Restart the gate" in page
    assert "<td>130" in page, "what the gate goes by"
    path.write_text(text.replace("[rules]", "[ruels]"))
    assert "ruels" in text_of(officer, "/settings/")
