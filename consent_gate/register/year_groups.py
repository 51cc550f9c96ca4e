"""Read year groups and key stages, as a register, a list or the name of a folder writes them.

The functions are pure. A year is "1" to "13", "reception" or "nursery".
"""

from __future__ import annotations

import re

RECEPTION, NURSERY = "reception", "nursery"

_STAGES = {
    "1": frozenset({"1", "2"}),
    "2": frozenset({"3", "4", "5", "6"}),
    "3": frozenset({"7", "8", "9"}),
    "4": frozenset({"10", "11"}),
    "5": frozenset({"12", "13"}),
}
"""Years of each key stage in England (Education Act 2002, section 82; 5 is the sixth form)."""

_EN_DASH = "\N{EN DASH}"
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_HEAD = r"(?:years?|yrs?|y)[ -]?"
_JOIN = r" ?(?:,|/|&|\+|-|\band\b|\bto\b|\bvs?\b) ?"
_NO_DATE = rf"(?!\d|\.\d|[-/]\d\d?[-/]\d\d|(?:st|nd|rd|th)?[ -](?:{_MONTHS}))"
"""What may not follow a number: it would be a day of the month."""
_NUMBERS = re.compile(
    rf"\b{_HEAD}(\d\d?{_NO_DATE}(?:{_JOIN}(?:{_HEAD})?\d\d?{_NO_DATE})*)(?:s\b|\b)"
)
_NAMED = {
    re.compile(r"\b(?:reception|(?:year|yr)[ -]?r)\b"): frozenset({RECEPTION}),
    re.compile(r"\bnursery\b"): frozenset({NURSERY}),
    re.compile(r"\b(?:eyfs|early years)\b"): frozenset({RECEPTION, NURSERY}),
    re.compile(r"\bsixth form\b"): _STAGES["5"],
}
_STAGE = re.compile(r"\b(?:ks|key stage)[ -]?([1-5])\b")

Meant = tuple[frozenset[str], ...]
"""One set of years for each year that is named by its number, and one for each name of several."""


def year_key(text: str) -> str:
    """The year that a register names: ``Year  3``, ``Y3`` and ``03`` are "3"; ``R`` is Reception.

    A text that is no year is returned in lower case.
    """
    plain = " ".join(text.casefold().split())
    if match := re.fullmatch(r"(?:year|yr|y)? ?0*(\d{1,2})", plain):
        return match[1]
    if re.fullmatch(r"(?:year|yr)? ?r|reception|yr", plain):
        return RECEPTION
    return NURSERY if re.fullmatch(r"(?:year|yr)? ?n[12]?|nursery ?[12]?", plain) else plain


def years_in(text: str) -> Meant:
    """The years that a text names with the word: ``Years 3 and 4``, ``Y3-5``, ``KS2``.

    A bare number is no year.
    """
    return _read(text)[0]


def years_meant(name: str) -> Meant:
    """The years that a name means, where it has no other word; else empty."""
    found, rest = _read(name)
    return () if re.sub(r"\band\b", "", rest).strip(" ,/&+-") else found


def _read(text: str) -> tuple[Meant, str]:
    """The years, and the text without them."""
    plain = " ".join(text.casefold().replace("_", " ").replace(_EN_DASH, "-").split())
    found: list[frozenset[str]] = []
    for match in _NUMBERS.finditer(plain):
        found += [frozenset({str(year)}) for year in _spans(match[1])]
    rest = _NUMBERS.sub(" ", plain)
    for pattern, years in _NAMED.items():
        if pattern.search(rest):
            found.append(years)
            rest = pattern.sub(" ", rest)
    found += [_STAGES[match[1]] for match in _STAGE.finditer(rest)]
    return tuple(dict.fromkeys(found)), _STAGE.sub(" ", rest)


def _spans(numbers: str) -> list[int]:
    """The years of ``3-5, 7 and 9``: a line or "to" stands for all years between."""
    years: list[int] = []
    for start, join, end in re.findall(r"(\d\d?)(?=(?:\D*?(-|to)\D*?(\d\d?))?)", numbers):
        first, last = int(start), int(end) if join else 0
        years += range(first, max(first, last) + 1)
    return list(dict.fromkeys(years))
