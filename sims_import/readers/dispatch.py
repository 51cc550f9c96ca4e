"""Chooses the reader of a file by its content, never by its name."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import replace

from consent_gate.errors import DocumentUnreadable, ExportUnreadable
from ingest.enrolment.zip_contents import UNZIP_ERRORS, is_workbook, read_member, zip_contents
from sims_import.readers import csv, excel, html, json, xml
from sims_import.readers.body import table_under, to_table
from sims_import.readers.header import TURNED, find_header, is_turned
from sims_import.readers.interface import Grid, Mark, Row, Table
from sims_import.text.own_school import other_school_in_file_name
from sims_import.text.title_words import place_in_file_name, title_in_file_name
from sims_import.text.title_years import school_year_in_file_name
from sims_import.text.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from sims_import.text.words import key

_ZIP = b"PK\x03\x04"
_MARKUP = re.compile(rb"^(\xef\xbb\xbf|\xff\xfe|\xfe\xff)?\s*\x00?<\x00?[?!A-Za-z]")


def read_table(
    data: bytes,
    name: str,
    vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    known: frozenset[str] = frozenset(),
) -> Table:
    """Read the table of an export: CSV, Excel, HTML, JSON, XML, or a ZIP that holds one of these.

    Args:
        data: The file's bytes.
        name: The file's name. It counts as a title if it is made of words of titles, or names
            another school.
        vocabulary: The school's purposes.
        known: Captions of the saved mapping, as ``words.key``. They help to find the header.

    Raises:
        ExportUnreadable: The file is empty, damaged or of another kind.
    """
    try:
        table = _read(data, vocabulary, known)
    except ExportUnreadable as error:
        raise type(error)(f"{name}: {error.args[0]}") from error
    title = (
        title_in_file_name(name)
        or other_school_in_file_name(name, vocabulary)
        or place_in_file_name(name)
    )
    found = tuple(text for text in (title, school_year_in_file_name(name)) if text)
    return replace(table, titles=(*table.titles, *found)) if found else table


def _read(data: bytes, vocabulary: Vocabulary, known: frozenset[str]) -> Table:
    if not data.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise ExportUnreadable("This file is empty.")
    if data.startswith(_ZIP):
        data = _unpacked(data)
    _refuse_document(data)
    if data.startswith((_ZIP, excel.OLE)):
        return _join(excel.read(data), vocabulary, known)
    if html.is_page(data):
        return _join(html.read(data), vocabulary, known)
    if json.is_json(data):
        return to_table(json.read(data), vocabulary, known)
    if _MARKUP.match(data):
        return to_table(xml.read(data), vocabulary, known)
    return to_table(csv.read(data, vocabulary, known), vocabulary, known)


def _refuse_document(data: bytes) -> None:
    """Refuse Word documents and PDF files by name.

    Raises:
        DocumentUnreadable: The file is one of these.
    """
    if data.startswith(b"%PDF"):
        raise DocumentUnreadable("This is a PDF file.")
    old_word = data.startswith(excel.OLE) and "WordDocument".encode("utf-16-le") in data
    if old_word or data.startswith(b"{\\rtf") or _is_text_document(data):
        raise DocumentUnreadable("This is a Word document.")


def _is_text_document(data: bytes) -> bool:
    """Whether the bytes are a .docx or an OpenDocument text."""
    if not data.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            if "word/document.xml" in names:
                return True
            return "mimetype" in names and b"opendocument.text" in archive.read("mimetype")[:100]
    except UNZIP_ERRORS as error:
        raise ExportUnreadable("This ZIP or Excel file is damaged.") from error


def _unpacked(data: bytes) -> bytes:
    """The export inside a ZIP. A workbook, which is a ZIP too, is returned unchanged."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if is_workbook(archive):
                return data
            names = zip_contents(archive).exports
            members = [read_member(archive, name) for name in names]
    except UNZIP_ERRORS as error:
        raise ExportUnreadable("This ZIP or Excel file is damaged.") from error
    exports = [member for member in members if not _lists_photos(member)]
    if len(exports) != 1:
        found = f"{len(exports)} of them" if exports else "none"
        raise ExportUnreadable(f"A ZIP must hold one export; this one holds {found}.")
    if exports[0].startswith(_ZIP) and not zipfile.is_zipfile(io.BytesIO(exports[0])):
        raise ExportUnreadable("The file in this ZIP is damaged.")
    return exports[0]


def _lists_photos(member: bytes) -> bool:
    """Whether a file in the ZIP is a list of photos and not an export."""
    first = member[:200].decode("utf-8", errors="replace").partition("\n")[0]
    captions = {key(cell) for cell in re.split(r"[,;\t]", first)}
    return bool(captions & {"file", "filename", "file name", "photo"}) and len(captions) <= 4


def _join(grids: Sequence[Grid], vocabulary: Vocabulary, known: frozenset[str]) -> Table:
    """Join all sheets that have the captions of the best sheet, and list the others as left out.

    Some offices have one sheet per class, with the same columns in the same or another order.
    """
    found = [(grid, find_header(grid, vocabulary, known)) for grid in grids]
    headed = [
        (header.score, grid, table_under(header, grid, vocabulary, known))
        for grid, header in found
        if header
    ]
    if any(header is not None and is_turned(header) for _, header in found):
        raise ExportUnreadable(TURNED)
    if not headed:
        raise ExportUnreadable("No row of column headings was found in this file.")
    _, _, best = max(headed, key=lambda sheet: sheet[0])
    rows: list[Row] = []
    titles: list[str] = []
    left_out = [
        f"The sheet '{grid.sheet}' has no heading row."
        for grid, header in found
        if header is None and any(not line.blank for line in grid.lines)
    ]
    doubts = [d for grid, header in found if header is None for d in grid.doubts]
    for _, grid, table in headed:
        order = _same_captions(best, table)
        left_out += table.left_out
        doubts += [_moved(doubt, order) for doubt in table.doubts]
        if order is None:
            left_out.append(f"The sheet '{grid.sheet}' has other columns.")
            continue
        titles += table.titles
        rows += [replace(row, cells=tuple(row.cells[at] for at in order)) for row in table.rows]
    return replace(
        best,
        rows=tuple(rows),
        titles=tuple(titles),
        left_out=tuple(left_out),
        doubts=tuple(doubts),
    )


def _moved(mark: Mark, order: list[int] | None) -> Mark:
    """The mark, with the index of its column in the joined table."""
    if mark.column is None or order is None:
        return replace(mark, column=None)
    return replace(mark, column=order.index(mark.column))


def _same_captions(best: Table, other: Table) -> list[int] | None:
    """Indexes in ``other`` of the captions of ``best``; None if it has other captions."""
    mine, theirs = [key(c) for c in best.captions], [key(c) for c in other.captions]
    if sorted(mine) != sorted(theirs):
        return None
    return list(range(len(mine))) if mine == theirs else [theirs.index(name) for name in mine]
