"""Reads the formatting, comments and hidden parts of an .xlsx workbook, with openpyxl.

It runs in the child process of ``workbook``. It leaves out colours of conditional formatting and of
table styles, because they depend only on cells that are read anyway.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import openpyxl
from defusedxml import ElementTree
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.styles.colors import COLOR_INDEX
from openpyxl.utils.cell import range_boundaries

from sims_import.readers.interface import MAX_COLUMNS, Formatting
from sims_import.readers.shown_otherwise import (
    SMALLEST_FONT,
    SMALLEST_HEIGHT,
    SMALLEST_WIDTH,
    SYMBOL_FONT,
    TODAY,
    WORD_FORMAT,
    changes_text,
    page_text,
)
from sims_import.text.caution import sheet_may_mean_no, title_may_mean_no
from sims_import.text.title_years import names_year
from sims_import.text.values import is_yes, read_answer
from sims_import.text.words import tidy, words

_BLACK, _WHITE = ("000000", "theme1+0.00"), ("FFFFFF", "theme0+0.00")
"""Default colours of text and background, as RGB and as the theme colour that Excel writes."""
_AUTOMATIC = 64
"""Indexed colours from this index on are colours of the operating system."""
_TEXT = "{http://schemas.openxmlformats.org/drawingml/2006/main}t"
_NEWER_RULE = "{http://schemas.microsoft.com/office/spreadsheetml/2009/9/main}dataValidation"
_MESSAGES = ("promptTitle", "prompt", "errorTitle", "error")
_BOX = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}txBody"


@dataclass(frozen=True)
class _Look:
    """How letters look, apart from their colour."""

    bold: bool = False
    slanted: bool = False
    underlined: str | None = None
    raised: str | None = None
    crossed: bool = False
    turned: int = 0


@dataclass(frozen=True)
class _CellStyle:
    """What one of the workbook's styles does to a cell."""

    place: int
    """Index of its colours in the palette."""
    is_struck: bool
    in_symbols: bool
    """Whether its font shows letters as symbols."""
    as_word: bool
    """Whether its number format shows a word."""
    as_other_text: bool
    """Whether its number format shows a text otherwise than it is."""
    look: _Look
    """How its letters look, apart from their colour."""


def read_formatting(data: bytes) -> dict[str, Formatting]:
    """The formatting of every worksheet of an .xlsx, by its name.

    Raises what openpyxl raises on a workbook that it cannot read.
    """
    book = openpyxl.load_workbook(io.BytesIO(data), rich_text=True, keep_links=False)
    manual = book.calculation is not None and book.calculation.calcMode == "manual"
    boxes, messages = [*_text_boxes(data), *_properties(book)], _newer_messages(data)
    return {
        sheet.title: _of_sheet(sheet, boxes, messages, manual=manual) for sheet in book.worksheets
    }


def _of_sheet(
    sheet: Any, boxes: list[str], messages: list[tuple[int, int, str]], *, manual: bool
) -> Formatting:
    found = Formatting(texts=[*_page_texts(sheet), *boxes])
    found.messages = [*_messages(sheet), *messages]
    known: dict[int, _CellStyle] = {}
    yeses: dict[int, list[tuple[int, _Look]]] = {}
    for row in sheet.iter_rows():
        ids = []
        for cell in row:
            number = cell.style_id if cell.has_style else 0
            if number not in known:
                known[number] = _style_of(cell, found.palette)
            style = known[number]
            ids.append(style.place)
            if cell.value is not None and (style.is_struck or _is_partly_struck(cell.value)):
                found.struck.append((cell.row, cell.column - 1))
            if cell.comment is not None or _has_telling_link(cell):
                found.comments.append((cell.row, cell.column - 1))
            if is_yes(str(cell.value)):
                # A whole row in bold is no mark at its answers.
                look = _Look() if style.look == _look(row[0]) else style.look
                yeses.setdefault(cell.column - 1, []).append((cell.row, look))
            if cell.value is not None:
                _note_shown_otherwise(cell, found, style)
                found.manual |= manual and cell.data_type == "f"
        if any(ids):
            found.styles[row[0].row] = ids
    _note_hidden(sheet, found)
    found.filters = _filters(sheet)
    found.struck += _crossing_rules(sheet)
    found.looks = list(_odd_looks(yeses))
    places = ((part.min_row, part.min_col) for part in sheet.merged_cells.ranges)
    found.merged = [(r, c - 1) for r, c in places if is_yes(str(sheet.cell(r, c).value))]
    return found


def _note_hidden(sheet: Any, found: Formatting) -> None:
    """Record the rows and columns that cannot be seen."""
    found.hidden_rows = [
        number
        for number, row in sheet.row_dimensions.items()
        if row.hidden or (row.height is not None and row.height < SMALLEST_HEIGHT)
    ]
    for dimension in sheet.column_dimensions.values():
        if dimension.hidden or dimension.width < SMALLEST_WIDTH:
            found.hidden_columns += range(dimension.min - 1, dimension.max)


def _style_of(cell: Any, palette: list[list[str]]) -> _CellStyle:
    """The cell's style. New colours are added to ``palette``."""
    colours = [_background(cell.fill), _text_colour(cell)]
    if colours not in palette:
        palette.append(colours)
    return _CellStyle(
        place=palette.index(colours),
        is_struck=bool(cell.font.strike),
        in_symbols=bool(SYMBOL_FONT.search(str(cell.font.name))),
        as_word=bool(WORD_FORMAT.search(str(cell.number_format))),
        as_other_text=changes_text(str(cell.number_format)),
        look=_look(cell),
    )


def _look(cell: Any) -> _Look:
    font, border = cell.font, cell.border
    barred = border.diagonal is not None and border.diagonal.style
    crossed = bool(barred and (border.diagonalUp or border.diagonalDown))
    turned = cell.alignment.textRotation or 0
    return _Look(bool(font.b), bool(font.i), font.u, font.vertAlign, crossed, turned)


def _odd_looks(yeses: dict[int, list[tuple[int, _Look]]]) -> Iterator[tuple[int, int]]:
    """Row and column of each yes that few of its column look like.

    Args:
        yeses: Row and look of each yes, by column.
    """
    for column, cells in yeses.items():
        counts = Counter(look for _, look in cells)
        for row, look in cells:
            if counts[look] * 4 <= len(cells):
                yield row, column


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
    if set(str(cell.number_format)) == {";"} or (cell.font.sz or SMALLEST_FONT) < SMALLEST_FONT:
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


def _note_shown_otherwise(cell: Any, found: Formatting, style: _CellStyle) -> None:
    """Record that a cell looks otherwise in Excel than its value is read."""
    place = (cell.row, cell.column - 1)
    if style.in_symbols and read_answer(str(cell.value)) is not None:
        found.symbols.append(place)
    is_number = cell.data_type in {"n", "b", "f"} and not cell.is_date
    if style.as_other_text or (style.as_word and is_number):
        found.formats.append(place)
    if cell.data_type == "f" and TODAY.search(str(cell.value)):
        found.of_today.append(place)


def _page_texts(sheet: Any) -> list[str]:
    """The texts above and below each printed page."""
    pages = ("oddHeader", "evenHeader", "firstHeader", "oddFooter", "evenFooter", "firstFooter")
    parts = [getattr(getattr(sheet, p), at) for p in pages for at in ("left", "center", "right")]
    return [text for p in parts if p.text and (text := page_text(p.text))]


def _text_boxes(data: bytes) -> list[str]:
    """The texts of the boxes and shapes that lie on the sheets. openpyxl does not read them."""
    boxes = (box for part in _parts_with(data, b"txBody") for box in part.iter(_BOX))
    found = (tidy(" ".join(t.text or "" for t in box.iter(_TEXT))) for box in boxes)
    return [text for text in found if text]


def _parts_with(data: bytes, tag: bytes) -> Iterator[Element]:
    """The parts of a workbook that have a tag. Programs choose the names of parts and prefixes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            part = archive.read(name) if name.lower().endswith(".xml") else b""
            if tag in part:
                yield ElementTree.fromstring(part)


def _properties(book: Any) -> list[str]:
    """The title and the description of the file and the names in it, if they may say no."""
    found = book.properties
    titles = [found.title, found.subject, found.description, found.keywords, found.category]
    sheets = book.worksheets
    names = [*book.defined_names, *(name for sheet in sheets for name in sheet.defined_names)]
    names += [name for sheet in sheets for name in sheet.tables]
    texts = [*titles, found.contentStatus, *map(_name_of_part, names)]
    return [tidy(text) for text in texts if text and (sheet_may_mean_no(text) or names_year(text))]


def _name_of_part(name: str) -> str:
    """The words of a name that somebody gave a range or table; lists of answers are usual."""
    return " ".join(word for word in words(name) if word not in {"yes", "no", "y", "n"})


def _messages(sheet: Any) -> Iterator[tuple[int, int, str]]:
    """The messages that Excel shows at cells, with their first and last column."""
    for rule in sheet.data_validations.dataValidation:
        for part in rule.sqref.ranges:
            for text in (rule.promptTitle, rule.prompt, rule.errorTitle, rule.error):
                if text and tidy(text):
                    yield part.min_col - 1, part.max_col - 1, text


def _newer_messages(data: bytes) -> list[tuple[int, int, str]]:
    """The messages of rules that Excel 2010 and later write, which openpyxl does not read."""
    rules = (r for part in _parts_with(data, b"dataValidation") for r in part.iter(_NEWER_RULE))
    texts = (tidy(rule.get(key, "")) for rule in rules for key in _MESSAGES)
    return [(0, MAX_COLUMNS, text) for text in texts if text]


def _has_telling_link(cell: Any) -> bool:
    """Whether a text that may say no appears when the mouse is over the link in a cell."""
    return cell.hyperlink is not None and title_may_mean_no(cell.hyperlink.tooltip or "")


def _crossing_rules(sheet: Any) -> list[tuple[int, int]]:
    """The first cell of each range in which a rule crosses text out."""
    return [
        (part.min_row, part.min_col - 1)
        for rules in sheet.conditional_formatting
        for rule in rules.rules
        if rule.dxf is not None and rule.dxf.font is not None and rule.dxf.font.strike
        for part in rules.sqref.ranges
    ]


def _is_partly_struck(value: object) -> bool:
    return isinstance(value, CellRichText) and any(
        isinstance(part, TextBlock) and part.font.strike for part in value
    )


def _filters(sheet: Any) -> list[tuple[int, int]]:
    filters = [sheet.auto_filter, *(table.autoFilter for table in sheet.tables.values())]
    ranges = [found.ref for found in filters if found is not None and found.ref]
    return [(top, bottom) for _, top, _, bottom in map(range_boundaries, ranges) if top and bottom]
