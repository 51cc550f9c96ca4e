"""Defines the results of all readers: grids of tidy text, and the tables made from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from sims_import.text.vocabulary import Meaning

MAX_ROWS = 500_000
"""Files with more rows are refused. A trust of 60 schools with ten consent types has fewer."""
MAX_COLUMNS = 512


@dataclass(frozen=True)
class Line:
    """One row of the file."""

    number: int
    """Row in the spreadsheet or record in the XML, counted from 1."""
    cells: tuple[str, ...]
    """Text as ``words.tidy_cell`` leaves it. Dates are ISO, whole numbers have no ``.0``."""

    @property
    def blank(self) -> bool:
        """Whether all cells are empty."""
        return not any(self.cells)


class MarkKind(StrEnum):
    """Kinds of information in a workbook beside the text of its cells."""

    FILL = "coloured background"
    TEXT_COLOUR = "coloured text"
    STRIKETHROUGH = "crossed-out text"
    COMMENT = "comment"
    HIDDEN_ROW = "hidden row"
    HIDDEN_COLUMN = "hidden column"
    HIDDEN_SHEET = "hidden sheet"
    FILTER = "row hidden by a filter"
    SYMBOLS = "letters in a font of symbols"
    NUMBER_FORMAT = "number that is shown as a word"
    OF_TODAY = "formula that depends on the day"
    MANUAL = "formulas that are not worked out by themselves"
    MESSAGE = "message at a cell that may say what an answer means"
    MERGED = "a yes in a cell that covers several"
    LOOK = "a yes in other letters than the rest of its column"
    UNREADABLE = "formatting that cannot be read"


@dataclass(frozen=True)
class Mark:
    """Something in a workbook that only a person can interpret. It stops grants."""

    sheet: str
    cell: str
    """A cell such as ``C7``, a row or a column, as Excel names them; empty for the whole sheet."""
    kind: MarkKind
    column: int | None = None
    """Index of the table's column, for a mark that says nothing in an irrelevant column."""


@dataclass
class Formatting:
    """Formatting, comments and hidden parts of one sheet. Rows count from 1, columns from 0.

    Not frozen: the child process that reads the workbook fills it cell by cell.
    """

    palette: list[list[str]] = field(default_factory=lambda: [["", ""]])
    """Pairs of background and text colour; the first is plain."""
    styles: dict[int, list[int]] = field(default_factory=dict)
    """Indexes in ``palette`` of the cells of each row. A row without an entry is plain."""
    struck: list[tuple[int, int]] = field(default_factory=list)
    """Row and column of cells whose text is crossed out, in whole or in part."""
    comments: list[tuple[int, int]] = field(default_factory=list)
    """Row and column of cells that have a comment."""
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    filters: list[tuple[int, int]] = field(default_factory=list)
    """First and last row of each range on which a filter is set."""
    symbols: list[tuple[int, int]] = field(default_factory=list)
    """Row and column of answers in a font that shows letters as symbols, such as Wingdings."""
    formats: list[tuple[int, int]] = field(default_factory=list)
    """Row and column of numbers whose format shows a word."""
    merged: list[tuple[int, int]] = field(default_factory=list)
    """Row and column of a yes in a cell that covers several rows or columns."""
    looks: list[tuple[int, int]] = field(default_factory=list)
    """Row and column of a yes in bold, slanted, underlined, raised or barred letters, where the
    others of its column are not."""
    of_today: list[tuple[int, int]] = field(default_factory=list)
    """Row and column of formulas with the current day. The file has the result of another day."""
    manual: bool = False
    """Whether the sheet has formulas that Excel does not work out again by itself."""
    texts: list[str] = field(default_factory=list)
    """Headers and footers of the printed page, and text boxes."""
    messages: list[tuple[int, int, str]] = field(default_factory=list)
    """First and last column of cells at which a message is shown, and the message."""
    unreadable: bool = False
    """Whether the formatting could not be read."""

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Formatting:
        """Build the formatting from its fields, decoded from JSON."""
        pairs = {name: [tuple(at) for at in found[name]] for name in _PAIRS}
        styles = {int(row): places for row, places in found["styles"].items()}
        return cls(**{**found, **pairs, "styles": styles})


_PAIRS = (
    *("struck", "comments", "filters", "symbols", "formats", "of_today", "messages"),
    *("merged", "looks"),
)


@dataclass(frozen=True)
class Grid:
    """One sheet, or a whole text file, before its table is found."""

    sheet: str
    """Name of the sheet; empty where the format has none."""
    lines: Sequence[Line]
    headed: bool = False
    """Whether the first line is certainly the header, as with XML tags."""
    run_on: date | None = None
    """The run date, if the format itself has one."""
    complete: bool = True
    """False for a format that may list only some pupils and states no consent (CTF)."""
    doubts: tuple[Mark, ...] = ()
    """Marks of hidden sheets in the same workbook."""
    texts: tuple[str, ...] = ()
    """What the file says beside its rows, such as the fields around a list of pupils."""
    formatting: Formatting | None = None
    """The sheet's formatting; None if the format has none."""


@dataclass(frozen=True)
class Row:
    """One row of data with its origin."""

    sheet: str
    number: int
    """Row in the sheet, from 1, title rows counted."""
    cells: tuple[str, ...]
    """As many as there are captions."""
    ragged: bool = False
    """Whether the row has more or fewer cells than the header, so that columns may be wrong."""
    refused_by: str = ""
    """The section heading or sheet name that says no to this row; empty if there is none."""


@dataclass(frozen=True)
class Table:
    """An export without its title rows, header and totals."""

    captions: tuple[str, ...]
    """The captions in the file, tidied. A caption may be empty or occur twice."""
    meanings: tuple[Meaning, ...]
    """What each column is for, by its caption alone; one per caption."""
    rows: tuple[Row, ...]
    run_on: date | None = None
    """The report's run date."""
    complete: bool = True
    """Whether pupils who are not in the table have left."""
    warnings: tuple[str, ...] = field(default=())
    """Messages for staff about the file as a whole."""
    titles: tuple[str, ...] = ()
    """Texts above and below the table, in the file's order."""
    left_out: tuple[str, ...] = ()
    """Messages for staff about sheets and parts of sheets that were not read."""
    doubts: tuple[Mark, ...] = ()
    """Marks of the sheets that were read, and hidden sheets."""
