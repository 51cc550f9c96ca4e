"""Excel workbooks, old and new, are read as the text that a person sees."""

from __future__ import annotations

import io
from datetime import date, datetime

import openpyxl
import pytest

from consent_gate.errors import ExportUnreadable
from tests.support.export_files import CELLS, ROWS, read, workbook
from tests.support.sims_writers import to_xls

pytestmark = pytest.mark.costly


def test_excel_cells_become_the_text_a_person_sees() -> None:
    rows: list[list[object]] = [
        ["Adno", "DOB", "School Website", "Reg"],
        [4123, datetime(2020, 4, 17), True, 3],  # noqa: DTZ001
        [4124.0, date(2020, 4, 18), False, "3W"],
    ]
    assert [row.cells for row in read(workbook(("S", rows))).rows] == [
        ("4123", "2020-04-17", "TRUE", "3"),
        ("4124", "2020-04-18", "FALSE", "3W"),
    ]


def test_excel_rows_are_counted_from_the_top_of_the_sheet() -> None:
    rows: list[list[object]] = [["Our school"], [], *[list[object](r) for r in ROWS]]
    table = read(workbook(("S", rows)))
    assert [(row.sheet, row.number) for row in table.rows] == [("S", 4), ("S", 5)]


def test_one_sheet_per_class_is_one_export_even_with_columns_in_another_order() -> None:
    other = [[row[1], row[0], row[3], row[2]] for row in ROWS]
    other[1][1], other[2][1] = "004125", "004126"
    table = read(workbook(("3W", [list(r) for r in ROWS]), ("3B", [list(r) for r in other])))
    assert [row.cells[0] for row in table.rows] == ["004123", "004124", "004125", "004126"]
    assert table.rows[2].cells == ("004125", "N\u00fa\u00f1ez", "T", "")


def test_a_sheet_with_other_columns_is_left_out_and_said_so() -> None:
    other: list[list[object]] = [["Adno", "Surname", "Allergy"], ["004123", "Moss", "nuts"]]
    table = read(workbook(("Consent", [list(r) for r in ROWS]), ("Medical", other)))
    assert len(table.rows) == 2
    assert "Medical" in table.left_out[0]


def test_hidden_sheets_are_not_read() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(("S", [list(r) for r in ROWS]))))
    hidden = book.create_sheet("old")
    for row in (ROWS[0], ["009999", "Moss", "T", "T"]):
        hidden.append(row)
    hidden.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    assert [row.cells[0] for row in read(out.getvalue()).rows] == ["004123", "004124"]


def test_a_stray_cell_in_the_last_corner_is_refused_before_it_eats_the_memory() -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(("S", [list(r) for r in ROWS]))))
    book["S"]["XFD1048576"] = "x"
    out = io.BytesIO()
    book.save(out)
    with pytest.raises(ExportUnreadable, match="larger"):
        read(out.getvalue())


def test_half_a_workbook_is_refused() -> None:
    data = workbook(("S", [list(r) for r in ROWS]))
    with pytest.raises(ExportUnreadable):
        read(data[: len(data) // 2])


def test_an_excel_97_workbook_is_read() -> None:
    rows = [[row[0], *row[1:]] for row in ROWS]
    assert [row.cells[1:] for row in read(to_xls(rows)).rows] == [row[1:] for row in CELLS[1:]]


def test_a_workbook_whose_directory_never_ends_is_refused_without_eating_the_memory() -> None:
    data = bytearray(to_xls(ROWS))
    # In the sector table, which follows the header, the directory's sector leads to itself.
    data[512 + 4 : 512 + 8] = (1).to_bytes(4, "little")
    with pytest.raises(ExportUnreadable, match="damaged"):
        read(bytes(data))
