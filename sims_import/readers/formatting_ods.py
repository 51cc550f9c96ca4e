"""Reads the formatting, comments and hidden parts of an OpenDocument sheet (.ods)."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from sims_import.readers.interface import MAX_COLUMNS, MAX_ROWS, Formatting
from sims_import.readers.shown_otherwise import SYMBOL_FONT, TODAY
from sims_import.text.values import read_answer
from sims_import.text.words import tidy

_PLAIN_BACKGROUNDS = frozenset({"", "transparent", "#ffffff"})
_PLAIN_COLOURS = frozenset({"", "#000000"})
_GROUPS = frozenset({"table-row-group", "table-rows", "table-header-rows"})
_COLUMN_GROUPS = frozenset({"table-column-group", "table-columns", "table-header-columns"})
_FIELDS = frozenset(
    {"sheet-name", "date", "time", "page-number", "page-count", "file-name", "title"}
)
"""Fields in the headers of pages."""
_NUMBERS = frozenset({"float", "percentage", "currency"})
Style = dict[str, str]


def read_ods_formatting(data: bytes) -> dict[str, Formatting]:
    """The formatting of every table of an .ods, by its name.

    Raises what ``zipfile`` and ``xml.etree`` raise on a file that they cannot read.
    """
    styles: dict[str, Style] = {}
    tables: list[Element] = []
    pages: list[str] = []
    messages: dict[str, list[str]] = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in ("styles.xml", "content.xml"):
            if name in archive.namelist():
                root: Element = fromstring(archive.read(name))
                styles |= _styles(root)
                pages += _page_texts(root)
                messages |= _messages(root)
                tables = [element for element in root.iter() if _local(element.tag) == "table"]
    found = {_attribute(table, "name"): _of_table(table, styles, messages) for table in tables}
    for formatting in found.values():
        formatting.texts += pages
    return found


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _attribute(element: Element, name: str) -> str:
    return next((text for tag, text in element.attrib.items() if _local(tag) == name), "")


def _styles(root: Element) -> dict[str, Style]:
    """The properties of each named style, with those that it inherits from its parents."""
    found: dict[str, Style] = {}
    for element in root.iter():
        if _local(element.tag) == "style":
            own = dict(found.get(_attribute(element, "parent-style-name"), {}))
            for properties in element:
                own |= {_local(tag): text for tag, text in properties.attrib.items()}
            found[_attribute(element, "name")] = own
    return found


def _page_texts(root: Element) -> list[str]:
    """The texts above and below each printed page, without fields such as the page's number."""
    parts = [e for e in root.iter() if _local(e.tag) in {"header", "footer"}]
    return [text for part in parts if (text := tidy(" ".join(_plain(part))))]


def _plain(element: Element) -> Iterator[str]:
    """The texts inside an element that are no fields."""
    if _local(element.tag) not in _FIELDS:
        yield element.text or ""
        for inner in element:
            yield from _plain(inner)
    yield element.tail or ""


def _messages(root: Element) -> dict[str, list[str]]:
    """The messages that are shown at cells, by the name of their rule."""
    found: dict[str, list[str]] = {}
    for rule in root.iter():
        if _local(rule.tag) == "content-validation":
            texts = [
                text
                for part in rule
                if _local(part.tag) in {"help-message", "error-message"}
                for text in (_attribute(part, "title"), " ".join(part.itertext()))
            ]
            found[_attribute(rule, "name")] = [t for text in texts if (t := tidy(text))]
    return found


def _of_table(
    table: Element, styles: dict[str, Style], messages: dict[str, list[str]]
) -> Formatting:
    boxes = [e for e in table.iter() if _local(e.tag) in {"text-box", "custom-shape"}]
    found = Formatting(texts=[t for box in boxes if (t := tidy(" ".join(box.itertext())))])
    rules = {(at, name) for name in messages for at in _places_of(table, name)}
    found.messages = [(at, at, text) for at, name in sorted(rules) for text in messages[name]]
    columns = list(_columns(table, styles))
    found.hidden_columns = [at for at, (hidden, _) in enumerate(columns) if hidden]
    number = 0
    for row in _rows(table):
        repeated = _repeated(row, "number-rows-repeated")
        places = _cells(row, number + 1, columns, styles, found)
        rows = range(number + 1, min(number + repeated, MAX_ROWS) + 1)
        if any(places):
            found.styles |= dict.fromkeys(rows, places)
        if _attribute(row, "visibility") in {"collapse", "filter"}:
            found.hidden_rows += rows
            if _attribute(row, "visibility") == "filter":
                found.filters += [(at, at) for at in rows]
        number += repeated
    return found


def _rows(table: Element) -> Iterator[Element]:
    for element in table:
        if _local(element.tag) == "table-row":
            yield element
        elif _local(element.tag) in _GROUPS:
            yield from _rows(element)


def _columns(table: Element, styles: dict[str, Style]) -> Iterator[tuple[bool, Style]]:
    """For each column whether it is hidden, and the default style of its cells."""
    for element in table:
        if _local(element.tag) in _COLUMN_GROUPS:
            yield from _columns(element, styles)
        elif _local(element.tag) == "table-column":
            hidden = _attribute(element, "visibility") in {"collapse", "filter"}
            style = styles.get(_attribute(element, "default-cell-style-name"), {})
            repeated = min(_repeated(element, "number-columns-repeated"), MAX_COLUMNS)
            yield from [(hidden, style)] * repeated


def _repeated(element: Element, name: str) -> int:
    return int(_attribute(element, name) or 1)


def _cells(
    row: Element,
    number: int,
    columns: list[tuple[bool, Style]],
    styles: dict[str, Style],
    found: Formatting,
) -> list[int]:
    """Palette indexes of the row's cells. Adds comments and crossed-out cells to ``found``."""
    places: list[int] = []
    for cell in row:
        at = len(places)
        by_column = columns[at][1] if at < len(columns) else {}
        style = styles.get(_attribute(cell, "style-name"), by_column)
        shown = [_background(style), _text_colour(style)]
        if shown not in found.palette:
            found.palette.append(shown)
        repeated = min(_repeated(cell, "number-columns-repeated"), MAX_COLUMNS - at)
        places += [found.palette.index(shown)] * repeated
        inside = list(cell.iter())
        if any(_local(part.tag) == "annotation" for part in inside):
            found.comments.append((number, at))
        _note_shown_otherwise(cell, (number, at), style, found)
        spans = [styles.get(_attribute(part, "style-name"), {}) for part in inside[1:]]
        if any(map(_is_struck, [style, *spans])) and "".join(cell.itertext()).strip():
            found.struck += [(number, at + more) for more in range(repeated)]
    return places


def _places_of(table: Element, rule: str) -> Iterator[int]:
    """The columns with a cell that has a rule for what may be typed."""
    for row in _rows(table):
        at = 0
        for cell in row:
            repeated = min(_repeated(cell, "number-columns-repeated"), MAX_COLUMNS - at)
            if _attribute(cell, "content-validation-name") == rule:
                yield from range(at, at + repeated)
            at += repeated


def _note_shown_otherwise(
    cell: Element, place: tuple[int, int], style: Style, found: Formatting
) -> None:
    """Record that a cell looks otherwise than its value is read."""
    shown = " ".join("".join(part.itertext()) for part in cell if _local(part.tag) == "p")
    font = f"{style.get('font-name', '')} {style.get('font-family', '')}"
    if SYMBOL_FONT.search(font) and read_answer(shown) is not None:
        found.symbols.append(place)
    if _attribute(cell, "value-type") in _NUMBERS and re.search(r"[^\W\d_]{2}", shown):
        found.formats.append(place)
    if TODAY.search(_attribute(cell, "formula")):
        found.of_today.append(place)


def _is_struck(style: Style) -> bool:
    kinds = (style.get("text-line-through-style", ""), style.get("text-line-through-type", ""))
    return any(kind not in {"", "none"} for kind in kinds)


def _background(style: Style) -> str:
    colour = style.get("background-color", "").lower()
    return "" if colour in _PLAIN_BACKGROUNDS else colour


def _text_colour(style: Style) -> str:
    if style.get("display") == "none":
        return "invisible"
    colour = style.get("color", "").lower()
    return "" if colour in _PLAIN_COLOURS else colour
