"""The made school's exports: six kinds of file, one register, and the next term's changes."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from consent_gate.model import Answer
from sims_import.prepare import Prepared, School, prepare, read_export
from sims_import.reconcile import Kind
from sims_import.register import RegisterPupil, RegisterSnapshot
from sims_import.siblings import sibling_links
from tests.conftest import SHARED

SCHOOL = SHARED / "data" / "school"
SIMS = SCHOOL / "sims"
TODAY = date(2026, 11, 22)
KINDS = (
    "consent_wide.csv",
    "consent_wide_cp1252_titles.csv",
    "consent_cell_utf16.csv",
    "consent_long.csv",
    "consent_wide.xlsx",
    "consent_commandreporter.xml",
)
PURPOSES = ("website", "mag", "displays", "biometric")

pytestmark = [
    pytest.mark.shared_data,
    pytest.mark.skipif(not SIMS.is_dir(), reason="the made school's exports are not here"),
]


def bring_in(
    name: str, before: RegisterSnapshot | None = None, school: School | None = None
) -> Prepared:
    school = school or School()
    table = read_export((SIMS / name).read_bytes(), name, school)
    return prepare(table, before or RegisterSnapshot(), school, TODAY)


def register_from(name: str) -> tuple[RegisterSnapshot, School]:
    """The register after a first import of ``name``, and what was settled by it."""
    prepared = bring_in(name)
    pupils = {
        number: RegisterPupil(
            number,
            record.upn or "",
            record.forename or "",
            record.surname or "",
            record.preferred_forename or "",
            reg_group=record.reg_group or "",
            year=record.year or "",
            date_of_birth=record.date_of_birth,
            family_key=record.family_key or "",
            consents=record.consents,
            never_publish=bool(record.never_publish),
        )
        for number, record in prepared.plan.records.items()
    }
    return RegisterSnapshot(pupils, TODAY), School(saved=prepared.understanding.mapping)


def truth() -> dict[str, tuple[frozenset[str], bool, str]]:
    """``people.csv``: what is given, never to be published, family; by admission number."""
    with (SCHOOL / "people.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["adno"]: (
                frozenset(name for name in PURPOSES if row[name] == "1"),
                row["never"] == "1",
                row["family"],
            )
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_export_gives_the_same_register(name: str) -> None:
    plan = bring_in(name).plan
    found = {
        number: (
            frozenset(n for n, c in record.consents.items() if c.answer is Answer.GIVEN),
            bool(record.never_publish),
            record.family_key,
        )
        for number, record in plan.records.items()
    }
    assert found == truth()
    assert plan.roster.errors == ()
    assert plan.roster.warnings == ()


@pytest.mark.parametrize("name", KINDS)
def test_no_kind_of_export_leaves_a_question_or_trips_a_brake_at_first(name: str) -> None:
    prepared = bring_in(name)
    assert prepared.understanding.questions == ()
    assert prepared.brakes == ()


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
def test_importing_one_kind_after_another_grants_and_withdraws_nothing(
    first: str, second: str
) -> None:
    before, school = register_from(first)
    prepared = bring_in(second, before, school)
    consents = prepared.plan.of_kind(*(set(Kind) - {Kind.FIELD, Kind.REFUSED}))
    assert consents == []
    assert prepared.plan.shared_upns == {}


@pytest.mark.parametrize("name", KINDS)
def test_the_same_file_again_changes_nothing(name: str) -> None:
    before, school = register_from(name)
    prepared = bring_in(name, before, school)
    assert prepared.plan.changes == ()
    assert prepared.brakes == ()
    assert len(prepared.plan.unchanged) == 244


def test_the_titled_export_says_when_it_was_run() -> None:
    assert bring_in("consent_wide_cp1252_titles.csv").plan.exported_on == date(2026, 9, 4)


def test_next_term_six_lose_the_website_three_leave_and_four_join_in() -> None:
    before, school = register_from("consent_wide.csv")
    prepared = bring_in("consent_next_term.csv", before, school)
    withdrawn = prepared.plan.of_kind(Kind.WITHDRAWN)
    assert sorted(change.pupil for change in withdrawn) == [
        "004009",
        "004159",
        "004219",
        "004243",
        "004333",
        "004348",
    ]
    assert {change.subject for change in withdrawn} == {"website"}
    assert sorted(prepared.plan.pupils(Kind.LEFT)) == ["004015", "004054", "004369"]
    granted = prepared.plan.pupils(Kind.GRANTED)
    assert sorted(granted) == ["004567", "004603", "004609", "004636"]
    assert prepared.brakes == ()
    assert len(prepared.plan.unchanged) == 231


def test_siblings_come_from_the_family_key() -> None:
    before, _ = register_from("consent_wide.csv")
    families: dict[str, set[str]] = {}
    for number, (_, _, family) in truth().items():
        families.setdefault(family, set()).add(number)
    expected = {n: frozenset(f - {n}) for f in families.values() if len(f) > 1 for n in f}
    assert sibling_links(before.pupils.values()) == expected
