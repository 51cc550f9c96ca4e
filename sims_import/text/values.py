"""Reads single cells: answers, dates, school years, addresses. Pure text functions.

A text that is not on the list of yeses is never a yes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

from consent_gate.model import Answer


def _texts(text: str) -> frozenset[str]:
    return frozenset(" ".join(piece.split()) for piece in text.split("|"))


_YES = _texts(
    """t|true|y|yes|1|given|granted|consented|agreed|allowed|approved|accepted|consent given|
    consent granted|permission given|permission granted|given consent|i consent|i agree|
    yes given|ticked|confirmed|opt in|opted in|opt-in|opted-in|
    \u2713|\u2714|\u2611|\u2705|\u221a"""
)
_NO = _texts(
    """f|false|n|no|0|refused|declined|decline|denied|withdrawn|withheld|not given|not granted|
    consent refused|consent withdrawn|consent denied|consent not given|permission refused|
    permission denied|permission not given|no consent|not consented|rejected|disagreed|objected|
    not allowed|do not consent|i do not consent|i do not agree|not agreed|opted out|opt out|
    opted-out|opt-out|revoked|cancelled|canceled|lapsed|ended|expired|rescinded|terminated|
    \u2717|\u2718|\u2612|\u274c|\u2715|\u2716"""
)
_NOT_STATED = _texts(
    """|-|--|\u2013|\u2014|n/a|na|none|null|nil|not stated|not specified|not known|unknown|
    pending|awaiting|awaiting response|no response|no reply|not returned|not answered|
    outstanding|not set|not recorded|requested|not requested|no answer|not applicable|
    \u2610|\u25a1|\u25a2|\u25fb|\u2b1c|[ ]|[]|( )|()|?"""
)
_YES_SENTENCE = re.compile(
    r"yes( please)?|(yes[,.]? ?(- )?)?(i|we) (do )?((give|grant)( my| our)? (consent|permission)|"
    r"consent|agree)( to this| for this)?"
)
_NO_SENTENCE = re.compile(
    r"no( thanks| thank you)|(no[,.]? ?(- )?)?(i|we) (do not|don'?t|don\u2019t|decline|refuse)"
    r"( wish| want)?( to)?( give| grant)?( my| our)?( consent| permission| agree)?"
    r"( to this| for this)?"
)
"""Whole sentences of forms; nothing may be left over."""
_LOOKUP_ERRORS = _texts(
    "#n/a|#ref!|#value!|#name?|#div/0!|#null!|#num!|#spill!|#calc!|#getting_data"
)
"""What Excel writes where a formula found nothing: no answer, and often an accident."""
_NO_END = _texts(
    """no expiry|no expiry date|never|never expires|indefinite|indefinitely|until child leaves|
    until the child leaves|until leaving|until pupil leaves|until student leaves|
    until they leave|does not expire|no end date|open ended|permanent|ongoing|
    until further notice|while at school|whilst at school"""
)


def is_lookup_error(text: str) -> bool:
    """Whether Excel's formula failed in this cell (``#N/A``)."""
    return text.strip().casefold() in _LOOKUP_ERRORS


def has_no_end(text: str) -> bool:
    """Whether an expiry cell says in words that there is no last day."""
    return re.sub(r"[.!]+$", "", text.strip().casefold()).strip() in _NO_END


@lru_cache(maxsize=4096)
def read_answer(text: str) -> Answer | None:
    """The tri-state answer in a cell; None when the text is none we know (never a yes).

    ``x`` is deliberately unknown: in one school it is a tick, in the next a cross.
    """
    plain = re.sub(r"[.!]+$", "", text.strip().casefold()).strip()
    plain = plain[:-2] if plain in {"1.0", "0.0"} else plain
    if plain in _NOT_STATED or plain in _LOOKUP_ERRORS:
        return Answer.NOT_STATED
    if plain in _YES or _YES_SENTENCE.fullmatch(plain):
        return Answer.GIVEN
    return Answer.REFUSED if plain in _NO or _NO_SENTENCE.fullmatch(plain) else None


# --- dates ---------------------------------------------------------------------------------

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_EXCEL_EPOCH = date(1899, 12, 30)
"""Day 0 of Excel's 1900 system, its invented 29 February 1900 included."""
_TIME = re.compile(r"[T ]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([ap]m)?(Z|[+-]\d{2}:?\d{2})?$", re.I)


class DateOrder(StrEnum):
    """Which number comes first in the dates of a column that are written with numbers only."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    UNDECIDED = "undecided"
    """Every date fits both: 03/04/2027."""
    MIXED = "mixed"
    """Some fit only one order and some only the other: none can be relied on."""


def date_order(texts: Iterable[str]) -> DateOrder:
    """The order of day and month in a column, decided from all its values."""
    day_first = month_first = False
    for text in texts:
        match = _NUMBERS.fullmatch(_TIME.sub("", text.strip()))
        if match is None:
            continue
        day_first |= int(match[1]) > 12
        month_first |= int(match[2]) > 12
    if day_first and month_first:
        return DateOrder.MIXED
    if day_first or month_first:
        return DateOrder.DAY_FIRST if day_first else DateOrder.MONTH_FIRST
    return DateOrder.UNDECIDED


def read_date_in(text: str, order: DateOrder) -> date | None:
    """``read_date`` for a column whose order is known; None where the order is mixed."""
    match = _NUMBERS.fullmatch(_TIME.sub("", text.strip()))
    if match is None or order in {DateOrder.DAY_FIRST, DateOrder.UNDECIDED}:
        return read_date(text)
    if order is DateOrder.MIXED:
        return None
    return _day(_full_year(match[3]), int(match[1]), int(match[2]))


_NUMBERS = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})")


@lru_cache(maxsize=16384)
def read_date(text: str) -> date | None:
    """The day in a cell: ISO, British day/month/year, a month in words, or an Excel serial.

    Day comes before month, as everywhere in British school systems; ``date_order`` tells the
    columns in which it does not. None when it isn't a date.
    """
    plain = _TIME.sub("", text.strip())
    if match := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", plain):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := _NUMBERS.fullmatch(plain):
        return _day(_full_year(match[3]), int(match[2]), int(match[1]))
    if match := re.fullmatch(
        r"(\d{1,2})(?:st|nd|rd|th)?[- ]([A-Za-z]{3,9})[-, ]+(\d{4}|\d{2})", plain
    ):
        month = match[2][:3].lower()
        if month in _MONTHS:
            return _day(_full_year(match[3]), _MONTHS.index(month) + 1, int(match[1]))
    if re.fullmatch(r"[1-7]\d{4}(\.\d+)?", plain) and plain.isascii():
        return _EXCEL_EPOCH + timedelta(days=int(float(plain)))
    return None


def _full_year(text: str) -> int:
    year = int(text)
    if len(text) == 4:
        return year
    return year + (2000 if year < 70 else 1900)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_RUN = re.compile(
    r"\b(?:run|ran|printed|produced|exported|generated|created|extracted|report(?:ed)?|"
    r"as (?:at|of)|date)(?:\s+(?:on|date|at|time))*\s*[:\-=]?\s*(.+)$",
    re.I,
)
_LEADING_DATE = re.compile(
    r"(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|"
    r"\d{1,2}(?:st|nd|rd|th)?[- ][A-Za-z]{3,9}[-, ]+\d{4})"
)


_FORM_DATE = re.compile(
    r"\b(form|version|revision|revised|policy|review(ed)?|issued?|valid|effective|expir\w*|"
    r"dob|birth|term|deadline|due|return\w*|sent|reply|replies|until)\b",
    re.I,
)
"""Words of dates that are not the day of the report: "Consent form version 3, date 12/03/2024"."""


def read_run_date(text: str) -> date | None:
    """The day a report says it was run ("Run: 04/09/2026"), None when the text says no such.

    A date of the form, a deadline or a version is not a run date.
    """
    match = _RUN.search(text)
    if match is None or _FORM_DATE.search(text):
        return None
    found = _LEADING_DATE.search(match[1])
    return read_date(found[1]) if found else None


@lru_cache(maxsize=1024)
def read_year(text: str) -> str:
    """``Year  5``, ``Yr 5``, ``Y5`` and ``5`` are all ``Year 5``; other texts stay as they are."""
    match = re.fullmatch(
        r"(?:year|yr|y|curriculum year|nc year)?[ .]*(\d{1,2})(?:\.0)?", text, re.I
    )
    return f"Year {int(match[1])}" if match else text


def address_key(surname: str, address: str) -> str:
    """A digest of surname and address that tells siblings without keeping the address.

    Empty when either is missing. Only equality means anything.
    """
    plain = "".join(re.findall(r"\w+", f"{address}".casefold()))
    if not surname or not plain:
        return ""
    text = f"{surname.casefold()}|{plain}"
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
