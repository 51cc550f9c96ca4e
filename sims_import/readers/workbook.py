"""Opens a workbook in a child process: bytes on standard input, JSON on standard output.

    python -m sims_import.readers.workbook_main < export.xlsx

A damaged .xls can make calamine allocate memory without limit (found by tests/fuzz), and no
exception handler can stop that. In a child process with limits only the child ends. A workbook that
takes the libraries over can read no key and open no connection (docs/adr/0015-sandbox.md).
"""

from __future__ import annotations

import io
import json
import resource
import sys
import zipfile
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from xml.etree import ElementTree

import python_calamine as calamine
from defusedxml import DefusedXmlException
from openpyxl.utils.exceptions import InvalidFileException
from xlrd import XLRDError

from ingest.enrolment.zip_contents import UNZIP_ERRORS
from ingest.workers import sandbox
from sims_import.readers.formatting import read_formatting
from sims_import.readers.formatting_ods import read_ods_formatting
from sims_import.readers.formatting_xls import read_xls_formatting
from sims_import.readers.interface import MAX_COLUMNS, MAX_ROWS, Formatting
from sims_import.readers.workbook_exits import MAX_SECONDS, PROTECTED, TOO_LARGE
from sims_import.text.words import tidy_cell

PACKAGES = ("consent_gate", "ingest", "sims_import")
"""Packages of the program that this process imports from."""
MAX_MEMORY = 1_500_000_000
"""Limit of the address space in bytes. A workbook of 25 000 pupils needs about 200 MB."""

_UNREADABLE = (
    *UNZIP_ERRORS,
    ArithmeticError,
    AttributeError,
    DefusedXmlException,
    ElementTree.ParseError,
    InvalidFileException,
    NameError,
    TypeError,
    AssertionError,
    XLRDError,
)
"""Errors of openpyxl and xlrd, which trust the file, on workbooks that calamine can read."""


def main() -> int:
    """Read a workbook under limits. Returns the exit code: 0, ``PROTECTED`` or ``TOO_LARGE``."""
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    data = sys.stdin.buffer.read()
    sandbox.enter_reader(PACKAGES)
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            states = _worksheets(book)
            sheets = [book.get_sheet_by_name(name) for name in states]
            if any(s.total_height > MAX_ROWS or s.total_width > MAX_COLUMNS for s in sheets):
                return TOO_LARGE
            found: list[dict[str, Any]] = [
                {"name": s.name, "visible": states[s.name], "rows": _rows(s), "formatting": None}
                for s in sheets
            ]
    except calamine.PasswordError:
        return PROTECTED
    formatting = _formatting(data)
    for sheet in found:
        if sheet["visible"]:
            known = formatting.get(sheet["name"], Formatting(unreadable=True))
            sheet["formatting"] = asdict(known)
    json.dump(found, sys.stdout)
    return 0


def _worksheets(book: calamine.CalamineWorkbook) -> dict[str, bool]:
    """The names of all worksheets, and whether each is visible."""
    return {
        sheet.name: sheet.visible is calamine.SheetVisibleEnum.Visible
        for sheet in book.sheets_metadata
        if sheet.typ is calamine.SheetTypeEnum.WorkSheet
    }


def _formatting(data: bytes) -> dict[str, Formatting]:
    """Formatting by sheet. A sheet that is missing from it counts as unreadable."""
    try:
        if not zipfile.is_zipfile(io.BytesIO(data)):
            return read_xls_formatting(data)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            is_ods = "[Content_Types].xml" not in archive.namelist()
        return read_ods_formatting(data) if is_ods else read_formatting(data)
    except _UNREADABLE:
        return {}


def _rows(sheet: calamine.CalamineSheet) -> list[list[str]]:
    return [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]


def _text(cell: object) -> str:
    """The text of a cell: whole numbers without ``.0``, dates as ISO text."""
    if isinstance(cell, str):
        return tidy_cell(cell)
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat()
    return cell.isoformat() if isinstance(cell, date) else str(cell)
