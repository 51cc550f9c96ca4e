"""Names of files and sheets, and headings over nothing, that say what an export is.

An old file, another school's, a list of refusals, a key beside the table.
"""

from __future__ import annotations

import pytest

from sims_import.planning.prepare import ImportContext, prepare, read_export
from tests.support.consent_files import granted, wide_rows
from tests.support.export_files import workbook
from tests.support.sims_school import TODAY, encode_csv, make_snapshot


def codes_of(name: str) -> list[str]:
    """What stops an import of a usual list in a file of this name."""
    context = ImportContext()
    table = read_export(encode_csv(wide_rows()), name, context)
    return [block.code for block in prepare(table, make_snapshot([]), context, TODAY).blocks]


@pytest.mark.parametrize(
    "name",
    [
        *("opt-outs.csv", "photo opt outs.csv", "consent backup.csv", "consent.bak.csv"),
        *("consent_wrong.csv", "blocked pupils.csv", "blacklist.csv", "consent defaults.csv"),
        *("export-2024-09-01.csv", "consent_20240901.csv", "Sept24 consent.csv"),
        *("Oakdale photo consent.csv", "St Marys consents.xlsx", "Oakdale CofE consent.csv"),
    ],
)
def test_a_file_with_such_a_name_grants_nothing(name: str) -> None:
    assert codes_of(name)


@pytest.mark.parametrize(
    "name",
    [
        *("consent_20261120.csv", "export-2026-10-01.csv", "Nov26 consent.csv", "consent (1).csv"),
        *("3W photo consent.csv", "Millfields photo consent.csv", "b20_no_photos.csv"),
        *(
            "Photo Consent Form (Responses) - Form Responses 1.csv",
            "Photo consent 2026(1-244).xlsx",
        ),
        *("SIMS photo consents.csv", "Mrs Hill photo consent.csv", "download-48231377.csv"),
    ],
)
def test_a_file_with_a_usual_name_is_read(name: str) -> None:
    assert codes_of(name) == []


@pytest.mark.parametrize("sheet", ["N", "Off", "Red", "Blocked", "Queries", "Oakdale consents"])
def test_a_sheet_with_such_a_name_grants_nothing(sheet: str) -> None:
    assert granted(workbook((sheet, [list(row) for row in wide_rows()]))) == set()


@pytest.mark.parametrize("sheet", ["Photo consents", "Millfields consents", "Sheet1", "Beech"])
def test_a_sheet_with_a_usual_name_is_read(sheet: str) -> None:
    assert len(granted(workbook((sheet, [list(row) for row in wide_rows()])))) == 24


@pytest.mark.parametrize(
    "beside", [["Yes", "= do not use"], ["Tick", "Not allowed"], ["Y", "Verbal only"]]
)
def test_a_key_in_the_row_of_headings_stops_grants(beside: list[str]) -> None:
    rows = wide_rows()
    assert granted([[*rows[0], "", *beside], *rows[1:]]) == set()


@pytest.mark.parametrize(
    "beside", [["Review", "Bus route"], ["Consent withdrawn"], ["Confirmed", "No"]]
)
def test_headings_over_nothing_stop_nothing(beside: list[str]) -> None:
    rows = wide_rows()
    assert len(granted([[*rows[0], *beside], *rows[1:]])) == 24
