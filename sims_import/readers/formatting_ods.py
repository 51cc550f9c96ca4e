"""Reads the formatting, comments and hidden parts of an OpenDocument sheet (.ods)."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from sims_import.readers.interface import MAX_COLUMNS, MAX_ROWS, Formatting

_PLAIN_BACKGROUNDS = frozenset({"", "transparent", "#ffffff"})
_PLAIN_COLOURS = frozenset({"", "#000000"})
_GROUPS = frozenset({"table-row-group", "table-rows", "table-header-rows"})
_COLUMN_GROUPS = frozenset({"table-column-group", "table-columns", "table-header-columns"})
Style = dict[str, str]


def read_ods_formatting(data: bytes) -> dict[str, Formatting]:
    """The formatting of every table of an .ods, by its name.

    Raises what ``zipfile`` and ``xml.etree`` raise on a file that they cannot read.
    """
    styles: dict[str, Style] = {}
    tables: list[Element] = []
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in ("styles.xml", "content.xml"):
            if name in archive.namelist():
                root: Element = fromstring(archive.read(name))
                styles |= _styles(root)
                tables = [element for element in root.iter() if _local(element.tag) == "table"]
    return {_attribute(table, "name"): _of_table(table, styles) for table in tables}


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


def _of_table(table: Element, styles: dict[str, Style]) -> Formatting:
    found = Formatting()
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
        spans = [styles.get(_attribute(part, "style-name"), {}) for part in inside[1:]]
        if any(map(_is_struck, [style, *spans])) and "".join(cell.itertext()).strip():
            found.struck += [(number, at + more) for more in range(repeated)]
    return places


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
