"""What an .xls workbook shows beside its cells is read."""

from __future__ import annotations

import pytest

from sims_import.readers.formatting_xls import read_xls_formatting
from sims_import.readers.interface import Formatting
from tests.support.consent_files import prepared_import, wide_rows
from tests.support.sims_writers import to_xls, xls_message, xls_text, xls_text_box


def formatting(records: list[tuple[int, bytes]]) -> Formatting:
    return read_xls_formatting(to_xls(wide_rows(), records=records))["Sheet"]


@pytest.mark.parametrize(
    ("records", "text"),
    [
        ([(0x0014, xls_text('&C&"Arial,Bold"Pupils WITHOUT consent'))], "Pupils WITHOUT consent"),
        ([(0x0015, xls_text("&LForms of last year, page &P"))], "Forms of last year, page"),
        (xls_text_box("Names in blue"), "Names in blue"),
    ],
)
def test_texts_of_printed_pages_and_of_boxes_are_read(
    records: list[tuple[int, bytes]], text: str
) -> None:
    assert formatting(records).texts == [text]


def test_messages_at_cells_are_read_with_their_columns() -> None:
    assert formatting([xls_message("Refused?", "Y = parent refused", 4, 7)]).messages == [
        (4, 7, "Refused?"),
        (4, 7, "Y = parent refused"),
    ]


def test_a_formula_that_is_worked_out_at_each_opening_depends_on_the_day() -> None:
    formula = (0x0006, bytes([3, 0, 5, 0]) + bytes(10) + b"\1\0" + bytes(6))
    assert formatting([formula]).of_today == [(4, 5)]
    other = (0x0006, bytes([3, 0, 5, 0]) + bytes(18))
    assert formatting([other]).of_today == []
    assert not formatting([other]).manual
    assert formatting([(0x000D, b"\0\0"), other]).manual


def test_a_row_that_is_too_low_to_be_seen_is_hidden() -> None:
    assert formatting([(0x0208, bytes([4, 0, 0, 0, 8, 0, 10, 0]) + bytes(8))]).hidden_rows == [5]


@pytest.mark.costly
def test_a_message_that_explains_an_answer_otherwise_stops_grants() -> None:
    data = to_xls(wide_rows(), records=[xls_message("", "Y = parent refused", 4, 4)])
    assert [block.code for block in prepared_import(data).blocks] == ["marks-in-workbook"]
    usual = [
        xls_message("Website", "Please choose Yes or No from the list.", 4, 7),
        xls_message("", "Six figures, please ask the office", 0, 0),
        (0x0015, xls_text("&RPage &P of &N")),
    ]
    assert prepared_import(to_xls(wide_rows(), records=usual)).blocks == ()
