"""Colours, crossed-out text, comments and hidden parts of a workbook stop grants."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableStyleInfo

from sims_import.readers.dispatch import read_table
from sims_import.readers.interface import Mark, MarkKind
from tests.support.budgets import examples
from tests.support.consent_files import granted, prepared_import, wide_rows
from tests.support.export_files import workbooks_opened_once
from tests.support.sims_writers import XLS_STRUCK, XLS_YELLOW, to_ods, to_xls

__all__ = ["workbooks_opened_once"]

pytestmark = [pytest.mark.costly, pytest.mark.usefixtures("workbooks_opened_once")]

YELLOW = PatternFill("solid", fgColor="FFFFFF00")
GREY = PatternFill("solid", fgColor="FFD9D9D9")
STRUCK = Font(strike=True)
Change = Callable[[Any], None]


def saved(*changes: Change, answers: int = 12) -> bytes:
    """Twelve pupils who gave everything, in rows 2 to 13; answers in E to H."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Consent"
    rows = wide_rows()
    for row in rows:
        sheet.append(row)
    for number in range(len(rows), answers + 1):
        sheet.append([f"{number:06}", *rows[1][1:]])
    for change in changes:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def marks(*changes: Change) -> list[Mark]:
    return list(read_table(saved(*changes), "export").doubts)


def fill(*cells: str, with_: PatternFill = YELLOW) -> Change:
    def change(book: Any) -> None:
        for cell in cells:
            book.active[cell].fill = with_

    return change


def font(cell: str, font: Font) -> Change:
    return lambda book: setattr(book.active[cell], "font", font)


def comment(cell: str) -> Change:
    return lambda book: setattr(book.active[cell], "comment", Comment("Mum rang: no", "office"))


def value(cell: str, text: object) -> Change:
    return lambda book: setattr(book.active[cell], "value", text)


def partly_struck(book: Any) -> None:
    struck = TextBlock(InlineFont(strike=True), "Yes")
    book.active["F4"].value = CellRichText("Yes", struck)


def hide_row(book: Any) -> None:
    book.active.row_dimensions[5].hidden = True


def hide_column(letter: str) -> Change:
    return lambda book: setattr(book.active.column_dimensions[letter], "hidden", True)


def hidden_sheet(state: str) -> Change:
    def change(book: Any) -> None:
        sheet = book.create_sheet("Withdrawn")
        sheet.append(["Ann Archer"])
        sheet.sheet_state = state

    return change


def filtered(book: Any) -> None:
    book.active.auto_filter.ref = "A1:H13"
    hide_row(book)


def invisible(book: Any) -> None:
    book.active["E4"].number_format = ";;;"


MARKED: list[tuple[Change, Mark]] = [
    (fill("E4"), Mark("Consent", "E4", MarkKind.FILL)),
    (fill("B4"), Mark("Consent", "B4", MarkKind.FILL)),
    (fill("L4"), Mark("Consent", "L4", MarkKind.FILL)),
    (font("E4", STRUCK), Mark("Consent", "E4", MarkKind.STRIKETHROUGH)),
    (font("E1", STRUCK), Mark("Consent", "E1", MarkKind.STRIKETHROUGH)),
    (partly_struck, Mark("Consent", "F4", MarkKind.STRIKETHROUGH)),
    (font("E4", Font(color="FFFF0000")), Mark("Consent", "E4", MarkKind.TEXT_COLOUR)),
    (invisible, Mark("Consent", "E4", MarkKind.TEXT_COLOUR)),
    (comment("E4"), Mark("Consent", "E4", MarkKind.COMMENT)),
    (comment("E1"), Mark("Consent", "E1", MarkKind.COMMENT)),
    (comment("K4"), Mark("Consent", "K4", MarkKind.COMMENT)),
    (hide_row, Mark("Consent", "5", MarkKind.HIDDEN_ROW)),
    (filtered, Mark("Consent", "5", MarkKind.FILTER)),
    (hide_column("E"), Mark("Consent", "E", MarkKind.HIDDEN_COLUMN, 4)),
    (hidden_sheet("hidden"), Mark("Withdrawn", "", MarkKind.HIDDEN_SHEET)),
    (hidden_sheet("veryHidden"), Mark("Withdrawn", "", MarkKind.HIDDEN_SHEET)),
]


@pytest.mark.parametrize(("change", "mark"), MARKED)
def test_a_mark_is_named_with_its_sheet_and_cell_and_stops_grants(
    change: Change, mark: Mark
) -> None:
    data = saved(change)
    assert list(read_table(data, "export").doubts) == [mark]
    assert "marks-in-workbook" in [block.code for block in prepared_import(data).blocks]
    assert granted(data) == set()


def banded(book: Any) -> None:
    for row in range(2, 14, 2):
        for cell in book.active[row]:
            cell.fill = GREY


def coloured_heading(book: Any) -> None:
    for cell in book.active[1]:
        cell.fill, cell.font = YELLOW, Font(bold=True, color="FFFFFFFF")


def whole_column(book: Any) -> None:
    for row in range(2, 14):
        book.active.cell(row, 5).fill = YELLOW


def styled_table(book: Any) -> None:
    table = ExcelTable(displayName="Consent", ref="A1:H13")
    table.tableStyleInfo = TableStyleInfo("TableStyleMedium9", showRowStripes=True)
    book.active.add_table(table)


def filter_without_hidden_rows(book: Any) -> None:
    book.active.auto_filter.ref = "A1:H13"


def white_and_black(book: Any) -> None:
    book.active["E4"].fill = PatternFill("solid", fgColor="FFFFFFFF")
    book.active["E5"].font = Font(color="FF000000")


def empty_hidden_sheet(book: Any) -> None:
    book.create_sheet("Sheet2").sheet_state = "hidden"


@pytest.mark.parametrize(
    "change",
    [
        banded,
        coloured_heading,
        whole_column,
        styled_table,
        filter_without_hidden_rows,
        white_and_black,
        empty_hidden_sheet,
        hide_column("B"),
        hide_column("K"),
    ],
)
def test_the_plain_style_of_a_workbook_is_no_mark(change: Change) -> None:
    data = saved(change)
    assert read_table(data, "export").doubts == ()
    assert len(granted(data)) == 48


def test_a_cell_that_breaks_the_banding_is_a_mark() -> None:
    assert marks(banded, fill("E4")) == [Mark("Consent", "E4", MarkKind.FILL)]
    unfilled = fill("E4", with_=PatternFill())
    assert marks(banded, unfilled) == [Mark("Consent", "E4", MarkKind.FILL)]


def test_every_second_pupil_of_a_few_in_colour_is_not_banding() -> None:
    data = saved(fill("E2", "E4", "E6"), answers=6)
    assert [mark.kind for mark in read_table(data, "export").doubts] == [MarkKind.FILL] * 3


def test_a_blank_cell_in_colour_is_a_mark() -> None:
    assert marks(value("E4", None), fill("E4")) == [Mark("Consent", "E4", MarkKind.FILL)]


def test_a_row_of_no_height_is_hidden() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved())) as whole, zipfile.ZipFile(out, "w") as flat:
        for name in whole.namelist():
            data = whole.read(name).replace(b'<row r="5"', b'<row r="5" ht="0" customHeight="1"')
            flat.writestr(name, data)
    doubts = read_table(out.getvalue(), "export").doubts
    assert doubts == (Mark("Consent", "5", MarkKind.HIDDEN_ROW),)


def test_formatting_that_cannot_be_read_stops_grants() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved())) as whole, zipfile.ZipFile(out, "w") as odd:
        for name in whole.namelist():
            data = whole.read(name)
            if name == "xl/styles.xml":
                data = data.replace(
                    b"<fills", b"<fills><fill><patternFill patternType='odd'/></fill></fills><x"
                )
            odd.writestr(name, data)
    doubts = read_table(out.getvalue(), "export").doubts
    assert doubts == (Mark("Consent", "", MarkKind.UNREADABLE),)


@pytest.mark.parametrize(
    ("data", "mark"),
    [
        (to_xls(wide_rows(), {(3, 4): XLS_STRUCK}), ("E4", MarkKind.STRIKETHROUGH)),
        (to_xls(wide_rows(), {(3, 4): XLS_YELLOW}), ("E4", MarkKind.FILL)),
        (to_xls(wide_rows(), hidden_row=4), ("5", MarkKind.HIDDEN_ROW)),
    ],
)
def test_marks_of_an_old_workbook_stop_grants(data: bytes, mark: tuple[str, MarkKind]) -> None:
    (found,) = read_table(data, "export").doubts
    assert (found.cell, found.kind) == mark
    assert granted(data) == set()


def test_an_old_workbook_without_marks_is_granted() -> None:
    assert len(granted(to_xls(wide_rows()))) == 24


def ods_style(kind: str, properties: str) -> str:
    return f'<style:style style:name="odd" style:family="{kind}">{properties}</style:style>'


STRIKE = '<style:text-properties style:text-line-through-style="solid"/>'
CELL, ROW = "<table:table-cell", "<table:table-row>"
THIRD = f'<table:table-row>{CELL} office:value-type="string"><text:p>000003'


@pytest.mark.parametrize(
    ("styles", "replaced", "mark"),
    [
        (
            ods_style("table-cell", '<style:table-cell-properties fo:background-color="#ffff00"/>'),
            (THIRD, THIRD.replace(CELL, f'{CELL} table:style-name="odd"')),
            ("A4", MarkKind.FILL),
        ),
        (
            ods_style("table-cell", STRIKE),
            (THIRD, THIRD.replace(CELL, f'{CELL} table:style-name="odd"')),
            ("A4", MarkKind.STRIKETHROUGH),
        ),
        (
            ods_style("text", STRIKE),
            ("000003", '<text:span text:style-name="odd">000003</text:span>'),
            ("A4", MarkKind.STRIKETHROUGH),
        ),
        (
            "",
            (
                "<text:p>000003",
                "<office:annotation><text:p>No</text:p></office:annotation><text:p>000003",
            ),
            ("A4", MarkKind.COMMENT),
        ),
        (
            "",
            (THIRD, THIRD.replace(ROW, '<table:table-row table:visibility="collapse">')),
            ("4", MarkKind.HIDDEN_ROW),
        ),
        (
            "",
            (THIRD, THIRD.replace(ROW, '<table:table-row table:visibility="filter">')),
            ("4", MarkKind.FILTER),
        ),
    ],
)
def test_marks_of_an_opendocument_sheet_stop_grants(
    styles: str, replaced: tuple[str, str], mark: tuple[str, MarkKind]
) -> None:
    data = to_ods(wide_rows(), styles, replaced)
    (found,) = read_table(data, "export").doubts
    assert (found.cell, found.kind) == mark
    assert granted(data) == set()


def test_an_opendocument_sheet_without_marks_is_granted() -> None:
    assert len(granted(to_ods(wide_rows()))) == 24


CELLS = st.builds(
    lambda column, row: f"{column}{row}", st.sampled_from("ABCDEFGHIL"), st.integers(1, 13)
)
CHANGES = st.one_of(
    st.builds(fill, CELLS, with_=st.sampled_from([YELLOW, GREY])),
    st.builds(font, CELLS, st.sampled_from([STRUCK, Font(color="FFFF0000"), Font(bold=True)])),
    st.builds(comment, CELLS),
    st.builds(hide_column, st.sampled_from("ABCDEFGHI")),
    st.sampled_from(
        [hide_row, banded, whole_column, filtered, styled_table, hidden_sheet("hidden")]
    ),
)


@settings(max_examples=examples(12), deadline=None)
@given(st.lists(CHANGES, max_size=3, unique=True), st.lists(CELLS, max_size=4))
def test_formatting_never_adds_a_grant(changes: list[Change], refused: list[str]) -> None:
    answers = [value(cell, "No") for cell in refused if cell[0] in "EFGH" and cell[1:] != "1"]
    plain = granted(saved(*answers))
    assert granted(saved(*answers, *changes)) <= plain
