"""Defines what every reader returns: grids of tidy text, and the tables made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from sims_import.text.vocabulary import Meaning

MAX_ROWS = 500_000
"""More than a trust of 60 schools with ten consent types each; beyond it the file is refused."""
MAX_COLUMNS = 512


@dataclass(frozen=True)
class Line:
    """One row as it stands in the file."""

    number: int
    """As a person counts: the row in the spreadsheet or the record in the XML, from 1."""
    cells: tuple[str, ...]
    """Text as ``words.tidy_cell`` leaves it. Dates are ISO, whole numbers have no ``.0``."""

    @property
    def blank(self) -> bool:
        """Whether nothing is written in it."""
        return not any(self.cells)


class MarkKind(StrEnum):
    """What a workbook says beside the text of its cells."""

    FILL = "coloured background"
    TEXT_COLOUR = "coloured text"
    STRIKETHROUGH = "crossed-out text"
    COMMENT = "comment"
    HIDDEN_ROW = "hidden row"
    HIDDEN_COLUMN = "hidden column"
    HIDDEN_SHEET = "hidden sheet"
    FILTER = "row hidden by a filter"
    UNREADABLE = "formatting that cannot be read"


@dataclass(frozen=True)
class Mark:
    """Something in a workbook that only a person can read: it stops grants."""

    sheet: str
    cell: str
    """As Excel names it, for example ``C7``; a row, a column or empty for the whole sheet."""
    kind: MarkKind
    column: int | None = None
    """Index of the table's column, for a hidden column."""


@dataclass
class Formatting:
    """What one sheet of a workbook says beside its text. Rows count from 1, columns from 0.

    Not frozen: the child process that reads the workbook fills it cell by cell.
    """

    palette: list[list[str]] = field(default_factory=lambda: [["", ""]])
    """Background and colour of the text; the first is plain."""
    styles: dict[int, list[int]] = field(default_factory=dict)
    """By row: places in ``palette`` of its cells. A row that is not in it is plain."""
    struck: list[tuple[int, int]] = field(default_factory=list)
    """Row and column of cells whose text is crossed out, in whole or in part."""
    comments: list[tuple[int, int]] = field(default_factory=list)
    """Row and column of cells that have a comment."""
    hidden_rows: list[int] = field(default_factory=list)
    hidden_columns: list[int] = field(default_factory=list)
    filters: list[tuple[int, int]] = field(default_factory=list)
    """First and last row of each range on which a filter is set."""
    unreadable: bool = False
    """Nobody knows what the formatting says."""

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Formatting:
        """The formatting whose fields were written as JSON."""
        pairs = {name: [tuple(at) for at in found[name]] for name in _PAIRS}
        styles = {int(row): places for row, places in found["styles"].items()}
        return cls(**{**found, **pairs, "styles": styles})


_PAIRS = ("struck", "comments", "filters")


@dataclass(frozen=True)
class Grid:
    """One sheet, or the whole of a text file, before anything is made of it."""

    sheet: str
    """Name of the sheet; empty where the format has none."""
    lines: Sequence[Line]
    headed: bool = False
    """The first line is the header for certain (XML tags)."""
    run_on: date | None = None
    """Day the report was run, where the format itself says so."""
    complete: bool = True
    """False for a file that only ever lists some pupils and says nothing of consent (CTF)."""
    doubts: tuple[Mark, ...] = ()
    """Hidden sheets beside it."""
    formatting: Formatting | None = None
    """What a workbook says beside the text of this sheet; None where the format has no such."""


@dataclass(frozen=True)
class Row:
    """One row of data with its origin."""

    sheet: str
    number: int
    """Row in the sheet, from 1, title rows counted."""
    cells: tuple[str, ...]
    """As many as there are captions."""
    ragged: bool = False
    """It had more or fewer cells than the header: they may stand in the wrong columns."""
    refused_by: str = ""
    """The section heading or sheet name above it that says no; empty where none does."""


@dataclass(frozen=True)
class Table:
    """An export without its title rows, header and totals."""

    captions: tuple[str, ...]
    """As typed by the report's author, tidied. May repeat and may be empty."""
    meanings: tuple[Meaning, ...]
    """What each column is for, by its caption alone; one per caption."""
    rows: tuple[Row, ...]
    run_on: date | None = None
    """Day the report says it was run."""
    complete: bool = True
    """Whether pupils who are not in it have left."""
    warnings: tuple[str, ...] = field(default=())
    """Plain sentences about the file as a whole."""
    titles: tuple[str, ...] = ()
    """What stands above and below the table, in the file's order."""
    left_out: tuple[str, ...] = ()
    """Plain sentences: sheets and parts of sheets that were not read."""
    doubts: tuple[Mark, ...] = ()
    """Marks of the sheets that were read, and hidden sheets."""
