"""What is stored of an import, and how an import is undone."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

import pytest

from consent_gate.db import audit_log
from consent_gate.db.models import (
    ConsentAnswer,
    ImportRun,
    Template,
)
from consent_gate.home.home import Home
from consent_gate.register.repository import load_register
from sims_import.applying.apply import ExportFile
from sims_import.applying.history import changes_of, undo_grants
from sims_import.applying.run import run_import
from tests.support.factories import World, matches
from tests.support.imports import (
    consent_csv,
    consent_csv_of,
    import_csv,
    make_template,
    verdict_of,
)

pytestmark = pytest.mark.dialect


def guarded(home: Home, number: str) -> bool:
    """Whether a match to the pupil is not trusted, for the sake of a brother or sister."""
    return load_register(home.now().date()).pupils[number].has_unenrolled_sibling


def test_undoing_an_import_removes_its_grants_and_leaves_withdrawals(home: Home) -> None:
    import_csv(home, consent_csv(_007001=",T,T,T,,", _007002="T,T,T,,,"))
    done = import_csv(home, consent_csv(_007003="T,,T,T,,"))
    make_template(home, "007002")
    item = World(home).make_item(matches("007002"))
    assert len(list(changes_of(done.run))) == 3

    undone = undo_grants(home, done.run.pk, "j.brown")

    assert undone.pupils == ("007001", "007002")
    assert not Template.objects.exists(), "matching was one of the grants"
    assert verdict_of(item) != "released"
    answers = dict(
        ConsentAnswer.objects.filter(
            pupil__admission_number__in=("007001", "007003"), purpose__in=("website", "mag")
        ).values_list("pupil__admission_number", "answer")
    )
    assert set(answers.values()) <= {"given", "not_stated"}
    assert (
        ConsentAnswer.objects.get(pupil__admission_number="007001", purpose="website").answer
        == "not_stated"
    )
    assert (
        ConsentAnswer.objects.get(pupil__admission_number="007003", purpose="mag").answer
        == "not_stated"
    )
    assert undo_grants(home, done.run.pk, "j.brown").pupils == ()
    assert audit_log.verify(home) == []


def test_a_grant_confirmed_by_a_later_import_is_not_undone(home: Home) -> None:
    import_csv(home, consent_csv(_007001=",T,T,T,,"))
    second = import_csv(home, consent_csv())
    import_csv(home, consent_csv(_007001=",T,T,T,,"))
    import_csv(home, consent_csv())
    assert undo_grants(home, second.run.pk, "j.brown").pupils == ()


def test_undoing_an_import_takes_back_the_time_it_granted(home: Home) -> None:
    """A consent that ends this week was read as one without an end."""
    ends = home.now().date() + timedelta(days=3)
    head = "Adno,Surname,Website,Website expiry date,Mag,Displays,Biometric Consent"

    def until(day: str) -> str:
        return "\n".join([head, f"007001,Archer,T,{day},T,T,T"])

    import_csv(home, until(f"{ends:%Y-%m-%d}"))
    done = import_csv(home, until(""))
    website = ConsentAnswer.objects.get(purpose="website")
    assert (website.answer, website.expires_on) == ("given", None)

    assert undo_grants(home, done.run.pk, "j.brown").pupils == ("007001",)
    again = ConsentAnswer.objects.get(purpose="website")
    assert (again.answer, again.expires_on) == ("given", ends)
    assert undo_grants(home, done.run.pk, "j.brown").pupils == ()


def test_undoing_an_import_brings_the_brothers_and_sisters_back_that_it_lost(home: Home) -> None:
    """A report in which the family column was filled wrongly."""
    family = consent_csv().replace(",F1,", ",F2,")
    import_csv(home, family)
    make_template(home, "007001")
    assert guarded(home, "007001")
    done = import_csv(home, consent_csv())
    assert not guarded(home, "007001")
    item = World(home).make_item(matches("007001"))
    undo_grants(home, done.run.pk, "j.brown")
    assert guarded(home, "007001")
    assert verdict_of(item) == "held", "it was on its way out"
    import_csv(home, consent_csv_of(41))
    assert guarded(home, "007001"), "another import does not lose them again"


def test_undoing_an_import_keeps_the_brothers_and_sisters_that_it_told_of(home: Home) -> None:
    import_csv(home, consent_csv())
    make_template(home, "007001")
    done = import_csv(home, consent_csv().replace(",F1,", ",F2,"))
    undo_grants(home, done.run.pk, "j.brown")
    assert guarded(home, "007001")


def test_undoing_an_import_remembers_a_brother_whom_it_took_for_gone(home: Home) -> None:
    together = consent_csv().replace(",F1,", ",F2,")
    import_csv(home, together)
    make_template(home, "007001")
    gone = "\n".join(row for row in together.splitlines() if not row.startswith("007002"))
    done = import_csv(home, gone)
    assert not guarded(home, "007001")
    undo_grants(home, done.run.pk, "j.brown")
    assert guarded(home, "007001")
    assert not ConsentAnswer.objects.filter(pupil__admission_number="007002").exists()


def test_what_is_kept_of_an_import_holds_the_files_hash_and_no_cell_of_it(home: Home) -> None:
    text = consent_csv().replace("Photograph - Website", "Photograph perhaps Surname7")
    result = run_import(home, ExportFile("c.csv", text.encode()), (), "office").report
    run = ImportRun.objects.get()
    assert run.file_sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert "Name7" not in json.dumps(run.summary)
    assert result["status"] == "applied"
