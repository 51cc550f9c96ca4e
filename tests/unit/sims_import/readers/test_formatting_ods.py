"""What an OpenDocument sheet shows beside its cells is read."""

from __future__ import annotations

import pytest

from sims_import.readers.formatting_ods import read_ods_formatting
from sims_import.readers.interface import Formatting
from tests.support.consent_files import prepared_import, wide_rows
from tests.support.sims_writers import to_ods

CELL = "<table:table-cell"
YES = f'{CELL} office:value-type="string"><text:p>Yes'
"""The first answer, in the cell E2."""
SYMBOLS = (
    '<style:style style:name="odd" style:family="table-cell">'
    '<style:text-properties style:font-name="Wingdings"/></style:style>'
)


def formatting(styles: str, new: str = YES) -> Formatting:
    return read_ods_formatting(to_ods(wide_rows(), styles, (YES, new)))["Consent"]


def test_an_answer_that_is_shown_otherwise_than_it_is_read_is_found() -> None:
    assert formatting(SYMBOLS, YES.replace(CELL, f'{CELL} table:style-name="odd"')).symbols == [
        (2, 4)
    ]
    number = YES.replace('="string"', '="float" office:value="1"').replace("Yes", "Refused")
    assert formatting("", number).formats == [(2, 4)]
    formula = YES.replace(CELL, f'{CELL} table:formula="of:=IF(TODAY()&gt;1;1;0)"')
    assert formatting("", formula).of_today == [(2, 4)]


def with_message(text: str) -> tuple[str, str]:
    rule = (
        '<table:content-validation table:name="val1"><table:help-message>'
        f"<text:p>{text}</text:p></table:help-message></table:content-validation>"
    )
    return rule, YES.replace(CELL, f'{CELL} table:content-validation-name="val1"')


def test_messages_at_cells_are_read_with_their_columns() -> None:
    assert formatting(*with_message("Y = refused")).messages == [(4, 4, "Y = refused")]


@pytest.mark.parametrize(
    ("part", "texts"),
    [
        ("<style:header><text:p>Pupils WITHOUT consent</text:p></style:header>", 1),
        ("<style:footer><text:p><text:sheet-name>???</text:sheet-name></text:p></style:footer>", 0),
        ("<table:shapes><office:text-box><text:p>CP</text:p></office:text-box></table:shapes>", 0),
    ],
)
def test_texts_of_printed_pages_are_read_without_fields(part: str, texts: int) -> None:
    assert len(formatting(part).texts) == texts


def test_a_text_box_on_the_sheet_is_read() -> None:
    box = "<table:shapes><office:text-box><text:p>Names in blue</text:p></office:text-box>"
    first = "<table:table-row>"
    data = to_ods(wide_rows(), "", (first, f"{box}</table:shapes>{first}"))
    assert read_ods_formatting(data)["Consent"].texts == ["Names in blue"]


@pytest.mark.costly
def test_a_message_that_explains_an_answer_otherwise_stops_grants() -> None:
    rule, new = with_message("Tick if the parent refused")
    found = prepared_import(to_ods(wide_rows(), rule, (YES, new)))
    assert [block.code for block in found.blocks] == ["marks-in-workbook"]
