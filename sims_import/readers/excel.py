"""Reads Excel workbooks (.xlsx, .xls) and OpenDocument sheets, with calamine in a child process.

Cells become text: whole numbers lose the ``.0`` that Excel gives them, and dates become ISO text.
Leading zeros that Excel removed are restored where admission numbers are read.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import replace
from typing import Any

from consent_gate.errors import ExportUnreadable
from ingest.enrolment.zip_contents import UNZIP_ERRORS
from sims_import.readers.interface import Formatting, Grid, Line, Mark, MarkKind
from sims_import.readers.workbook_exits import MAX_SECONDS, PROTECTED, TOO_LARGE

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""First bytes of an .xls workbook."""
MAX_CELLS = 20_000_000
"""calamine allocates the whole used range: one cell at XFD1048576 would mean 17 billion cells."""
MAX_UNPACKED = 512 * 2**20
"""Largest unpacked workbook in bytes. A trust of 25 000 pupils needs about 30 MB."""

_DAMAGED = "This Excel workbook is damaged."
_MESSAGES = {
    PROTECTED: "This workbook is protected by a password.",
    TOO_LARGE: "This workbook is far larger than a school's export.",
}
_CELL = re.compile(rb'\br="([A-Z]{1,3})?(\d{1,9})"')


def read(data: bytes) -> list[Grid]:
    """Read one grid for each visible sheet that is not empty. Rows and columns count from A1.

    Raises:
        ExportUnreadable: The file is damaged, protected by a password, or far too large.
    """
    _check_size(data)
    sheets: list[dict[str, Any]] = json.loads(_opened(data))
    filled = [(sheet, lines) for sheet in sheets if (lines := _lines(sheet["rows"]))]
    hidden = tuple(
        Mark(sheet["name"], "", MarkKind.HIDDEN_SHEET)
        for sheet, _ in filled
        if not sheet["visible"]
    )
    grids = [_grid(sheet, lines) for sheet, lines in filled if sheet["visible"]]
    # A hidden sheet concerns the whole workbook, so the first visible sheet gets its mark.
    return [replace(grid, doubts=hidden if at == 0 else ()) for at, grid in enumerate(grids)]


def _grid(sheet: dict[str, Any], lines: list[Line]) -> Grid:
    found = sheet["formatting"]
    return Grid(sheet["name"], lines, formatting=Formatting.from_json(found) if found else None)


def child_environment() -> dict[str, str]:
    """The environment of the child process. A process with one thread can be restricted."""
    return {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _opened(data: bytes) -> bytes:
    command = [sys.executable, "-P", "-m", "sims_import.readers.workbook_main"]
    try:
        # A busy machine may take twice as long as the processor time.
        done = subprocess.run(
            command,
            input=data,
            capture_output=True,
            check=False,
            timeout=2 * MAX_SECONDS,
            env=child_environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise ExportUnreadable(_DAMAGED) from error
    if done.returncode != 0:
        raise ExportUnreadable(_MESSAGES.get(done.returncode, _DAMAGED))
    return done.stdout


def _lines(rows: list[list[str]]) -> list[Line]:
    lines = [Line(number, tuple(cells)) for number, cells in enumerate(rows, start=1)]
    while lines and lines[-1].blank:
        lines.pop()
    return lines


def _check_size(data: bytes) -> None:
    """Refuse a workbook whose declared size needs too much memory, before it is opened."""
    if data.startswith(OLE):
        return
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MAX_UNPACKED:
                raise ExportUnreadable(_MESSAGES[TOO_LARGE])
            for member in members:
                if re.search(r"worksheets/[^/]+\.xml$", member.filename, re.I):
                    _check_range(archive.read(member))
    except UNZIP_ERRORS as error:
        raise ExportUnreadable(_DAMAGED) from error


def _check_range(sheet: bytes) -> None:
    rows, columns = 1, 1
    for letters, number in _CELL.findall(sheet):
        rows = max(rows, int(number))
        columns = max(columns, _column(letters))
    if rows * columns > MAX_CELLS:
        raise ExportUnreadable(_MESSAGES[TOO_LARGE])


def _column(letters: bytes) -> int:
    """The number of a column, from 1: 28 for ``AB``."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
