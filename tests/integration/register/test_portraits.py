"""The portrait shown beside a face is stored with its template and deleted with it."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from PIL import Image

from consent_gate.db.models import (
    EnrolmentPhoto,
    Portrait,
    PupilEntry,
    Restore,
    Role,
    Template,
    User,
)
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home
from consent_gate.operations import demo
from consent_gate.register.portraits import PORTRAIT_MODEL, portrait_of, renumber_portraits
from consent_gate.register.repository import load_gallery
from consent_gate.subject_rights.erase import erase_pupil
from ingest.faces.thumbnail import SIDE
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import
from tests.support.factories import World
from tests.support.settings_override import with_settings

ROBIN, KIT, JO = "000101", "000102", "000103"
ROBINS_ROW = "000101,A823432117001,Robin,Ashdown,3W,Year  3,T,T,T,T,\n"
LogIn = Callable[[User], Client]


def portraits() -> set[str]:
    rows = Portrait.objects.values_list("template__photo__pupil__admission_number", flat=True)
    return set(rows)


def test_an_enrolled_pupil_has_a_small_portrait_and_nobody_else_has(demo_school: Home) -> None:
    jpeg = portrait_of(demo_school, ROBIN)
    assert jpeg is not None
    assert Image.open(io.BytesIO(jpeg)).size == (SIDE, SIDE)
    assert portraits() == {ROBIN, KIT}
    assert portrait_of(demo_school, JO) is None


def test_a_portrait_lies_encrypted_and_opens_for_no_other_pupil(demo_school: Home) -> None:
    row = Portrait.objects.get(template__photo__pupil__admission_number=ROBIN)
    assert b"JFIF" not in bytes(row.ciphertext)
    other = Template.objects.get(photo__pupil__admission_number=KIT, model=PORTRAIT_MODEL)
    Portrait.objects.filter(template=other).delete()
    Portrait.objects.filter(pk=row.pk).update(template=other)
    with pytest.raises(DecryptionError):
        portrait_of(demo_school, KIT)


def test_a_portrait_of_another_model_version_does_not_open(demo_school: Home) -> None:
    Template.objects.filter(model=PORTRAIT_MODEL).update(model_version="older")
    with pytest.raises(DecryptionError):
        portrait_of(demo_school, ROBIN)


@pytest.mark.parametrize("after", [ROBINS_ROW.replace("T,T,T,T,", "T,T,T,F,"), ""])
def test_a_portrait_goes_when_its_pupil_may_not_be_matched_any_more(
    demo_school: Home, after: str
) -> None:
    """Consent to matching withdrawn; left the school."""
    assert ROBINS_ROW in demo.EXPORT
    export = demo.EXPORT.replace(ROBINS_ROW, after).encode()
    run_import(demo_school, ExportFile("next.csv", export), ("leavers",), "office")
    assert portraits() == {KIT}
    assert portrait_of(demo_school, ROBIN) is None


def test_a_portrait_goes_with_the_pupil(demo_school: Home) -> None:
    erase_pupil(demo_school, ROBIN, "officer")
    assert portraits() == {KIT}


def test_a_portrait_goes_with_its_template_whoever_destroys_that(demo_school: Home) -> None:
    Template.objects.filter(photo__pupil__admission_number=ROBIN).delete()
    assert portraits() == {KIT}
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM gate_portrait")
        assert cursor.fetchone() == (1,)


def test_a_portrait_whose_consent_ran_out_overnight_is_shown_to_nobody(demo_school: Home) -> None:
    """The import that destroys it may come tomorrow."""
    consents = PupilEntry.objects.get(admission_number=ROBIN).consents
    consents.filter(purpose="biometric").update(expires_on="2020-01-01")
    assert Portrait.objects.filter(template__photo__pupil__admission_number=ROBIN).exists()
    assert portrait_of(demo_school, ROBIN) is None


def test_after_a_restore_no_portrait_is_shown_before_a_fresh_export(demo_school: Home) -> None:
    now = demo_school.now()
    Restore.objects.create(restored_at=now, on=now.date(), backup_made_at=now, newest_import=10_000)
    assert portrait_of(demo_school, ROBIN) is None


def test_a_portrait_follows_its_pupil_to_a_new_admission_number(demo_school: Home) -> None:
    entry = PupilEntry.objects.get(admission_number=ROBIN)
    before = portrait_of(demo_school, ROBIN)
    renumber_portraits(demo_school, entry, "000900")
    entry.admission_number = "000900"
    entry.save()
    assert portrait_of(demo_school, "000900") == before


def test_a_portrait_is_seen_by_reviewers_only_and_kept_by_no_browser(
    demo_school: Home, logged_in: LogIn
) -> None:
    settings.CONSENT_GATE_HOME = demo_school
    world = World(demo_school)
    reviewer, office = world.make_user("a"), world.make_user("b", Role.OFFICE)
    path = f"/pupils/{ROBIN}/portrait.jpg"
    answer = logged_in(reviewer).get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "no-store"
    assert logged_in(office).get(path).status_code == 403
    assert logged_in(reviewer).get(f"/pupils/{JO}/portrait.jpg").status_code == 404


def test_a_portrait_that_is_too_old_gives_way_to_a_newer_one(demo_school: Home) -> None:
    old = EnrolmentPhoto.objects.get(pupil__admission_number=ROBIN)
    today = demo_school.now().date()
    old.taken_on = today - timedelta(days=1096)
    old.save()
    assert load_gallery(demo_school).template_count == 2, "it is the only one"
    rows = list(old.templates.all())
    new = EnrolmentPhoto.objects.create(
        pupil=old.pupil,
        sha256="1" * 64,
        taken_on=today,
        first_imported_on=today,
        confirmed_by="office",
        confirmed_at=demo_school.now(),
    )
    for row in rows:
        Template.objects.create(
            photo=new, model=row.model, model_version=row.model_version, ciphertext=row.ciphertext
        )
    assert load_gallery(demo_school).template_count == 2
    assert load_gallery(demo_school, with_waiting=True).template_count == 3
    recognition = demo_school.settings.recognition.model_copy(update={"portraits_kept_days": 0})
    for_ever = with_settings(demo_school, recognition=recognition)
    assert load_gallery(for_ever).template_count == 3
    EnrolmentPhoto.objects.filter(pk=new.pk).update(confirmed_at=None)
    assert load_gallery(demo_school).template_count == 2, "the new one waits to be confirmed"
