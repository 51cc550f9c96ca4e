"""Sorts the lines below a heading row into pupils, repeated headings, sections and totals."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from consent_gate.errors import ExportUnreadable
from consent_gate.model import Answer
from consent_gate.register.identifiers import read_admission_number
from sims_import.readers.header import (
    KEY_SCORE,
    TURNED,
    Header,
    find_header,
    fit,
    holds_a_pupil,
    is_turned,
    single,
)
from sims_import.readers.interface import Grid, Line, Row, Table
from sims_import.readers.marks import marks_of
from sims_import.text.caution import negates
from sims_import.text.values import read_answer, read_run_date
from sims_import.text.vocabulary import (
    Meaning,
    Role,
    Vocabulary,
)
from sims_import.text.words import key, tidy

_TOTAL = re.compile(
    r"(grand )?totals?\b|count\b|sum\b|number of\b|no\.? of\b|end of (report|file)|page \d|"
    r"\d+ (pupils|students|records|rows)\b|report (run|printed|date|end)|printed|run( date| on)?:|"
    r"produced by|generated",
    re.I,
)
_FIGURE = re.compile(r"\d+([.,]\d+)?( ?%)?")
_TOTAL_WORDS = 3
"""Largest number of cells of a total that are no figures."""
_NAMES = frozenset({Role.FORENAME, Role.SURNAME, Role.DISPLAY_NAME})
_STATES = frozenset(
    {Role.CONSENT, Role.REFUSAL, Role.CONSENT_LIST, Role.CONSENT_ANSWER, Role.NEVER_PUBLISH}
)
_NO_ANSWERS = frozenset(
    {Role.ADMISSION_NUMBER, Role.UPN, Role.REG_GROUP, Role.YEAR, Role.DATE_OF_BIRTH}
)
"""Columns in which no answer stands. A name may be that of somebody called No."""
_SECTION_CELLS = 2
"""Largest number of cells that a section heading fills."""


def to_table(grid: Grid, vocabulary: Vocabulary, known: frozenset[str] = frozenset()) -> Table:
    """Find the table in ``grid``. ``known`` are captions of the saved mapping, as ``words.key``.

    Raises:
        ExportUnreadable: The grid has no heading row, or its headings stand below each other.
    """
    header = find_header(grid, vocabulary, known)
    if header is None:
        raise ExportUnreadable("No row of column headings was found in this file.")
    if is_turned(header):
        raise ExportUnreadable(TURNED)
    return table_under(header, grid, vocabulary, known)


def table_under(
    header: Header, grid: Grid, vocabulary: Vocabulary, known: frozenset[str] = frozenset()
) -> Table:
    """The table under a header that was found in ``grid``.

    Repeated headings are skipped. If they are repeated in another order, the rows below them are
    put into the order of the first headings. Rows below other headings are listed as left out.
    """
    body = Body(header, grid, vocabulary, known)
    rows, outside = body.rows(), body.outside
    width = len(header.captions)
    ragged = _ragged([line for line, _ in rows], header)
    above = [*grid.lines[: header.first], *outside]
    printed = grid.formatting.texts if grid.formatting else []
    return Table(
        captions=tuple(tidy(caption) for caption in header.captions),
        meanings=header.meanings,
        rows=tuple(
            Row(grid.sheet, n.number, fit(n.cells, width), n.number in ragged, refused_by)
            for n, refused_by in rows
        ),
        run_on=grid.run_on or _run_date(above),
        complete=grid.complete,
        titles=(*(text for line in above if (text := _joined(line))), *printed, *grid.texts),
        left_out=body.left_out(),
        doubts=(
            *grid.doubts,
            *marks_of(grid, header, [line for line, _ in rows]),
        ),
    )


@dataclass
class Body:
    """The lines under a header, sorted into pupils, headings and everything else."""

    header: Header
    grid: Grid
    vocabulary: Vocabulary
    known: frozenset[str]
    outside: list[Line] = field(default_factory=list)
    """Totals, footers and section headings."""
    lost: list[int] = field(default_factory=list)
    """Numbers of the rows below headings that do not fit."""

    def rows(self) -> list[tuple[Line, str]]:
        """Each pupil's line in the header's order, with its section heading if that says no."""
        found: list[tuple[Line, str]] = []
        order: list[int] | None = list(range(len(self.header.captions)))
        refused_by = self.grid.sheet if negates(self.grid.sheet) else ""
        for line in self.grid.lines[self.header.last + 1 :]:
            if line.blank or _is_header_again(line, self.header, self.grid):
                order = order if line.blank else list(range(len(self.header.captions)))
            elif self._is_other_header(line):
                order = _order_of(line.cells, self.header.captions)
                if order is None:
                    self.lost.append(line.number)
            elif is_total(line, self.header):
                self.outside.append(line)
            elif _is_section(line, self.header):
                self.outside.append(line)
                refused_by = _joined(line) if negates(_joined(line)) else ""
            elif order is None:
                self.lost.append(line.number)
            else:
                found.append((self._ordered(line, order), refused_by))
        return found

    def left_out(self) -> tuple[str, ...]:
        """Messages about rows that were not read."""
        if not self.lost:
            return ()
        where = f" of sheet '{self.grid.sheet}'" if self.grid.sheet else ""
        return (
            f"Row {self.lost[0]}{where} has other headings than the first heading row, so "
            f"{len(self.lost)} rows from there were left out.",
        )

    def _is_other_header(self, line: Line) -> bool:
        """Whether the line is a heading row again, with other captions or in another order."""
        if holds_a_pupil(line.cells, self.header) or sum(map(bool, line.cells)) < 3:
            return False
        return single(line.cells, 0, self.vocabulary, self.known).score > KEY_SCORE

    def _ordered(self, line: Line, order: list[int]) -> Line:
        if order == list(range(len(order))):
            return line
        cells = fit(line.cells, max(len(order), len(line.cells)))
        return replace(line, cells=tuple(cells[at] for at in order))


def _order_of(captions: Sequence[str], wanted: Sequence[str]) -> list[int] | None:
    """The index of each wanted caption in ``captions``; None if the captions are not the same."""
    found, mine = [key(c) for c in captions], [key(c) for c in wanted]
    found += [""] * (len(mine) - len(found))
    if sorted(found) != sorted(mine) or len(set(mine)) < len(mine):
        return None
    return [found.index(name) for name in mine]


def _joined(line: Line) -> str:
    return " ".join(cell for cell in line.cells if cell)


def _later(header: Header) -> Iterable[tuple[int, Meaning]]:
    """The columns after the first."""
    return list(enumerate(header.meanings))[1:]


def _is_section(line: Line, header: Header) -> bool:
    """A line of words alone, such as a class or ``CONSENT GIVEN``, that names no pupil."""
    filled = [cell for cell in line.cells if cell]
    if len(filled) > _SECTION_CELLS or holds_a_pupil(line.cells, header):
        return False
    named = (
        line.cells[at] for at, m in _later(header) if m.role in _NAMES and at < len(line.cells)
    )
    if any(named):
        return False
    at = line.cells.index(filled[0])
    under = header.meanings[at].role if at < len(header.meanings) else Role.IGNORE
    is_text = len(re.findall(r"[^\W\d_]", filled[0])) >= 3
    return is_text and under not in _STATES and not any(map(read_answer, filled[1:]))


def _ragged(lines: Sequence[Line], header: Header) -> set[int]:
    """Numbers of the lines in which a delimiter too many or too few may have shifted cells.

    Some writers end every row with a delimiter, some leave blank cells at its end away: neither
    is a shift. In a file in which every answer is filled in, nothing was left away.
    """
    width = len(header.captions)
    lengths = Counter(len(line.cells) for line in lines)
    common = max(lengths, key=lambda length: lengths[length], default=width)
    # Cells under no caption make the whole header doubtful, not only the rows that have them.
    blank = not any(any(line.cells[width:]) for line in lines if len(line.cells) == common)
    usual = common if common > width and lengths[common] * 2 > len(lines) and blank else width
    whole = [line.cells for line in lines if len(line.cells) >= width]
    states = [at for at, meaning in enumerate(header.meanings) if meaning.role in _STATES]
    blanks = not whole or any(not cells[at] for cells in whole for at in states)
    trims = blanks and not any(
        len(line.cells) == usual and line.cells[-1:] == ("",) for line in lines
    )
    return {
        line.number
        for line in lines
        if any(line.cells[width:])
        or _is_shifted(line, header)
        or len(line.cells) > usual
        or (len(line.cells) < usual and not trims)
    }


def _is_shifted(line: Line, header: Header) -> bool:
    """Whether an answer stands where a name, a class, a UPN or a date of birth should be."""
    return any(
        len(cell) > 1 and cell.isalpha() and read_answer(cell) in {Answer.GIVEN, Answer.REFUSED}
        for meaning, cell in zip(header.meanings, line.cells, strict=False)
        if meaning.role in _NO_ANSWERS
    )


def _is_header_again(line: Line, header: Header, grid: Grid) -> bool:
    """Whether the line repeats the header, as on each page of a printed report."""
    cells = fit(line.cells, len(header.captions))
    return cells == header.captions or any(
        cells == fit(grid.lines[at].cells, len(cells)) for at in (header.first, header.last)
    )


def is_total(line: Line, header: Header) -> bool:
    """Whether a line is a total, a page footer or a run date rather than a pupil."""
    filled = [cell for cell in line.cells if cell]
    figures = sum(bool(_FIGURE.fullmatch(cell)) for cell in filled[1:])
    if _counts_answers(line, header):
        return True
    if len(filled) - figures > _TOTAL_WORDS or not _TOTAL.match(filled[0]):
        return False
    roles = (meaning.role for meaning in header.meanings)
    named = dict(zip(roles, line.cells, strict=False))
    number = read_admission_number(named.get(Role.ADMISSION_NUMBER, ""))
    return number is None and not re.fullmatch(r"\w{12,}", named.get(Role.UPN, ""))


def _counts_answers(line: Line, header: Header) -> bool:
    """Whether a line names nobody and has counts or shares under the answers."""
    under = [
        cell
        for meaning, cell in zip(header.meanings, line.cells, strict=False)
        if cell and meaning.role in _STATES
    ]
    others = sum(map(bool, line.cells)) - len(under)
    counts = all(map(_FIGURE.fullmatch, under)) and any(read_answer(cell) is None for cell in under)
    return len(under) > 1 and counts and others <= 1 and not holds_a_pupil(line.cells, header)


def _run_date(lines: Sequence[Line]) -> date | None:
    """The latest run date outside the table."""
    found = [
        day
        for line in lines
        for text in (*line.cells, " ".join(cell for cell in line.cells if cell))
        if (day := read_run_date(text)) is not None
    ]
    return max(found, default=None)
