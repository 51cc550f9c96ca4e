"""Six kinds of export of one school give the same register, and the next term's changes."""

from __future__ import annotations

import csv
from datetime import date
from functools import cache

import pytest

from consent_gate.model import Answer
from consent_gate.register.snapshot import RegisterPupil, RegisterSnapshot
from sims_import.planning.prepare import ImportContext, PreparedImport, prepare, read_export
from sims_import.planning.siblings import sibling_links
from sims_import.reconcile import ChangeKind
from tests.support.export_files import workbooks_opened_once
from tests.support.made_school import KINDS, NEXT_TERM, PURPOSES, MadeSchool

__all__ = ["workbooks_opened_once"]

pytestmark = pytest.mark.usefixtures("workbooks_opened_once")

TODAY = date(2026, 11, 22)


def bring_in(
    data: bytes, before: RegisterSnapshot | None = None, school: ImportContext | None = None
) -> PreparedImport:
    school = school or ImportContext()
    table = read_export(data, "export", school)
    return prepare(table, before or RegisterSnapshot(), school, TODAY)


@cache
def register_from(data: bytes) -> tuple[RegisterSnapshot, ImportContext]:
    """The register after a first import, and what was settled by it."""
    prepared = bring_in(data)
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
    return RegisterSnapshot(pupils, TODAY), ImportContext(saved=prepared.understanding.mapping)


def truth(made: MadeSchool) -> dict[str, tuple[frozenset[str], bool, str]]:
    """``people.csv``: what is given, never to be published, family; by admission number."""
    with (made.folder / "people.csv").open(encoding="utf-8", newline="") as file:
        return {
            row["adno"]: (
                frozenset(name for name in PURPOSES if row[name] == "1"),
                row["never"] == "1",
                row["family"],
            )
            for row in csv.DictReader(file)
        }


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_export_gives_the_same_register(made_school: MadeSchool, name: str) -> None:
    plan = bring_in(made_school.export(name)).plan
    found = {
        number: (
            frozenset(n for n, c in record.consents.items() if c.answer is Answer.GIVEN),
            bool(record.never_publish),
            record.family_key,
        )
        for number, record in plan.records.items()
    }
    assert found == truth(made_school)
    assert plan.roster.errors == ()
    assert plan.roster.warnings == ()


@pytest.mark.parametrize("name", KINDS)
def test_no_kind_of_export_leaves_a_question_or_a_block_at_first(
    made_school: MadeSchool, name: str
) -> None:
    prepared = bring_in(made_school.export(name))
    assert prepared.understanding.questions == ()
    assert prepared.blocks == ()


@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("second", KINDS)
def test_importing_one_kind_after_another_grants_and_withdraws_nothing(
    made_school: MadeSchool, first: str, second: str
) -> None:
    before, school = register_from(made_school.export(first))
    prepared = bring_in(made_school.export(second), before, school)
    consents = prepared.plan.of_kind(*(set(ChangeKind) - {ChangeKind.FIELD, ChangeKind.REFUSED}))
    assert consents == []
    assert prepared.plan.shared_upns == {}


@pytest.mark.parametrize("name", KINDS)
def test_the_same_file_again_changes_nothing(made_school: MadeSchool, name: str) -> None:
    before, school = register_from(made_school.export(name))
    prepared = bring_in(made_school.export(name), before, school)
    assert prepared.plan.changes == ()
    assert prepared.blocks == ()
    assert len(prepared.plan.unchanged) == 244


def test_the_titled_export_says_when_it_was_run(made_school: MadeSchool) -> None:
    assert bring_in(made_school.export("consent_wide_cp1252_titles.csv")).plan.exported_on == date(
        2026, 9, 4
    )


def test_next_term_six_lose_the_website_three_leave_and_four_join_in(
    made_school: MadeSchool,
) -> None:
    before, school = register_from(made_school.export("consent_wide.csv"))
    prepared = bring_in(made_school.export(NEXT_TERM), before, school)
    withdrawn = prepared.plan.of_kind(ChangeKind.WITHDRAWN)
    assert sorted(change.pupil for change in withdrawn) == list(made_school.withdrawn)
    assert {change.subject for change in withdrawn} == {"website"}
    assert sorted(prepared.plan.pupils(ChangeKind.LEFT)) == list(made_school.leavers)
    granted = prepared.plan.pupils(ChangeKind.GRANTED)
    assert sorted(granted) == list(made_school.joiners)
    assert prepared.blocks == ()
    assert len(prepared.plan.unchanged) == 231


def test_siblings_come_from_the_family_key(made_school: MadeSchool) -> None:
    before, _ = register_from(made_school.export("consent_wide.csv"))
    families: dict[str, set[str]] = {}
    for number, (_, _, family) in truth(made_school).items():
        families.setdefault(family, set()).add(number)
    expected = {n: frozenset(f - {n}) for f in families.values() if len(f) > 1 for n in f}
    assert sibling_links(before.pupils.values()) == expected
