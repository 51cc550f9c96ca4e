"""Reads web pages that hold a table, which school systems save with the suffix ``.xls``.

Crossed-out text, colours and hidden rows are read from the tags, the ``style`` attributes and the
page's own classes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

from consent_gate.errors import ExportUnreadable
from sims_import.readers.csv import decode
from sims_import.readers.html_attributes import (
    comment_text,
    contradicts,
    is_drawn,
    may_change_cell,
    span_of,
    values_of,
)
from sims_import.readers.html_styles import (
    declarations,
    decoration,
    filled,
    has_other_rules,
    hides,
    palette_entry,
    styles_of,
)
from sims_import.readers.interface import MAX_COLUMNS, MAX_ROWS, Formatting, Grid, Line
from sims_import.text.caution import sheet_may_mean_no
from sims_import.text.values import is_yes
from sims_import.text.words import tidy, tidy_cell

_PAGE = re.compile(
    r"\s*(<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|table|meta|style)\b",
    re.I | re.S,
)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.I | re.S)
_STRUCK = frozenset({"s", "strike", "del"})
_SILENT = frozenset({"script", "style", "title", "head", "template"})
_BREAKS = frozenset({"br", "p", "div", "li"})
_TOO_LARGE = "This file is far larger than a school's export."


def is_page(data: bytes) -> bool:
    """Whether the bytes begin like a web page."""
    head = data[:2000].replace(b"\x00", b"").decode("ascii", errors="ignore")
    return _PAGE.match(head) is not None


def read(data: bytes) -> list[Grid]:
    """Read one grid for each table of the page. Its first lines are the text above the table.

    Raises:
        ExportUnreadable: There is no table, one stands inside another, or it is far too large.
    """
    text = decode(data)
    page = _Page(styles_of(text), unreadable=has_other_rules(text))
    page.feed(text)
    page.close()
    if page.depth:
        raise ExportUnreadable("This web page is cut short.")
    if not page.grids:
        raise ExportUnreadable("This is a web page without a table, not an export.")
    page.end_of_page()
    many = len(page.grids) > 1
    titles = (tidy(unescape(title)) for title in _TITLE.findall(text))
    texts = (*(title for title in titles if sheet_may_mean_no(title)), *page.comments)
    return [
        Grid(f"table {at}" if many else "", table.lines, texts=texts, formatting=table.formatting)
        for at, table in enumerate(page.grids, start=1)
    ]


@dataclass
class _Table:
    lines: list[Line] = field(default_factory=list)
    formatting: Formatting = field(default_factory=Formatting)


@dataclass
class _Cell:
    style: dict[str, str]
    columns: int
    rows: int
    parts: list[str] = field(default_factory=list)
    struck: bool = False
    commented: bool = False
    """Whether an attribute of the cell or of something in it may say no to its text."""
    values: list[str] = field(default_factory=list)
    """The values that attributes give the cell."""


class _Page(HTMLParser):
    """Collects the tables of a page, and the text outside them as lines of their own."""

    def __init__(self, styles: dict[str, dict[str, str]], *, unreadable: bool) -> None:
        super().__init__(convert_charrefs=True)
        self.styles = styles
        self.unreadable = unreadable
        self.grids: list[_Table] = []
        self.depth = 0
        """Number of open tables."""
        self.outside: list[str] = []
        self.comments: list[str] = []
        self.row_commented = False
        self.row: list[_Cell | None] | None = None
        self.table_style: dict[str, str] = {}
        self.group_style: dict[str, str] = {}
        """Style of the table's head, body or foot, together with that of the table."""
        self.row_style: dict[str, str] = {}
        self.cell: _Cell | None = None
        self.spans: dict[int, int] = {}
        """For columns that a cell above fills, the number of rows that it still fills."""
        self.struck = 0
        self.silent = 0
        self.column = 0

    # --- tags --------------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = self._style(dict(attrs))
        if tag in _SILENT:
            self.silent += 1
        elif tag == "table":
            self.outside.append(f"\n{dict(attrs).get('summary') or ''}\n")
            self._open_table(style)
        elif self.depth and tag in {"thead", "tbody", "tfoot"}:
            self.group_style = {**self.table_style, **filled(style)}
        elif self.depth and tag == "tr":
            self._end_row()
            self.row, self.row_style = [], {**self.group_style, **filled(style)}
            self.row_commented = may_change_cell(dict(attrs))
        elif self.depth and tag in {"td", "th"}:
            self._open_cell(style, dict(attrs))
        elif self.depth and tag == "col":
            self._column(style, dict(attrs))
        else:
            self._add_text(tag, dict(attrs))
        self._add_style(tag, style)

    def _add_text(self, tag: str, attributes: dict[str, str | None]) -> None:
        if self.cell is not None:
            self.grids[-1].formatting.unreadable |= is_drawn(tag, attributes)
            self.cell.commented |= may_change_cell(attributes)
            self.cell.values += values_of(attributes)
        if tag == "img":
            self.handle_data(f" {attributes.get('alt') or ''} ")
        elif tag in _BREAKS:
            self.handle_data("\n")

    def _add_style(self, tag: str, style: dict[str, str]) -> None:
        """Add the style of an element inside a cell to the cell."""
        self.struck += tag in _STRUCK
        if self.cell is None:
            return
        if tag in _STRUCK or "line-through" in decoration(style):
            self.cell.struck = True
        if tag not in {"td", "th"}:
            for name in ("background", "color", "display", "visibility"):
                self.cell.style[name] = style.get(name) or self.cell.style.get(name, "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent = max(0, self.silent - 1)
        elif tag in _STRUCK:
            self.struck = max(0, self.struck - 1)
        elif self.depth and tag in {"td", "th"}:
            self._end_cell()
        elif self.depth and tag == "tr":
            self._end_row()
        elif self.depth and tag == "table":
            self._end_row()
            self.depth -= 1
        elif tag in _BREAKS:
            self.handle_data("\n")

    def handle_comment(self, data: str) -> None:
        if text := comment_text(data):
            self.comments.append(text)

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        if self.cell is not None:
            self.cell.parts.append(data)
            self.cell.struck |= bool(self.struck and data.strip())
        else:
            self.outside.append(data)

    # --- tables ------------------------------------------------------------------------

    def _open_table(self, style: dict[str, str]) -> None:
        if self.depth:
            raise ExportUnreadable("A table stands inside a table of this web page.")
        self.depth, self.spans, self.column = 1, {}, 0
        self.table_style = self.group_style = style
        table = _Table()
        table.formatting.unreadable = self.unreadable
        self.grids.append(table)
        self._flush_outside(table)

    def end_of_page(self) -> None:
        """Add the text below the last table to it, because it may say what the list is."""
        self._flush_outside(self.grids[-1])

    def _flush_outside(self, table: _Table) -> None:
        for text in "".join(self.outside).split("\n"):
            if tidy(text):
                table.lines.append(Line(len(table.lines) + 1, (tidy(text),)))
        self.outside = []

    def _column(self, style: dict[str, str], attributes: dict[str, str | None]) -> None:
        span = span_of(attributes.get("span"))
        if hides(style):
            self.grids[-1].formatting.hidden_columns += range(self.column, self.column + span)
        self.column += span

    def _open_cell(self, style: dict[str, str], attributes: dict[str, str | None]) -> None:
        self._end_cell()
        if self.row is None:
            self.row, self.row_style = [], self.group_style
        whole = {**self.row_style, **filled(style)}
        said = self.row_commented or may_change_cell(attributes)
        columns, rows = span_of(attributes.get("colspan")), span_of(attributes.get("rowspan"))
        struck = "line-through" in decoration(whole)
        self.cell = _Cell(whole, columns, rows, struck=struck, commented=said)
        self.cell.values += values_of(attributes)

    def _end_cell(self) -> None:
        if self.cell is None or self.row is None:
            return
        self._skip_spans()
        at = len(self.row)
        self.row += [self.cell, *[None] * (self.cell.columns - 1)]
        if len(self.row) > MAX_COLUMNS:
            raise ExportUnreadable(_TOO_LARGE)
        if self.cell.rows > 1:
            self.spans |= {at + n: self.cell.rows for n in range(self.cell.columns)}
        self.cell = None

    def _skip_spans(self) -> None:
        while self.row is not None and self.spans.get(len(self.row), 0):
            self.row.append(None)

    def _end_row(self) -> None:
        self._end_cell()
        if self.row is None:
            return
        self._skip_spans()
        table, number = self.grids[-1], len(self.grids[-1].lines) + 1
        if number > MAX_ROWS:
            raise ExportUnreadable(_TOO_LARGE)
        texts = [tidy_cell("".join(cell.parts)) if cell else "" for cell in self.row]
        table.lines.append(Line(number, tuple(texts)))
        self._add_formatting(table.formatting, number, texts)
        self.spans = {at: left - 1 for at, left in self.spans.items() if left > 1}
        self.row = None

    def _add_formatting(self, found: Formatting, number: int, texts: list[str]) -> None:
        if hides(self.row_style):
            found.hidden_rows.append(number)
        places = []
        for at, cell in enumerate(self.row or []):
            style = palette_entry(cell.style) if cell else ["", ""]
            if style not in found.palette:
                found.palette.append(style)
            places.append(found.palette.index(style))
            if cell and texts[at] and cell.struck:
                found.struck.append((number, at))
            if cell and (cell.commented or any(contradicts(v, texts[at]) for v in cell.values)):
                found.comments.append((number, at))
            if cell and cell.rows * cell.columns > 1 and is_yes(texts[at]):
                found.merged.append((number, at))
        if any(places):
            found.styles[number] = places

    def _style(self, attributes: dict[str, str | None]) -> dict[str, str]:
        """The declarations of an element's classes, attributes and own style."""
        found: dict[str, str] = {}
        for name in (attributes.get("class") or "").split():
            found |= self.styles.get(f".{name}", {})
        found |= self.styles.get(f"#{attributes.get('id')}", {})
        if attributes.get("bgcolor"):
            found["background"] = str(attributes["bgcolor"]).lower()
        if attributes.get("color"):
            found["color"] = str(attributes["color"]).lower()
        if "hidden" in attributes:
            found["display"] = "none"
        found |= declarations(attributes.get("style") or "")
        found["background"] = found.get("background-color") or found.get("background", "")
        return found
