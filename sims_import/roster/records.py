"""Defines what an export says of each pupil, with its origin, and the problems found in it.

A field that is None was not in the export at all, or was blank: it says nothing, and nothing on
the register is erased for it. Consent is the exception: where an export has a column for a
purpose, a blank there is *not stated*, which is never a yes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from consent_gate.model import Answer, Consent


@dataclass(frozen=True)
class Origin:
    """Where something stands in the export."""

    sheet: str
    row: int
    """From 1, as a person counts; the record's number in XML."""
    column: str = ""
    """The caption; empty for the row as a whole."""


@dataclass(frozen=True)
class Problem:
    """Something odd or wrong, pointing at a cell. Never holds a pupil's name."""

    origin: Origin
    message: str
    """One plain sentence."""

    def as_dict(self) -> dict[str, str | int]:
        """The contract's form."""
        return {
            "row": self.origin.row,
            "column": self.origin.column,
            "message": self.message,
            **({"sheet": self.origin.sheet} if self.origin.sheet else {}),
        }


SaidOn = tuple[date, date]
"""A day read with the day first and with the month first; both are the same where it is certain."""


@dataclass(frozen=True)
class PupilRecord:
    """What an export says of one pupil."""

    admission_number: str
    """Padded to six digits; the UPN where the export has no admission numbers."""
    origin: Origin
    upn: str | None = None
    forename: str | None = None
    surname: str | None = None
    preferred_forename: str | None = None
    preferred_surname: str | None = None
    reg_group: str | None = None
    year: str | None = None
    date_of_birth: date | None = None
    family_key: str | None = None
    address_key: str | None = None
    consents: dict[str, Consent] = field(default_factory=dict)
    """By purpose, for the purposes the export speaks of."""
    biometric_objection: bool | None = None
    """None where the export has no such column."""
    never_publish: bool | None = None
    """None where the export has no such column."""
    left_on: date | None = None
    """The leaving date the export gives."""
    has_left: bool = False
    """A flag or a status says that the pupil has left."""
    said_on: dict[str, SaidOn] = field(default_factory=dict)
    """By purpose, the day of the answer, where a column dates the row as a whole."""
    said_by: tuple[str, ...] = ()
    """What notes and unknown columns say beside it: another person's answer is no later one."""
    not_understood: frozenset[str] = frozenset()
    """Purposes of which something was said that is no answer we know."""
    lookup_errors: frozenset[str] = frozenset()
    """Purposes where a formula failed in the cell (``#N/A``)."""

    def left_by(self, today: date) -> bool:
        """Whether the export says that the pupil has left by ``today``."""
        return self.has_left or (self.left_on is not None and self.left_on <= today)


@dataclass(frozen=True)
class Roster:
    """Everything an export says."""

    records: tuple[PupilRecord, ...]
    """One per pupil, in the export's order."""
    purposes: frozenset[str]
    """Purposes the export speaks of; a purpose that is missing has vanished."""
    expiring: frozenset[str]
    """Purposes for which it gives expiry dates."""
    exported_on: date | None = None
    """Its run date; None where it doesn't say or says a day in the future."""
    complete: bool = True
    """Whether pupils who are not in it have left."""
    errors: tuple[Problem, ...] = ()
    """Rows that had to be left out."""
    warnings: tuple[Problem, ...] = ()
    unsure_dates: tuple[str, ...] = ()
    """Captions of last days where day and month may be exchanged, and it matters."""
    ragged: tuple[int, ...] = ()
    """Rows with more or fewer cells than the headings."""


_STRICTNESS = {Answer.REFUSED: 2, Answer.NOT_STATED: 1, Answer.GIVEN: 0}


def stricter(first: Consent, second: Consent) -> Consent:
    """Of two answers the one that releases less: refused, then not stated, then given.

    Between two that were given, the earlier expiry counts.
    """
    if first.answer is not second.answer:
        return max(first, second, key=lambda consent: _STRICTNESS[consent.answer])
    expiries = [day for day in (first.expires_on, second.expires_on) if day is not None]
    given = [day for day in (first.given_on, second.given_on) if day is not None]
    return Consent(first.answer, max(given, default=None), min(expiries, default=None))


def silenced(record: PupilRecord) -> PupilRecord:
    """``record`` with every yes taken out, for a row or a number that cannot be trusted."""
    consents = {
        name: Consent(Answer.NOT_STATED) if consent.answer is Answer.GIVEN else consent
        for name, consent in record.consents.items()
    }
    return replace(record, consents=consents)
