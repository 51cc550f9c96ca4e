"""Finds titles that name a year which has ended. Pure text functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

_SCHOOL_YEAR = re.compile(r"(?<!\d)(20\d\d)\s*[/\-\u2013]\s*(?:20)?(\d\d)(?![\d/\-])")
_SHORT_YEAR = re.compile(r"(?<![\d/.\-])([2-9]\d)/([2-9]\d)(?![\d/.\-])")
"""``23/24``. From 20 on, so that neither ``Year 12/13`` nor a day of a month is one."""
_YEAR = re.compile(r"(?<![\d/.\-])(20\d\d)(?![\d/.\-])")
_LAST_MONTH, _LAST_DAY = 8, 31
"""School years in England end on 31 August."""
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


def _last_day(title: str) -> date | None:
    """The last day of the latest year that the title names."""
    pairs = [(int(a), int(b)) for a, b in _SCHOOL_YEAR.findall(title)]
    pairs += [(2000 + int(a), int(b)) for a, b in _SHORT_YEAR.findall(title)]
    days = [date(a + 1, _LAST_MONTH, _LAST_DAY) for a, b in pairs if (a + 1) % 100 == b]
    if not _OTHER_YEARS.search(title):
        days += [date(int(year), 12, 31) for year in _YEAR.findall(_SCHOOL_YEAR.sub(" ", title))]
    return max(days, default=None)
