"""Defines the record that an export holds of each pupil, its origin, and problems found in it.

A field that is None was blank or not in the export, and erases nothing on the register. Consent is
the exception: if an export has a column for a purpose, a blank there is *not stated*, which is
never a yes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date

from consent_gate.model import Answer, Consent


@dataclass(frozen=True)
class Origin:
    """The place of something in the export."""

    sheet: str
    row: int
    """Counted from 1; the number of the record in XML. 0 means the export as a whole."""
    column: str = ""
    """The caption; empty for the row as a whole."""


@dataclass(frozen=True)
class Problem:
    """Something odd or wrong in the export. Never holds a pupil's name."""

    origin: Origin
    message: str
    """One or two sentences for school staff."""

    def as_dict(self) -> dict[str, str | int]:
        """The form that ``import-sims --json`` prints."""
        return {
            "row": self.origin.row,
            "column": self.origin.column,
            "message": self.message,
            **({"sheet": self.origin.sheet} if self.origin.sheet else {}),
        }


SaidOn = tuple[date, date]
"""A date read with the day first and with the month first. Both are equal if it is certain."""


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
    """By purpose, for the purposes that the export covers."""
    biometric_objection: bool | None = None
    """None where the export has no such column."""
    never_publish: bool | None = None
    """None where the export has no such column."""
    left_on: date | None = None
    """The leaving date the export gives."""
    has_left: bool = False
    """A flag or a status says that the pupil has left."""
    said_on: dict[str, SaidOn] = field(default_factory=dict)
    """The day of the answer by purpose, if a column dates the whole row."""
    said_by: tuple[str, ...] = ()
    """Cells of notes and unknown columns in the row, which may name who answered. A later answer
    counts only if these are equal."""
    not_understood: frozenset[str] = frozenset()
    """Purposes with a text that is no known answer."""
    lookup_errors: frozenset[str] = frozenset()
    """Purposes where a formula failed in the cell (``#N/A``)."""

    def left_by(self, today: date) -> bool:
        """Whether the export says that the pupil has left by ``today``."""
        return self.has_left or (self.left_on is not None and self.left_on <= today)


@dataclass(frozen=True)
class Roster:
    """The records of an export and what was found while reading it."""

    records: tuple[PupilRecord, ...]
    """One per pupil, in the export's order."""
    purposes: frozenset[str]
    """Purposes that the export covers. A purpose of the register that is missing has vanished."""
    expiring: frozenset[str]
    """Purposes for which the export has expiry dates."""
    exported_on: date | None = None
    """The run date; None if the export has none, or one in the future."""
    complete: bool = True
    """Whether pupils who are not in the export have left."""
    errors: tuple[Problem, ...] = ()
    """Rows that had to be left out."""
    warnings: tuple[Problem, ...] = ()
    unsure_dates: tuple[str, ...] = ()
    """Captions of expiry dates where the order of day and month is uncertain and matters."""
    ragged: tuple[int, ...] = ()
    """Rows with more or fewer cells than the headings."""
    unnumbered: tuple[int, ...] = ()
    """Rows without a number that have the name of a pupil of the export."""
    unplaced: tuple[int, ...] = ()
    """Rows with an unreadable number, or with neither number nor name, that say no to something."""
    halved: tuple[int, ...] = ()
    """Rows in which a yes and a blank stand for one use, or that are blank beside another row."""


def answers_digest(records: Iterable[PupilRecord]) -> str:
    """SHA-256 of the answers of an export: of each pupil the consents, objections and marks.

    A file that was saved again has the same answers in other bytes, or in another order of its rows
    and columns. Names and classes do not count. Empty without a record.
    """
    said = sorted(
        (
            record.admission_number,
            sorted((use, repr(consent)) for use, consent in record.consents.items()),
            str((record.biometric_objection, record.never_publish, record.has_left)),
        )
        for record in records
    )
    return hashlib.sha256(repr(said).encode()).hexdigest() if said else ""


_STRICTNESS = {Answer.REFUSED: 2, Answer.NOT_STATED: 1, Answer.GIVEN: 0}


def stricter(first: Consent, second: Consent) -> Consent:
    """The answer that releases less: refused before not stated before given.

    Two equal answers give the earlier expiry date and the later start date.
    """
    if first.answer is not second.answer:
        return max(first, second, key=lambda consent: _STRICTNESS[consent.answer])
    expiries = [day for day in (first.expires_on, second.expires_on) if day is not None]
    given = [day for day in (first.given_on, second.given_on) if day is not None]
    return Consent(first.answer, max(given, default=None), min(expiries, default=None))


def silenced(record: PupilRecord) -> PupilRecord:
    """``record`` with every given consent *not stated*, because its row cannot be trusted."""
    consents = {
        name: Consent(Answer.NOT_STATED) if consent.answer is Answer.GIVEN else consent
        for name, consent in record.consents.items()
    }
    return replace(record, consents=consents)
