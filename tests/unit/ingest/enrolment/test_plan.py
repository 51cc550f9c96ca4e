"""Enrolment photos are assigned to pupils by file name or list; others are never opened."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from consent_gate.model import Answer, Consent
from ingest.enrolment.plan import ListedPhoto, NotEnrolled, plan_enrolment
from sims_import.readers.dispatch import read_table
from sims_import.readers.photo_list import read_photo_list
from tests.support.sims_school import TODAY, make_pupil

UPN = "E204340217648"
PUPILS = {
    p.admission_number: p
    for p in (
        replace(make_pupil(4123), upn=UPN),
        make_pupil(4124, given=("website",)),
        replace(make_pupil(4125), biometric_objection=True),
        replace(make_pupil(4126), on_roll=False),
        make_pupil(4127),
    )
}


def plan(
    *names: str, listed: dict[str, ListedPhoto] | None = None
) -> tuple[dict[str, str], dict[str, NotEnrolled]]:
    take, leave = plan_enrolment(names, PUPILS, listed or {}, TODAY)
    return {p.name: p.pupil for p in take}, {p.name: p.reason for p in leave}


@pytest.mark.parametrize(
    "name",
    ["004123.jpg", "4123.JPG", "portraits/004123.png", "4123 (2).jpg", "4123_b.jpeg", f"{UPN}.jpg"],
)
def test_a_photo_is_named_by_admission_number_or_upn(name: str) -> None:
    assert plan(name) == ({name: "004123"}, {})


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("004124.jpg", NotEnrolled.NO_BIOMETRIC_CONSENT),
        ("004125.jpg", NotEnrolled.OBJECTION),
        ("004126.jpg", NotEnrolled.LEFT),
        ("009999.jpg", NotEnrolled.NO_SUCH_PUPIL),
        ("Ravi Moss.jpg", NotEnrolled.NO_SUCH_PUPIL),
        ("Thumbs.db", NotEnrolled.NOT_A_PHOTO),
    ],
)
def test_photos_that_may_not_be_enrolled_are_listed_with_the_reason(
    name: str, reason: NotEnrolled
) -> None:
    assert plan(name) == ({}, {name: reason})


def test_biometric_consent_that_has_expired_is_none() -> None:
    old = Consent(Answer.GIVEN, expires_on=TODAY - timedelta(days=1))
    pupils = {"000001": replace(make_pupil(1), consents={"biometric": old})}
    assert plan_enrolment(["1.jpg"], pupils, {}, TODAY)[0] == []


def test_a_upn_that_two_pupils_share_names_neither() -> None:
    pupils = {n: replace(p, upn=UPN) for n, p in PUPILS.items()}
    _, (left,) = plan_enrolment([f"{UPN}.jpg"], pupils, {}, TODAY)
    assert left.reason is NotEnrolled.SEVERAL_PUPILS


def test_the_schools_list_goes_before_the_files_name() -> None:
    listed = read_photo_list(
        read_table(b"file,pupil,taken\nDSC_1.jpg,4127,04/09/2026\n4123.jpg,4127,\n", "list.csv")
    )
    assert plan("DSC_1.jpg", "4123.jpg", listed=listed) == (
        {"DSC_1.jpg": "004127", "4123.jpg": "004127"},
        {},
    )
    take, _ = plan_enrolment(["a/DSC_1.JPG"], PUPILS, listed, TODAY)
    assert take[0].taken_on == date(2026, 9, 4)


def test_a_list_may_name_pupils_by_upn() -> None:
    listed = read_photo_list(read_table(f"Filename;UPN\nDSC_1.jpg;{UPN}\n".encode(), "list.csv"))
    assert plan("DSC_1.jpg", listed=listed)[0] == {"DSC_1.jpg": "004123"}


def test_a_file_listed_for_two_pupils_goes_to_neither() -> None:
    listed = read_photo_list(
        read_table(b"file,pupil\nDSC_1.jpg,4123\nDSC_1.jpg,4127\nDSC_2.jpg,4127\n", "list.csv")
    )
    assert plan("DSC_1.jpg", "DSC_2.jpg", listed=listed) == (
        {"DSC_2.jpg": "004127"},
        {"DSC_1.jpg": NotEnrolled.SEVERAL_PUPILS},
    )
