"""Finds titles that name a time which has ended or not begun. Pure text functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

_SCHOOL_YEAR = re.compile(r"(?<!\d)(20\d\d)\s*[/\-\u2013]\s*(?:20)?(\d\d)(?![\d/\-])")
_SHORT_YEAR = re.compile(r"(?<![\d/.\-])([2-9]\d)\s?[/\-\u2013]\s?([2-9]\d)(?![\d/.\-])")
"""``23/24``. From 20 on, so that neither ``Year 12/13`` nor a day of a month is one."""
_YEAR = re.compile(r"(?<![\d/.\-])(20\d\d)(?![\d/.\-])")
_FIRST_TERM = "autumn|michaelmas|hydref|herbst"
_LATER_TERMS = "spring|summer|lent|trinity|hilary|easter|gwanwyn|haf|fruhjahr|fr\u00fchjahr|sommer"
_TERM = re.compile(
    rf"\b(?:({_FIRST_TERM})|{_LATER_TERMS})(?: term)?[ ,\-]*['\u2019]?"
    r"(?:20)?([2-9]\d)(?![\d/\-]|\.\d)",
    re.I,
)
"""``Spring 22`` and ``Summer term 2025``."""
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = re.compile(
    rf"\b({'|'.join(_MONTHS)})[a-z]{{0,6}}[ ,\-]*['\u2019]?(20\d\d|[2-9]\d)(?!\d|st|nd|rd|th)", re.I
)
_STARTS = re.compile(r"\b(from|effective|starting|starts|commencing|beginning|begins)\b", re.I)
_DAY = re.compile(r"\b(\d{1,2})[/.](\d{1,2})[/.](20\d\d)\b")
_FILE_DATE = re.compile(r"(?<!\d)(20[2-9]\d)[-. ]?(0[1-9]|1[0-2])[-. ]?(?:[0-2]\d|3[01])(?!\d)")
_FILE_MONTH = re.compile(rf"\b({'|'.join(_MONTHS)})[a-z]{{0,6}}[- ]?(?:20)?([2-9]\d)(?!\d)", re.I)
_LAST_MONTH, _LAST_DAY = 8, 31
"""School years in England end on 31 August."""
_FIRST_MONTH = 9
_AHEAD = timedelta(days=150)
"""Lists of the next school year are usual from April on."""
_OTHER_YEARS = re.compile(r"\b(form|version|policy|est|established|since|founded|gdpr|act)\b", re.I)
"""A title with one of these words may name a year that is not the year of the list."""


def ended_title(titles: Iterable[str], today: date) -> str | None:
    """Return the first title that names a year which has ended, and no later one.

    A later year in another line, such as that of a copyright, does not make the list newer.

    Args:
        titles: The lines outside the table.
        today: The day of the import.
    """
    for title in titles:
        last = _last_day(title)
        if last is not None and last < today:
            return title
    return None


def later_title(titles: Iterable[str], today: date) -> str | None:
    """Return the first title that says from when the list counts, if that is after ``today``."""
    return next((title for title in titles if _begins_after(title, today)), None)


def school_year_in_file_name(name: str) -> str:
    """``File of 2024/25`` for ``consent_20240901.csv`` and ``Sept24 consent.csv``; else empty."""
    stem = name.rpartition("/")[2].replace("_", " ")
    if match := _FILE_DATE.search(stem):
        year, month = int(match[1]), int(match[2])
    elif match := _FILE_MONTH.search(stem):
        year, month = 2000 + int(match[2]), _MONTHS.index(match[1].lower()) + 1
    else:
        return ""
    first = year if month >= _FIRST_MONTH else year - 1
    return f"File of {first}/{(first + 1) % 100:02}"


def names_year(text: str) -> bool:
    """Whether a text names a year."""
    return _last_day(text) is not None


def is_period(text: str) -> bool:
    """Whether a cell is nothing but a school year or a term: ``2024/25``, ``Spring 22``."""
    return any(pattern.fullmatch(text.strip()) for pattern in (_SCHOOL_YEAR, _SHORT_YEAR, _TERM))


def _last_day(title: str) -> date | None:
    """The last day of the latest year that the title names."""
    days = [date(a + 1, _LAST_MONTH, _LAST_DAY) for a in _school_years(title)]
    for first, year in _TERM.findall(title):
        days.append(date(2000 + int(year) + bool(first), _LAST_MONTH, _LAST_DAY))
    rest = _TERM.sub(" ", _SCHOOL_YEAR.sub(" ", title))
    if not _OTHER_YEARS.search(title):
        years = [int(year) for year in _YEAR.findall(rest)]
        # ``July 25`` is a day if the line has a year of its own.
        years += [2000 + int(y) for _, y in _MONTH.findall(rest) if len(y) == 2 and not years]
        days += [date(year, 12, 31) for year in years]
    return max(days, default=None)


def _school_years(title: str) -> list[int]:
    """The calendar years in which the school years of a title begin."""
    pairs = [(int(a), int(b)) for a, b in _SCHOOL_YEAR.findall(title)]
    pairs += [(2000 + int(a), int(b)) for a, b in _SHORT_YEAR.findall(title)]
    return [a for a, b in pairs if (a + 1) % 100 == b]


def _begins_after(title: str, today: date) -> bool:
    years = _school_years(title)
    if years and date(min(years), _FIRST_MONTH, 1) > today + _AHEAD:
        return True
    if not _STARTS.search(title):
        return False
    months = [
        date(int(year[-2:]) + 2000, _MONTHS.index(month.lower()) + 1, 1)
        for month, year in _MONTH.findall(title)
    ]
    numbers = [(int(y), int(m), int(d)) for d, m, y in _DAY.findall(title)]
    months += [date(y, m, 1) for y, m, d in numbers if 1 <= m <= 12 and d]
    return any(day > today for day in months)
