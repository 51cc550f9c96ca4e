"""An export, or a section of it, that names another school grants nothing unasked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent_gate.register.snapshot import RegisterSnapshot
from sims_import.planning.import_blocks import gate_plan
from sims_import.planning.prepare import ImportContext, prepare, read_export
from sims_import.readers.interface import Table
from sims_import.reconcile import ChangeKind
from sims_import.text.vocabulary import DEFAULT_VOCABULARY
from tests.support.consent_files import granted, standing, wide_rows, with_column
from tests.support.sims_school import TODAY, encode_csv

OTHERS = (
    *("Oakdale Academy", "Oakdale Primary School", "St Mary's CofE Primary", "Hillside Juniors"),
    *("Ysgol Felinfach", "School: Oakdale", "Oakdale Primary photo consents", "OAKDALE HIGH"),
    *("Academy of Oakdale", "Millfields Oakdale School", "Photo consent - Oakdale School, 2026"),
)


def school(name: str) -> ImportContext:
    return ImportContext(replace(DEFAULT_VOCABULARY, school=name))


MILLFIELDS = school("Millfields Community School")


@pytest.mark.parametrize("name", OTHERS)
def test_the_name_of_another_school_stops_grants(name: str) -> None:
    rows = wide_rows()
    for lines in ([[name], *rows], [*rows[:4], [name], *rows[4:]], [*rows, [], [name]]):
        assert "several-schools" in standing(lines, context=MILLFIELDS)
        assert granted(lines, context=MILLFIELDS) == set()
        assert granted(lines) == set()  # the settings name only a magazine


@pytest.mark.parametrize("name", ["Oakdale Academy", "Oakdale Primary School - year 3"])
def test_the_name_of_another_school_on_a_sheet_stops_grants(name: str) -> None:
    table = read_export(encode_csv(wide_rows()), "export", MILLFIELDS)
    sheets = replace(table, rows=tuple(replace(row, sheet=name) for row in table.rows))
    assert codes_and_grants(sheets) == (["several-schools"], 0)


@pytest.mark.parametrize("file", ["Oakdale Academy.csv", "oakdale_primary_school_consent.csv"])
def test_the_name_of_another_school_in_a_file_name_stops_grants(file: str) -> None:
    table = read_export(encode_csv(wide_rows()), file, MILLFIELDS)
    assert codes_and_grants(table) == (["several-schools"], 0)


@pytest.mark.parametrize(
    "file", ["Millfields consent 2026-27.csv", "whole_school_consent.csv", "MCS school.csv"]
)
def test_the_own_name_in_a_file_name_stops_nothing(file: str) -> None:
    table = read_export(encode_csv(wide_rows()), file, MILLFIELDS)
    assert codes_and_grants(table) == ([], 24)


def codes_and_grants(table: Table) -> tuple[list[str], int]:
    prepared = prepare(table, RegisterSnapshot(), MILLFIELDS, TODAY)
    done = gate_plan(prepared.plan, prepared.blocks, ())
    grants = [change for change in done.apply_now if change.kind is ChangeKind.GRANTED]
    return [block.code for block in prepared.blocks], len(grants)


@pytest.mark.parametrize("caption", ["School", "Establishment", "Academy name"])
def test_a_column_that_names_one_other_school_stops_grants(caption: str) -> None:
    rows = with_column(caption, dict.fromkeys(range(1, 7), "Oakdale"))
    assert standing(rows, context=MILLFIELDS) == ["several-schools"]
    for own in ("Millfields", "Millfields Community School", "MCS", "8873342"):
        rows = with_column(caption, dict.fromkeys(range(1, 7), own))
        assert standing(rows, context=MILLFIELDS) == []


def test_an_infant_school_is_not_the_junior_school_of_the_same_name() -> None:
    infants = school("Millfields Infant School")
    assert standing([["Millfields Junior School"], *wide_rows()], context=infants) == [
        "several-schools"
    ]
    assert standing([["Millfields Infants"], *wide_rows()], context=infants) == []


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("Millfields Community School", "The Millfields Community School"),
        ("Millfields Community School", "Photo consent - Millfields School 2026/27"),
        ("Millfields Community School", "Millfields CS, Mill Lane, Oakdale AB1 2CD"),
        ("Millfields Community School", "MCS"),
        ("Millfields Community School (made up)", "Millfields Community School"),
        ("Millfields Community School", "Head teacher: Mrs J Oakdale"),
        ("Millfields Community School", "Mrs Smith, school office"),
        ("Millfields Community School", "Part of the Oakdale Learning Trust"),
        ("Hampton Court Primary School", "Hampton Court Primary School"),
        ("St Will's Church of England Primary School", "St Will's CofE Primary School"),
        ("All Saints C of E Primary School", "All Saints Primary School - UPNs, house nos"),
        ("Ysgol Gynradd Felinfach", "Ysgol Felinfach"),
    ],
)
def test_the_own_name_or_a_part_of_it_stops_nothing(name: str, title: str) -> None:
    assert standing([[title], *wide_rows()], context=school(name)) == []


def test_a_school_without_any_known_name_is_compared_with_nothing() -> None:
    uses = tuple(replace(use, aliases=()) for use in DEFAULT_VOCABULARY.purposes)
    context = ImportContext(replace(DEFAULT_VOCABULARY, purposes=uses, school="Our school"))
    rows = wide_rows()
    rows[0][5] = "School magazine"
    assert standing([["Oakdale Academy"], *rows], context=context) == []
