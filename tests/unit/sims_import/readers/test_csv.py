"""Delimited text in any encoding, with any delimiter and line ending."""

from __future__ import annotations

import pytest

from tests.support.export_files import CELLS, cells, delimited, read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_encoding_a_school_saves_in(encoding: str) -> None:
    assert cells(read(delimited().encode(encoding))) == CELLS


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_known_by_its_zeros(encoding: str) -> None:
    assert cells(read(delimited().encode(encoding))) == CELLS


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", ":"])
def test_any_delimiter(delimiter: str) -> None:
    assert cells(read(delimited(delimiter).encode())) == CELLS


def test_excels_note_of_the_delimiter_takes_a_row_of_its_own() -> None:
    table = read(("sep=;\r\n" + delimited(";")).encode())
    assert cells(table) == CELLS
    assert table.rows[0].number == 3


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_any_line_ending(ending: str) -> None:
    assert cells(read(delimited().replace("\r\n", ending).encode())) == CELLS
