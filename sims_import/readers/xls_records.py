"""Reads what xlrd leaves out of an .xls: texts of pages, boxes and input messages, and formulas.

The records are described in Microsoft's "Excel Binary File Format (.xls) Structure" (MS-XLS).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

from xlrd.biffh import unpack_unicode, unpack_unicode_update_pos
from xlrd.compdoc import CompDoc

from sims_import.readers.interface import Formatting
from sims_import.readers.shown_otherwise import page_text
from sims_import.text.words import tidy

_END, _FORMULA, _HEADER, _FOOTER = 0x000A, 0x0006, 0x0014, 0x0015
_CALCULATION, _TEXT_BOX, _CONTINUE, _VALIDATION = 0x000D, 0x01B6, 0x003C, 0x01BE
_BEGIN = 0x0809
_ALWAYS = 0x0001
"""Option of a formula that is worked out whenever the workbook opens, as with today's date."""
_EXCEL_97 = 80
"""xlrd's number for the first version with these records."""


def add_records(data: bytes, book: Any, found: dict[str, Formatting]) -> None:
    """Add what the records of each sheet say to its formatting.

    Args:
        data: The workbook.
        book: The same workbook, opened by xlrd.
        found: Formatting by sheet, which is changed.
    """
    if book.biff_version < _EXCEL_97:
        return
    document = CompDoc(data, logfile=io.StringIO())
    for name in ("Workbook", "Book"):
        stream, base, length = document.locate_named_stream(name)
        if stream:
            break
    for sheet, offset in zip(book.sheet_names(), book._sh_abs_posn, strict=True):
        if sheet in found:
            _add_sheet(bytes(stream[base : base + length]), offset - base, found[sheet])


def _records(stream: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """The kind and the body of each record of the sheet that begins at ``offset``."""
    depth = 0
    while offset + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, offset)
        yield kind, stream[offset + 4 : offset + 4 + size]
        offset += 4 + size
        depth += (kind == _BEGIN) - (kind == _END)  # a chart has an end of its own
        if depth <= 0:
            return


def _add_sheet(stream: bytes, offset: int, found: Formatting) -> None:
    in_box, by_hand, formulas = False, False, False
    for kind, body in _records(stream, offset):
        if kind in {_HEADER, _FOOTER} and body:
            found.texts.append(page_text(unpack_unicode(body, 0, lenlen=2)))
        elif kind == _CONTINUE and in_box and body:
            found.texts.append(tidy(_characters(body)))
        elif kind == _VALIDATION:
            _add_message(body, found)
        elif kind == _CALCULATION:
            by_hand = struct.unpack_from("<h", body)[0] == 0
        elif kind == _FORMULA:
            formulas = True
            row, column, options = struct.unpack_from("<HH10xH", body)
            if options & _ALWAYS:
                found.of_today.append((row + 1, column))
        in_box = kind == _TEXT_BOX
    found.manual |= by_hand and formulas
    found.texts = [text for text in found.texts if text]


def _characters(body: bytes) -> str:
    wide = body[0] & 1
    return body[1:].decode("utf-16-le" if wide else "latin-1", errors="replace")


def _add_message(body: bytes, found: Formatting) -> None:
    """Add the messages of a DV record, with the columns in which they are shown."""
    at, texts = 4, []
    for _ in range(4):
        text, at = unpack_unicode_update_pos(body, at, lenlen=2)
        texts.append(tidy(text.replace("\0", " ")))
    for _ in range(2):
        at += 4 + struct.unpack_from("<H", body, at)[0]
    (ranges,) = struct.unpack_from("<H", body, at)
    for number in range(ranges):
        _, _, first, last = struct.unpack_from("<4H", body, at + 2 + 8 * number)
        found.messages += [(first, last, text) for text in texts if text]
