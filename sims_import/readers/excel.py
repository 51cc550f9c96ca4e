"""Excel workbooks (.xlsx, .xls) and OpenDocument sheets, by python-calamine.

Cells become the text a person sees: whole numbers lose the ``.0`` that Excel gives them, dates
become ISO text. Leading zeros that Excel ate come back where the column is an admission number.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime

import python_calamine as calamine

from consent_gate.errors import ExportUnreadable
from sims_import.readers.archive import UNZIP_ERRORS
from sims_import.readers.interface import MAX_COLUMNS, MAX_ROWS, Grid, Line
from sims_import.words import tidy

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of an .xls workbook."""
MAX_CELLS = 20_000_000
"""calamine lays the used range out in full: one stray cell in XFD1048576 would be 17 billion."""
MAX_UNPACKED = 512 * 2**20
"""Bytes of the unpacked workbook; a trust of 25 000 pupils needs about 30 MB."""

_TOO_LARGE = "This workbook is far larger than a school's export."
_CELL = re.compile(rb'\br="([A-Z]{1,3})?(\d{1,9})"')


def read(data: bytes) -> list[Grid]:
    """One grid per visible sheet that holds anything; rows and columns counted from A1.

    Raises:
        ExportUnreadable: damaged, protected by a password, or far too large.
    """
    _check_size(data)
    try:
        return _grids(data)
    except calamine.PasswordError as error:
        raise ExportUnreadable("This workbook is protected by a password.") from error
    except (calamine.CalamineError, OSError, ValueError, OverflowError) as error:
        raise ExportUnreadable("This Excel workbook is damaged.") from error
    except BaseException as error:
        # A panic in calamine's Rust code arrives as a BaseException of its own.
        if type(error).__name__ != "PanicException":
            raise
        raise ExportUnreadable("This Excel workbook is damaged.") from error


def _grids(data: bytes) -> list[Grid]:
    with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
        shown = [
            sheet.name
            for sheet in book.sheets_metadata
            if sheet.visible is calamine.SheetVisibleEnum.Visible
            and sheet.typ is calamine.SheetTypeEnum.WorkSheet
        ]
        grids = [_grid(book.get_sheet_by_name(name)) for name in shown]
    return [grid for grid in grids if grid.lines]


def _grid(sheet: calamine.CalamineSheet) -> Grid:
    if sheet.total_height > MAX_ROWS or sheet.total_width > MAX_COLUMNS:
        raise ExportUnreadable(_TOO_LARGE)
    lines = [
        Line(number, tuple(map(_text, cells)))
        for number, cells in enumerate(sheet.to_python(skip_empty_area=False), start=1)
    ]
    while lines and lines[-1].blank:
        lines.pop()
    return Grid(sheet.name, lines)


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return tidy(cell)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _check_size(data: bytes) -> None:
    """Refuse workbooks whose declared size would eat the memory, before calamine sees them."""
    if data.startswith(OLE):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MAX_UNPACKED:
                raise ExportUnreadable(_TOO_LARGE)
            for member in members:
                if re.search(r"worksheets/[^/]+\.xml$", member.filename, re.I):
                    _check_range(archive.read(member))
    except UNZIP_ERRORS as error:
        raise ExportUnreadable("This Excel workbook is damaged.") from error


def _check_range(sheet: bytes) -> None:
    rows, columns = 1, 1
    for letters, number in _CELL.findall(sheet):
        rows = max(rows, int(number))
        columns = max(columns, _column(letters))
    if rows * columns > MAX_CELLS:
        raise ExportUnreadable(_TOO_LARGE)


def _column(letters: bytes) -> int:
    at = 0
    for letter in letters:
        at = at * 26 + letter - 64
    return at
