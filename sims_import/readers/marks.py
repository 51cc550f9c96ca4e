"""Finds formatting in a sheet that may say something about consent. Pure.

The usual style of a column has no meaning, such as banded rows or a column in one colour. A cell in
another style is a mark. Everything crossed out, commented or hidden is a mark too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sims_import.readers.header import Header
from sims_import.readers.interface import Formatting, Grid, Line, Mark, MarkKind
from sims_import.text.cell_messages import message_may_mean_no
from sims_import.text.vocabulary import Meaning, Role
from sims_import.text.words import words

_IDENTITY = frozenset(
    {
        Role.ADMISSION_NUMBER,
        Role.UPN,
        Role.FORENAME,
        Role.SURNAME,
        Role.PREFERRED_FORENAME,
        Role.PREFERRED_SURNAME,
        Role.DISPLAY_NAME,
        Role.REG_GROUP,
        Role.YEAR,
        Role.DATE_OF_BIRTH,
        Role.FAMILY,
        Role.ADDRESS,
    }
)
"""Columns that may be hidden, because they identify a pupil and hold no answer."""
_MIN_BANDED = 10
"""Smallest number of rows in which two alternating styles count as banding."""
_USUAL = 0.75
"""Smallest share of every second row that has one style in a banded column."""


def marks_of(grid: Grid, header: Header, lines: Sequence[Line]) -> Iterator[Mark]:
    """Every mark in ``grid`` that a person must explain before anything is granted.

    Args:
        grid: The sheet.
        header: The captions, and what each column is for.
        lines: The rows of pupils.
    """
    found, meanings = grid.formatting, header.meanings
    if found is None:
        return
    if found.unreadable:
        yield Mark(grid.sheet, "", MarkKind.UNREADABLE)
        return
    for row, column in found.struck:
        yield Mark(grid.sheet, cell_name(row, column), MarkKind.STRIKETHROUGH)
    for row, column in found.comments:
        yield Mark(grid.sheet, cell_name(row, column), MarkKind.COMMENT)
    if found.manual:
        yield Mark(grid.sheet, "", MarkKind.MANUAL)
    yield from _messages(grid.sheet, found, header)
    yield from _shown_otherwise(grid.sheet, found, meanings, lines)
    yield from _hidden_rows(grid.sheet, found, lines)
    yield from _hidden_columns(grid.sheet, found, meanings, lines)
    width = max((len(ids) for ids in found.styles.values()), default=0)
    for column in range(width):
        yield from _odd_styles(grid.sheet, found, column, lines)


def cell_name(row: int, column: int) -> str:
    """``C7`` for row 7 and column 2."""
    return f"{column_name(column)}{row}"


def column_name(column: int) -> str:
    """``C`` for column 2."""
    letters, left = "", column + 1
    while left:
        left, letter = divmod(left - 1, 26)
        letters = chr(65 + letter) + letters
    return letters


def _shown_otherwise(
    sheet: str, found: Formatting, meanings: Sequence[Meaning], lines: Sequence[Line]
) -> Iterator[Mark]:
    """Cells of pupils that look otherwise in Excel than they were read."""
    rows = {line.number for line in lines}
    kinds = (
        (found.symbols, MarkKind.SYMBOLS),
        (found.formats, MarkKind.NUMBER_FORMAT),
        (found.of_today, MarkKind.OF_TODAY),
        (found.merged, MarkKind.MERGED),
        (found.looks, MarkKind.LOOK),
    )
    for cells, kind in kinds:
        for row, column in cells:
            if row in rows:
                at = column if column < len(meanings) else None
                yield Mark(sheet, cell_name(row, column), kind, at)


def _messages(sheet: str, found: Formatting, header: Header) -> Iterator[Mark]:
    """Messages at cells of columns that do not identify a pupil."""
    names = frozenset(word for caption in header.captions for word in words(caption))
    for first, last, text in found.messages:
        if not message_may_mean_no(text, names):
            continue
        for column, meaning in list(enumerate(header.meanings))[first : last + 1]:
            if meaning.role not in _IDENTITY:
                yield Mark(sheet, column_name(column), MarkKind.MESSAGE, column)


def _hidden_rows(sheet: str, found: Formatting, lines: Sequence[Line]) -> Iterator[Mark]:
    hidden = set(found.hidden_rows)
    for line in lines:
        if line.number in hidden:
            filtered = any(top <= line.number <= bottom for top, bottom in found.filters)
            kind = MarkKind.FILTER if filtered else MarkKind.HIDDEN_ROW
            yield Mark(sheet, str(line.number), kind)


def _hidden_columns(
    sheet: str, found: Formatting, meanings: Sequence[Meaning], lines: Sequence[Line]
) -> Iterator[Mark]:
    hidden = set(found.hidden_columns)
    for column, meaning in enumerate(meanings):
        used = meaning.role is not Role.IGNORE and meaning.role not in _IDENTITY
        filled = any(line.cells[column] for line in lines if column < len(line.cells))
        if column in hidden and used and filled:
            yield Mark(sheet, column_name(column), MarkKind.HIDDEN_COLUMN, column)


def _odd_styles(
    sheet: str, found: Formatting, column: int, lines: Sequence[Line]
) -> Iterator[Mark]:
    styles = [_style(found, line.number, column) for line in lines]
    usual = _usual_styles(styles)
    for at, (line, (background, colour)) in enumerate(zip(lines, styles, strict=True)):
        blank = column >= len(line.cells) or not line.cells[column]
        if background != usual[at % 2][0] and (background or not blank):
            yield Mark(sheet, cell_name(line.number, column), MarkKind.FILL)
        elif colour != usual[at % 2][1] and not blank:
            yield Mark(sheet, cell_name(line.number, column), MarkKind.TEXT_COLOUR)


def _style(found: Formatting, row: int, column: int) -> tuple[str, str]:
    """Background and text colour of a cell; a cell that the file leaves out is plain."""
    places = found.styles.get(row, [])
    background, colour = found.palette[places[column] if column < len(places) else 0]
    return background, colour


def _usual_styles(styles: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The usual styles of the even and the odd rows of a column; equal unless it is banded."""
    halves = [Counter(styles[::2]), Counter(styles[1::2])]
    if len(styles) >= _MIN_BANDED and all(map(_is_uniform, halves)):
        bands = [half.most_common(1)[0][0] for half in halves]
        if bands[0][1] == bands[1][1]:  # banding colours the background, never the text
            return bands
    return [Counter(styles).most_common(1)[0][0]] * 2 if styles else []


def _is_uniform(styles: Counter[tuple[str, str]]) -> bool:
    return max(styles.values()) >= _USUAL * sum(styles.values())
