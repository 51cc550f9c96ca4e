"""Reads the formatting, comments and hidden parts of an .xlsx workbook, with openpyxl.

It runs in the child process of ``workbook``. It leaves out colours of conditional formatting and of
table styles, because they depend only on cells that are read anyway.
"""

from __future__ import annotations

import io
from typing import Any

import openpyxl
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.styles.colors import COLOR_INDEX
from openpyxl.utils.cell import range_boundaries

from sims_import.readers.interface import Formatting

_BLACK, _WHITE = ("000000", "theme1+0.00"), ("FFFFFF", "theme0+0.00")
"""Default colours of text and background, as RGB and as the theme colour that Excel writes."""
_AUTOMATIC = 64
"""Indexed colours from this index on are colours of the operating system."""


def read_formatting(data: bytes) -> dict[str, Formatting]:
    """The formatting of every worksheet of an .xlsx, by its name.

    Raises what openpyxl raises on a workbook that it cannot read.
    """
    book = openpyxl.load_workbook(io.BytesIO(data), rich_text=True, keep_links=False)
    return {sheet.title: _of_sheet(sheet) for sheet in book.worksheets}


def _of_sheet(sheet: Any) -> Formatting:
    found = Formatting()
    known: dict[int, tuple[int, bool]] = {}
    for row in sheet.iter_rows():
        ids = []
        for cell in row:
            style = cell.style_id if cell.has_style else 0
            if style not in known:
                known[style] = _style_of(cell, found.palette)
            place, struck = known[style]
            ids.append(place)
            if cell.value is not None and (struck or _is_partly_struck(cell.value)):
                found.struck.append((cell.row, cell.column - 1))
            if cell.comment is not None:
                found.comments.append((cell.row, cell.column - 1))
        if any(ids):
            found.styles[row[0].row] = ids
    found.hidden_rows = [
        number
        for number, row in sheet.row_dimensions.items()
        if row.hidden or (row.height is not None and row.height == 0)
    ]
    for dimension in sheet.column_dimensions.values():
        if dimension.hidden or dimension.width == 0:
            found.hidden_columns += range(dimension.min - 1, dimension.max)
    found.filters = _filters(sheet)
    return found


def _style_of(cell: Any, palette: list[list[str]]) -> tuple[int, bool]:
    """Index of the cell's style in ``palette``, and whether its text is struck out.

    A new style is added to ``palette``.
    """
    style = [_background(cell.fill), _text_colour(cell)]
    if style not in palette:
        palette.append(style)
    return palette.index(style), bool(cell.font.strike)


def _background(fill: Any) -> str:
    kind = fill.tagname if fill.tagname == "gradientFill" else fill.fill_type
    if not kind:
        return ""
    if kind == "gradientFill":
        return "gradient " + " ".join(_colour(stop.color) for stop in fill.stop)
    colour = _colour(fill.fgColor)
    if kind == "solid":
        return "" if colour in _WHITE else colour
    return f"{kind} {colour} {_colour(fill.bgColor)}"


def _text_colour(cell: Any) -> str:
    if set(str(cell.number_format)) == {";"}:
        return "invisible"  # a number format of only semicolons shows nothing
    colour = _colour(cell.font.color)
    return "" if colour in _BLACK else colour


def _colour(colour: Any) -> str:
    if colour is None or colour.type == "auto":
        return ""
    if colour.type == "theme":
        return f"theme{colour.theme}{colour.tint:+.2f}"
    if colour.type == "indexed":
        index = colour.indexed
        return "" if index >= min(_AUTOMATIC, len(COLOR_INDEX)) else COLOR_INDEX[index][-6:]
    return str(colour.rgb)[-6:]


def _is_partly_struck(value: object) -> bool:
    return isinstance(value, CellRichText) and any(
        isinstance(part, TextBlock) and part.font.strike for part in value
    )


def _filters(sheet: Any) -> list[tuple[int, int]]:
    filters = [sheet.auto_filter, *(table.autoFilter for table in sheet.tables.values())]
    ranges = [found.ref for found in filters if found is not None and found.ref]
    return [(top, bottom) for _, top, _, bottom in map(range_boundaries, ranges) if top and bottom]
