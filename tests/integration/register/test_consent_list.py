"""``pupil list`` says what the gate acts on, in the published form and without names."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import jsonschema
import pytest
from django.db import connection
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.db.models import ConsentAnswer, PupilEntry, SuspendedPurpose
from consent_gate.home.home import Home
from tests.conftest import ROOT
from tests.support.imports import consent_csv, import_csv

SCHEMA = json.loads((ROOT / "docs" / "pupil-list.schema.json").read_text())


@pytest.fixture
def school(home: Home) -> Home:
    import_csv(home, consent_csv(_007001="F,T,T,,T,", _007002="T,T,T,T,,T"))
    return home


def printed(home: Home, *options: str) -> str:
    connection.close()
    result = CliRunner().invoke(app, ["--home", str(home.root), "pupil", "list", *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def listed(home: Home) -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in printed(home, "--json").splitlines()]
    for row in rows:
        jsonschema.validate(row, SCHEMA, format_checker=jsonschema.FormatChecker())
    return {row["pupil"]: row for row in rows}


def is_live(home: Home, use: str) -> bool:
    live: bool = listed(home)["007000"]["consents"][use]["live"]
    return live


def test_every_pupil_is_one_line_in_the_published_form(school: Home) -> None:
    found = listed(school)
    assert len(found) == 40
    assert list(found) == sorted(found)
    assert set(found["007000"]["consents"]) == {"website", "mag", "displays", "biometric"}
    assert found["007001"]["consents"]["website"]["answer"] == "refused"
    assert not found["007001"]["consents"]["website"]["live"]
    assert found["007001"]["consents"]["mag"]["live"]
    assert not found["007000"]["enrolled"]


def test_what_does_not_count_now_is_not_live(school: Home) -> None:
    assert is_live(school, "website")
    today, row = school.now().date(), ConsentAnswer.objects.filter(purpose="website")
    row.update(expires_on=today)
    assert is_live(school, "website"), "a consent holds on its last day"
    row.update(expires_on=today - timedelta(1))
    assert not is_live(school, "website")
    row.update(expires_on=None, given_on=today + timedelta(1))
    assert not is_live(school, "website")
    row.update(given_on=None)
    SuspendedPurpose.objects.create(purpose="website", since=school.now())
    assert not is_live(school, "website")
    assert is_live(school, "mag")
    PupilEntry.objects.filter(admission_number="007000").update(on_roll=False)
    assert not is_live(school, "mag")
    assert not listed(school)["007000"]["on_roll"]


def test_an_objection_to_face_matching_beats_the_consent(school: Home) -> None:
    assert is_live(school, "biometric")
    PupilEntry.objects.filter(admission_number="007000").update(biometric_objection=True)
    assert not is_live(school, "biometric")
    assert listed(school)["007000"]["consents"]["biometric"]["answer"] == "refused"


def test_the_table_has_numbers_and_no_names(school: Home) -> None:
    text = printed(school)
    assert "007000" in text
    assert "Surname0" not in text
    assert "Name0" not in text
