"""Read the school's own timetable of events, and propose who was at an event on its day.

The functions are pure. A row that is not certain is left out; nothing is guessed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from consent_gate.register.event_names import SchoolNames, classes_listed

MAX_BYTES = 1 << 20
"""A larger file is no timetable."""

MIN_WORD = 4
"""Letters from which a word that folder and row share tells which of several rows is meant."""

FIRST_MONTH = 9
"""The month in which a school year begins in England."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_SEP = r"[-_./ ]"
_ISO = re.compile(rf"(?<!\d)(20\d\d){_SEP}?(\d\d){_SEP}?(\d\d)(?!\d)")
_BRITISH = re.compile(rf"(?<!\d)(\d\d?){_SEP}(\d\d?){_SEP}(20\d\d)(?!\d)")
_YEAR = re.compile(r"(?<!\d)(20\d\d)(?!\d)")
_WORDS = re.compile(r"(?<!\d)(\d\d?)(?:st|nd|rd|th)?[-_. ]+([a-z]{3,9})[-_., ]+(20\d\d)(?!\d)")


@dataclass(frozen=True)
class TimetableRow:
    """One event of the timetable."""

    day: date
    cells: tuple[str, ...]
    """What stands beside the date: classes, years, pupils, and words about the event."""


def read_timetable(data: bytes) -> tuple[TimetableRow, ...]:
    """Return the rows of a CSV whose first cell is a date. Other rows are left out.

    Args:
        data: The file, in UTF-8 or the encoding of Western Windows, with commas or semicolons.
    """
    if len(data) > MAX_BYTES:
        return ()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    separator = ";" if text.count(";") > text.count(",") else ","
    rows = []
    try:
        for first, *rest in filter(None, csv.reader(io.StringIO(text), delimiter=separator)):
            days = days_in(first)
            if len(days) == 1:
                cells = (part.strip() for cell in rest for part in re.split(r"[,;]", cell))
                rows.append(TimetableRow(days.pop(), tuple(cell for cell in cells if cell)))
    except csv.Error:
        return ()
    return tuple(rows)


def days_in(text: str) -> set[date]:
    """Return the days that a text names: 2026-11-27, 27/11/2026 or 27 Nov 2026 (day first)."""
    plain = text.casefold()
    found = [_day(*map(int, match.groups())) for match in _ISO.finditer(plain)]
    found += [_day(int(m[3]), int(m[2]), int(m[1])) for m in _BRITISH.finditer(plain)]
    for match in _WORDS.finditer(plain):
        if match[2][:3] in _MONTHS:
            found.append(_day(int(match[3]), _MONTHS.index(match[2][:3]) + 1, int(match[1])))
    return {day for day in found if day is not None}


def classes_on_timetable(
    event: str, rows: Iterable[TimetableRow], school: SchoolNames
) -> tuple[str, ...]:
    """Return the classes that the timetable names for the day of an event's folder.

    Where several rows are of that day, those count that share a word with the folder.

    Args:
        event: Folder below the inbox, whose name has one day.
        rows: The timetable.
        school: What a name may mean.
    """
    days = days_in(event)
    if len(days) != 1:
        return ()
    of_day = [row for row in rows if row.day in days]
    if len(of_day) > 1:
        words = _words([event])
        of_day = [row for row in of_day if words & _words(row.cells)]
    return classes_listed((cell for row in of_day for cell in row.cells), school)


def is_before_school_year(event: str, today: date) -> bool:
    """Whether the folder's name has a day or a year before the school year of today.

    Classes had other pupils then. A school year begins on 1 September.
    """
    start = date(today.year - (today.month < FIRST_MONTH), FIRST_MONTH, 1)
    years = {int(year) for year in _YEAR.findall(event)}
    return any(day < start for day in days_in(event)) or any(y < start.year for y in years)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _words(texts: Sequence[str]) -> set[str]:
    parts = (word for text in texts for word in re.split(r"[\W\d_]+", text.casefold()))
    return {word for word in parts if len(word) >= MIN_WORD and word[:3] not in _MONTHS}
