"""What single cells say: answers, dates, admission numbers, UPNs, years. Pure text functions.

Nothing is ever guessed into a yes: a text that isn't on the list of yeses is not one.
"""

from __future__ import annotations

import hashlib
import re
from datetime import date, timedelta
from functools import lru_cache

from consent_gate.model import Answer

_YES = frozenset(
    """t|true|y|yes|1|given|granted|consented|agreed|allowed|approved|accepted|consent given|
    consent granted|permission given|permission granted|given consent|i consent|i agree|
    yes given|ticked|\u2713|\u2714|\u2611|\u2705|\u221a""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)
_NO = frozenset(
    """f|false|n|no|0|refused|declined|denied|withdrawn|withheld|not given|not granted|
    consent refused|consent withdrawn|consent denied|consent not given|permission refused|
    permission denied|permission not given|no consent|not consented|rejected|disagreed|objected|
    not allowed|do not consent|i do not consent|i do not agree|not agreed|opted out|
    \u2717|\u2718|\u2612|\u274c|\u2715|\u2716""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)
_NOT_STATED = frozenset(
    """|-|--|\u2013|\u2014|n/a|na|none|null|nil|not stated|not specified|not known|unknown|
    pending|awaiting|awaiting response|no response|no reply|not returned|not answered|
    outstanding|not set|\u2610|?""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)


@lru_cache(maxsize=4096)
def read_answer(text: str) -> Answer | None:
    """The tri-state answer in a cell; None when the text is none we know (never a yes).

    ``x`` is deliberately unknown: in one school it is a tick, in the next a cross.
    """
    plain = re.sub(r"[.!]+$", "", text.strip().casefold()).strip()
    plain = plain[:-2] if plain in {"1.0", "0.0"} else plain
    if plain in _NOT_STATED:
        return Answer.NOT_STATED
    if plain in _YES:
        return Answer.GIVEN
    return Answer.REFUSED if plain in _NO else None


# --- dates ---------------------------------------------------------------------------------

_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_EXCEL_EPOCH = date(1899, 12, 30)
"""Day 0 of Excel's 1900 system, its invented 29 February 1900 included."""
_TIME = re.compile(r"[T ]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s*([ap]m)?(Z|[+-]\d{2}:?\d{2})?$", re.I)


@lru_cache(maxsize=16384)
def read_date(text: str) -> date | None:
    """The day in a cell: ISO, British day/month/year, a month in words, or an Excel serial.

    Day comes before month, as everywhere in British school systems. None when it isn't a date.
    """
    plain = _TIME.sub("", text.strip())
    if match := re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", plain):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    if match := re.fullmatch(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})", plain):
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


def read_run_date(text: str) -> date | None:
    """The day a report says it was run ("Run: 04/09/2026"), None when the text says no such."""
    match = _RUN.search(text)
    if match is None:
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
