"""A workbook that shows staff something else than its cells hold grants nothing unasked."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Font
from openpyxl.worksheet.datavalidation import DataValidation

from sims_import.readers.dispatch import read_table
from sims_import.readers.interface import MarkKind, Table
from tests.support.consent_files import prepared_import, wide_rows
from tests.support.export_files import workbooks_opened_once

__all__ = ["workbooks_opened_once"]

pytestmark = [pytest.mark.costly, pytest.mark.usefixtures("workbooks_opened_once")]


def saved(*changes: Callable[[Any], None]) -> bytes:
    """Six pupils who gave everything, in rows 2 to 7; answers in E to H."""
    book = openpyxl.Workbook()
    for row in wide_rows():
        book.active.append(row)
    for change in changes:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def codes(data: bytes) -> list[str]:
    return [block.code for block in prepared_import(data).blocks]


def shown_otherwise(book: Any) -> None:
    sheet = book.active
    sheet["E2"].font = Font(name="Wingdings")
    sheet["F3"].value, sheet["F3"].number_format = 1, '"No"'
    sheet["G4"].value = '=IF(TODAY()>DATE(2026,1,1),"No","Yes")'
    sheet.row_dimensions[5].height = 0.75
    sheet.column_dimensions["H"].width = 0.2


def test_symbols_formats_formulas_and_what_is_too_small_to_see_are_marks() -> None:
    data = saved(shown_otherwise)
    assert {(mark.cell, mark.kind) for mark in read_table(data, "export").doubts} == {
        ("E2", MarkKind.SYMBOLS),
        ("F3", MarkKind.NUMBER_FORMAT),
        ("G4", MarkKind.OF_TODAY),
        ("5", MarkKind.HIDDEN_ROW),
        ("H", MarkKind.HIDDEN_COLUMN),
    }
    assert codes(data) == ["marks-in-workbook"]


def not_worked_out(book: Any) -> None:
    book.calculation.calcMode = "manual"
    book.active["G4"].value = '=IF(B4="x","No","Yes")'


def test_formulas_that_are_not_worked_out_by_themselves_are_a_mark() -> None:
    (mark,) = read_table(saved(not_worked_out), "export").doubts
    assert mark.kind is MarkKind.MANUAL


def printed_header(book: Any) -> None:
    book.active.oddHeader.center.text = "Pupils WITHOUT consent"
    book.active.oddFooter.left.text = "Page &P of &N"


def test_the_header_of_the_printed_page_is_a_title() -> None:
    data = saved(printed_header)
    assert read_table(data, "export").titles == ("Pupils WITHOUT consent", "Page of")
    assert codes(data) == ["negative-heading"]


def with_text_box(text: str, part: str = "xl/drawings/drawing1.xml") -> bytes:
    drawing = (
        '<xdr:wsDr xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"><xdr:sp><xdr:txBody><a:p>'
        f"<a:r><a:t>{text}</a:t></a:r></a:p></xdr:txBody></xdr:sp></xdr:wsDr>"
    )
    out = io.BytesIO(saved())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(part, drawing)
    return out.getvalue()


def test_a_text_box_is_a_title() -> None:
    table: Table = read_table(with_text_box("Names in blue"), "export")
    assert table.titles == ("Names in blue",)
    assert codes(with_text_box("Names in blue")) == ["negative-heading"]
    assert codes(with_text_box("Names in blue", "xl/drawings/shapes.xml")) == ["negative-heading"]


def with_message(text: str, title: str = "", cells: str = "E2:H7") -> Callable[[Any], None]:
    def change(book: Any) -> None:
        rule = DataValidation(type="list", formula1='"Yes,No"', sqref=cells)
        rule.prompt, rule.errorTitle = text, title
        book.active.add_data_validation(rule)

    return change


def test_a_message_at_cells_may_say_what_an_answer_means() -> None:
    data = saved(with_message("Y = parent refused"))
    assert [(m.cell, m.kind) for m in read_table(data, "export").doubts] == [
        (column, MarkKind.MESSAGE) for column in "EFGH"
    ]
    assert codes(data) == ["marks-in-workbook"]


def test_a_usual_message_at_cells_stops_nothing() -> None:
    usual = with_message("Please select Yes or No from the list.", "Invalid entry")
    name = with_message("As on the birth certificate", cells="B2:C7")
    assert codes(saved(usual, name)) == []


@pytest.mark.parametrize("prefix", ["x14", "ext"])
def test_messages_that_newer_versions_of_excel_write_are_read(prefix: str) -> None:
    plain, out = io.BytesIO(saved()), io.BytesIO()
    rule = (
        '<extLst><ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" '
        'uri="{CCE6A557-97BC-4B89-ADB6-D9C93CAAB3DF}"><x14:dataValidations count="1">'
        '<x14:dataValidation type="list" prompt="Tick if the parent refused"/>'
        "</x14:dataValidations></ext></extLst></worksheet>"
    )
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            if name.endswith("sheet1.xml"):
                part = part.replace(b"</worksheet>", rule.replace("x14", prefix).encode())
            target.writestr(name, part)
    assert codes(out.getvalue()) == ["marks-in-workbook"]


def crossed_by_rule(book: Any) -> None:
    rule = FormulaRule(formula=['$B2="Moss1"'], font=Font(strike=True))
    book.active.conditional_formatting.add("A2:H7", rule)


def hidden_in_the_cells(book: Any) -> None:
    sheet = book.active
    sheet["E2"].font = Font(size=1)
    sheet["F3"].number_format = '@" withdrawn"'
    sheet["G4"].value, sheet["G4"].number_format = 1, "\\N;;\\Y"
    sheet["H5"].hyperlink = "https://forms.example/1"
    sheet["H5"].hyperlink.tooltip = "withdrawn in March"


def test_small_letters_other_texts_letters_in_formats_and_texts_of_links_are_marks() -> None:
    assert {
        (mark.cell, mark.kind) for mark in read_table(saved(hidden_in_the_cells), "export").doubts
    } >= {
        ("E2", MarkKind.TEXT_COLOUR),
        ("F3", MarkKind.NUMBER_FORMAT),
        ("G4", MarkKind.NUMBER_FORMAT),
        ("H5", MarkKind.COMMENT),
    }


def test_a_rule_that_crosses_text_out_is_a_mark() -> None:
    (mark,) = read_table(saved(crossed_by_rule), "export").doubts
    assert (mark.cell, mark.kind) == ("A2", MarkKind.STRIKETHROUGH)


def described(book: Any) -> None:
    book.properties.title, book.properties.description = "Photo consent", "Yes means refused"


def test_the_description_of_a_workbook_is_a_title() -> None:
    assert read_table(saved(described), "export").titles == ("Yes means refused",)


def harmless(book: Any) -> None:
    sheet = book.active
    sheet["I1"], sheet["J1"], sheet["K1"] = "Age", "House", "DOB"
    for row in range(2, 8):
        sheet.cell(row, 9).value = "=INT((TODAY()-DATE(2018,1,1))/365)"
        sheet.cell(row, 10).value = "n"
        sheet.cell(row, 10).font = Font(name="Wingdings")
        sheet.cell(row, 11).value = 43103
        sheet.cell(row, 11).number_format = 'dd "of" mmmm yyyy'
    sheet.oddHeader.center.text = "Photo consent 2026/27"
    sheet.oddFooter.right.text = '&"Arial,Bold"&8Page &P of &N, printed &D'


def test_an_age_a_date_and_a_usual_header_stop_nothing() -> None:
    assert codes(saved(harmless)) == []
