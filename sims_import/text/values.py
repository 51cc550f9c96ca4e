"""Reads single cells: answers, dates, school years, addresses. Pure text functions.

Only a text on the list of yeses is ever a yes.
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
    """The texts between the bars of a list."""
    return frozenset(" ".join(piece.split()) for piece in text.split("|"))


_YES = _texts(
    """t|true|y|yes|1|given|granted|consented|agreed|allowed|approved|accepted|consent given|
    consent granted|permission given|permission granted|given consent|i consent|i agree|agree|
    yes given|ticked|confirmed|opt in|opted in|opt-in|opted-in|
    \u2713|\u2714|\u2611|\u2705|\u221a"""
)
_NO = _texts(
    """f|false|n|no|0|refused|declined|decline|denied|withdrawn|withheld|not given|not granted|
    consent refused|consent withdrawn|consent denied|consent not given|permission refused|
    permission denied|permission not given|no consent|not consented|rejected|disagreed|disagree|
    objected|
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
_UNCERTAIN = _texts("?|pending|awaiting|awaiting response|outstanding|requested")
_YES_SENTENCE = re.compile(
    r"yes( please)?|(yes[,.]? ?(- )?)?(i|we) (do )?((give|grant)( my| our)? (consent|permission)|"
    r"consent|agree)( to this| for this)?"
)
_NO_SENTENCE = re.compile(
    r"no( thanks| thank you)|(no[,.]? ?(- )?)?(i|we) (do not|don'?t|don\u2019t|decline|refuse)"
    r"( wish| want)?( to)?( give| grant)?( my| our)?( consent| permission| agree)?"
    r"( to this| for this)?"
)
"""Sentences of forms. They have to match the whole cell."""
_LOOKUP_ERRORS = _texts(
    "#n/a|#ref!|#value!|#name?|#div/0!|#null!|#num!|#spill!|#calc!|#getting_data"
)
"""Errors that Excel writes if a formula fails. They are no answer, and often an accident."""
_NO_END = _texts(
    """no expiry|no expiry date|never|never expires|indefinite|indefinitely|until child leaves|
    until the child leaves|until leaving|until pupil leaves|until student leaves|
    until they leave|does not expire|no end date|open ended|permanent|ongoing|
    until further notice|while at school|whilst at school"""
)


def is_lookup_error(text: str) -> bool:
    """Whether the cell holds the error of a failed formula, such as ``#N/A``."""
    return text.strip().casefold() in _LOOKUP_ERRORS


def has_no_end(text: str) -> bool:
    """Whether an expiry cell says in words that the consent does not expire."""
    return re.sub(r"[.!]+$", "", text.strip().casefold()).strip() in _NO_END


def is_yes(text: str) -> bool:
    """Whether the text of a cell is a yes."""
    return read_answer(text) is Answer.GIVEN


def is_uncertain(text: str) -> bool:
    """Whether a text says that nobody knows yet, and not that there is nothing."""
    return text.strip().casefold() in _UNCERTAIN


@lru_cache(maxsize=4096)
def read_answer(text: str) -> Answer | None:
    """The answer in a cell; None if the text is no known answer, which never counts as a yes.

    ``x`` is unknown on purpose: it is a tick in some schools and a cross in others.
    """
    plain = re.sub(r"(?<!\.)\.$|(?<=\w\w)!$", "", text.strip().casefold()).strip()
    plain = plain[:-2] if plain in {"1.0", "0.0"} else plain
    if plain in _NOT_STATED or plain in _LOOKUP_ERRORS:
        return Answer.NOT_STATED
    if plain in _YES or _YES_SENTENCE.fullmatch(plain):
        return Answer.GIVEN
    return Answer.REFUSED if plain in _NO or _NO_SENTENCE.fullmatch(plain) else None


# --- dates ---------------------------------------------------------------------------------

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_EXCEL_EPOCH = date(1899, 12, 30)
"""Day 0 of Excel's 1900 date system, which counts a 29 February 1900 that did not exist."""
_TIME = re.compile(r"[T ]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([ap]m)?(Z|[+-]\d{2}:?\d{2})?$", re.I)


class DateOrder(StrEnum):
    """Whether day or month comes first in a column's dates that consist of numbers only."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"
    UNDECIDED = "undecided"
    """Every date fits both orders, such as 03/04/2027."""
    MIXED = "mixed"
    """Some dates fit only one order and some only the other, so none is reliable."""


def date_order(texts: Iterable[str]) -> DateOrder:
    """The order of day and month in a column, from all its values."""
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
    """Read a date in the order of its column. None if it is no date or the order is mixed."""
    match = _NUMBERS.fullmatch(_TIME.sub("", text.strip()))
    if match is None or order in {DateOrder.DAY_FIRST, DateOrder.UNDECIDED}:
        return read_date(text)
    if order is DateOrder.MIXED:
        return None
    return _day(_full_year(match[3]), int(match[1]), int(match[2]))


_NUMBERS = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})")


@lru_cache(maxsize=16384)
def read_date(text: str) -> date | None:
    """The date in a cell: ISO, day/month/year, a month in words, or an Excel serial number.

    The day comes before the month, as in British school systems. For a column in another order use
    ``date_order`` and ``read_date_in``. Returns None if the cell holds no date.
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


_RUN_DATE = re.compile(
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
"""Words beside dates that are no run dates: "Consent form version 3, date 12/03/2024"."""


def read_run_date(text: str) -> date | None:
    """The run date in a line of a report ("Run: 04/09/2026"); None if it has none.

    The date of a form, a deadline or a version is no run date.
    """
    match = _RUN_DATE.search(text)
    if match is None or _FORM_DATE.search(text):
        return None
    found = _LEADING_DATE.search(match[1])
    return read_date(found[1]) if found else None


@lru_cache(maxsize=1024)
def read_year(text: str) -> str:
    """Normalise ``Year  5``, ``Yr 5``, ``Y5`` and ``5`` to ``Year 5``. Other texts are kept."""
    match = re.fullmatch(
        r"(?:year|yr|y|curriculum year|nc year)?[ .]*(\d{1,2})(?:\.0)?", text, re.I
    )
    return f"Year {int(match[1])}" if match else text


def address_key(surname: str, address: str) -> str:
    """A digest of surname and address, to recognise siblings without storing the address.

    Empty if surname or address is missing. Pupils with equal keys share surname and address.
    """
    plain = "".join(re.findall(r"\w+", f"{address}".casefold()))
    if not surname or not plain:
        return ""
    text = f"{surname.casefold()}|{plain}"
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()
