"""Reads the formatting, comments and hidden parts of an .xls workbook, with xlrd."""

from __future__ import annotations

import io
from typing import Any

import xlrd

from sims_import.readers.interface import Formatting
from sims_import.readers.shown_otherwise import (
    SMALLEST_HEIGHT,
    SMALLEST_WIDTH,
    SYMBOL_FONT,
    WORD_FORMAT,
)
from sims_import.readers.xls_records import add_records
from sims_import.text.values import read_answer

_TWIPS, _WIDTHS = 20, 256
"""Parts of a point, and of a character, in which rows and columns are measured."""
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)


def read_xls_formatting(data: bytes) -> dict[str, Formatting]:
    """The formatting of every sheet of an .xls, by its name.

    Raises what xlrd raises on a workbook that it cannot read.
    """
    book = xlrd.open_workbook(file_contents=data, formatting_info=True, logfile=io.StringIO())
    found = {sheet.name: _of_sheet(book, sheet) for sheet in book.sheets()}
    add_records(data, book, found)
    return found


def _of_sheet(book: Any, sheet: Any) -> Formatting:
    found = Formatting()
    for row in range(sheet.nrows):
        places = []
        for column in range(sheet.row_len(row)):
            xf = book.xf_list[sheet.cell_xf_index(row, column)]
            font = book.font_list[xf.font_index]
            style = [_background(book, xf.background), _text_colour(book, xf, font)]
            if style not in found.palette:
                found.palette.append(style)
            places.append(found.palette.index(style))
            runs = sheet.rich_text_runlist_map.get((row, column), ())
            fonts = [font, *(book.font_list[index] for _, index in runs)]
            value = sheet.cell_value(row, column)
            if value != "" and any(f.struck_out for f in fonts):
                found.struck.append((row + 1, column))
            if SYMBOL_FONT.search(font.name) and read_answer(str(value)) is not None:
                found.symbols.append((row + 1, column))
            shown = book.format_map[xf.format_key].format_str
            if isinstance(value, (int, float)) and _shows_word(sheet, row, column, shown):
                found.formats.append((row + 1, column))
        if any(places):
            found.styles[row + 1] = places
    found.comments = [(row + 1, column) for row, column in sheet.cell_note_map]
    found.hidden_rows = [
        row + 1
        for row, info in sheet.rowinfo_map.items()
        if info.hidden or (info.height or _TWIPS * SMALLEST_HEIGHT) < _TWIPS * SMALLEST_HEIGHT
    ]
    found.hidden_columns = [
        column
        for column, info in sheet.colinfo_map.items()
        if info.hidden or info.width < _WIDTHS * SMALLEST_WIDTH
    ]
    return found


def _shows_word(sheet: Any, row: int, column: int, number_format: str) -> bool:
    is_date = sheet.cell_type(row, column) == xlrd.XL_CELL_DATE
    return WORD_FORMAT.search(number_format) is not None and not is_date


def _background(book: Any, background: Any) -> str:
    if not background.fill_pattern:
        return ""
    colour = book.colour_map.get(background.pattern_colour_index)
    if background.fill_pattern == 1:
        return "" if colour in {None, _WHITE} else str(colour)
    return f"pattern {background.fill_pattern} {colour}"


def _text_colour(book: Any, xf: Any, font: Any) -> str:
    if set(book.format_map[xf.format_key].format_str) == {";"}:
        return "invisible"  # a number format of only semicolons shows nothing
    colour = book.colour_map.get(font.colour_index)
    return "" if colour in {None, _BLACK} else str(colour)
