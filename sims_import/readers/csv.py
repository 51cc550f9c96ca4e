"""Reads delimited text with any of ``DELIMITERS``, in UTF-8, UTF-16 or Windows-1252."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter

from consent_gate.errors import ExportUnreadable
from sims_import.readers.header import find_header
from sims_import.readers.interface import MAX_COLUMNS, MAX_ROWS, Grid, Line
from sims_import.text.vocabulary import Vocabulary
from sims_import.text.words import tidy_cell

DELIMITERS = ",;\t|^~:"
_SAMPLE_LINES = 80


def read(data: bytes, vocabulary: Vocabulary, known: frozenset[str]) -> Grid:
    """Read the text as one grid. Rows are counted as in a spreadsheet.

    Raises:
        ExportUnreadable: The file is not text, has an open quotation mark, or is far too large.
    """
    text = decode(data)
    first, _, rest = text.partition("\n")
    note = first.strip().casefold()
    if note.startswith("sep=") and len(note) == 5:
        # Excel writes the delimiter into a row of its own.
        return Grid("", [Line(1, ()), *_lines(rest, note[4], start=2)])
    delimiter = sniff(text, vocabulary, known)
    return Grid("", _lines(text, delimiter))


def decode(data: bytes) -> str:
    """``data`` as text, by its byte order mark, else UTF-16 by its zeros, else UTF-8, else 1252.

    Raises:
        ExportUnreadable: it isn't text.
    """
    encoding = _encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # Five byte values mean nothing in Windows-1252; they become the replacement character.
        text = data.decode("cp1252", errors="replace")
    odd = sum(1 for c in text[:4000] if c < " " and c not in "\t\r\n\x0b\x0c\x1a")
    if odd > len(text[:4000]) // 200:
        raise ExportUnreadable("This file is not text, Excel or XML.")
    # DOS programs end a text with the sign 0x1a.
    return text.removeprefix("\ufeff").rstrip("\x1a")


def _encoding(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if data.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    head = data[:2000]
    if len(head) >= 4 and head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    if len(head) >= 4 and head[0::2].count(0) > len(head) // 4:
        return "utf-16-be"
    return "utf-8"


def sniff(text: str, vocabulary: Vocabulary, known: frozenset[str]) -> str:
    """The delimiter with the most recognised captions, and then the most rows of one width."""
    sample = "\n".join(text.splitlines()[:_SAMPLE_LINES])

    def merit(delimiter: str) -> tuple[int, int]:
        try:
            lines = _lines(sample, delimiter, strict=False)
        except ExportUnreadable:
            return (-1, 0)
        header = find_header(Grid("", lines), vocabulary, known)
        widths = Counter(len(line.cells) for line in lines if len(line.cells) > 1)
        return (header.score if header else 0, max(widths.values(), default=0))

    return max(DELIMITERS, key=merit)


def _lines(text: str, delimiter: str, *, start: int = 1, strict: bool = True) -> list[Line]:
    # A single carriage return ends a line too, as in old Mac exports.
    source = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n"), newline="")
    reader = csv.reader(source, delimiter=delimiter, strict=strict)
    lines: list[Line] = []
    try:
        for number, cells in enumerate(reader, start=start):
            if number > MAX_ROWS or len(cells) > MAX_COLUMNS:
                raise ExportUnreadable("This file is far larger than a school's export.")
            lines.append(Line(number, tuple(tidy_cell(cell) for cell in cells)))
    except csv.Error as error:
        raise ExportUnreadable(
            f"Row {len(lines) + start} cannot be read: a quotation mark is left open or misplaced."
        ) from error
    return lines
