"""A table of two pupils as the files that a school may send, for tests of the readers."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache

import openpyxl
import pytest

from sims_import.readers import excel
from sims_import.readers.dispatch import read_table
from sims_import.readers.interface import Table

ROWS = [
    ["Adno", "Surname", "School Website", "School Displays"],
    ["004123", "N\u00fa\u00f1ez", "T", ""],
    ["004124", "O'Brien", "", "T"],
]
CELLS = [tuple(row) for row in ROWS]
"""What ``cells`` returns of a table of these rows."""


@pytest.fixture(scope="module")
def workbooks_opened_once() -> Iterator[None]:
    """The child process that opens a workbook is started once for the same bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(excel, "_opened", cache(excel._opened))
        yield


def read(data: bytes) -> Table:
    """Read a file whose name says CSV, whatever its bytes are."""
    return read_table(data, "export.csv")


def delimited(delimiter: str = ",", rows: list[list[str]] | None = None) -> str:
    """Return ``rows``, or ``ROWS``, as delimited text."""
    return "\r\n".join(delimiter.join(row) for row in rows or ROWS) + "\r\n"


def cells(table: Table) -> list[tuple[str, ...]]:
    """Return the captions and the cells of every row."""
    return [table.captions, *(row.cells for row in table.rows)]


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    """Return an Excel workbook of these sheets, each a title with its rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
