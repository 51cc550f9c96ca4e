"""Reads each row of an export as a record, and collects problems.

The record of a row holds only what that row states. ``merge`` joins the records of each pupil.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from consent_gate.model import Answer
from consent_gate.register.identifiers import read_admission_number, read_upn, upn_is_sound
from sims_import.mapping.doubts import is_off_roll
from sims_import.mapping.understand import ColumnMapping
from sims_import.readers.interface import Row, Table
from sims_import.roster.dates import ODD_DATE
from sims_import.roster.records import Origin, Problem, PupilRecord, silenced
from sims_import.roster.statements import ConsentReader, refused
from sims_import.text.consent_words import STAFF_WORDS
from sims_import.text.values import (
    address_key,
    read_answer,
    read_date_in,
    read_year,
)
from sims_import.text.vocabulary import Role
from sims_import.text.words import key, words

NO_NUMBER = "This row has no admission number or UPN, so it was left out."
ODD_NUMBER = "This is not an admission number, so the row was left out."
NUMBER_LOST = "This is not an admission number; the pupil was found by the UPN."
NOT_A_PUPIL = "This row is about somebody who is not a pupil, so it was left out."
UPN_AS_NUMBER = "No admission number: the pupil goes by the UPN until one is imported."
ODD_UPN = "The check letter of this UPN doesn't fit; please check it in the record system."
RAGGED = "This row has more or fewer cells than the headings: none of its consents count."

_BESIDE = frozenset({Role.NOTE, Role.UNKNOWN, Role.UNCLEAR, Role.FAMILY})
_SENDER = frozenset({"email", "mail", "username", "user"})
"""Words in the caption of a column that may say who answered."""
_TEXTS = {
    "forename": Role.FORENAME,
    "surname": Role.SURNAME,
    "preferred_forename": Role.PREFERRED_FORENAME,
    "preferred_surname": Role.PREFERRED_SURNAME,
    "reg_group": Role.REG_GROUP,
    "year": Role.YEAR,
    "family_key": Role.FAMILY,
}


@dataclass
class RowReader:
    """Reads the rows of one table, and collects rows left out and other problems."""

    table: Table
    understanding: ColumnMapping
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)
    """Rows of people who are no pupils."""
    ragged: list[int] = field(default_factory=list)
    unnumbered: list[tuple[int, tuple[str, str]]] = field(default_factory=list)
    """Row and name of each row that is left out because it has no usable number."""
    unplaced: list[int] = field(default_factory=list)
    """Rows with an unreadable number, or with neither number nor name, that say no to something."""
    halved: list[int] = field(default_factory=list)
    """Rows in which one column says yes to a use and another column for it is blank."""

    def __post_init__(self) -> None:
        by_role: dict[Role, list[int]] = {}
        for at, meaning in enumerate(self.understanding.columns):
            by_role.setdefault(meaning.role, []).append(at)
        for columns in by_role.values():
            # "Legal Forename" is preferred to "Forename", whatever the order of the columns.
            columns.sort(key=lambda at: "legal" not in key(self.table.captions[at]))
        self._columns = by_role
        self._beside = [
            at
            for at, meaning in enumerate(self.understanding.columns)
            if meaning.role in _BESIDE or set(words(self.table.captions[at])) & _SENDER
        ]
        self._consents = ConsentReader(self.table, self.understanding, self._warn)

    def unsure_dates(self, today: date) -> Iterator[str]:
        """Captions of expiry dates that have passed in only one order of day and month."""
        return self._consents.dates.unsure_dates(today)

    def read(self) -> Iterator[PupilRecord]:
        """Yield one record for each row with an admission number or a UPN."""
        for row in self.table.rows:
            number = self._number(row)
            if number is not None:
                record = self._record(row, number)
                if row.ragged:
                    self.warnings.append(self._problem(row, None, RAGGED))
                    self.ragged.append(row.number)
                yield silenced(record) if row.ragged else record
            elif not self._is_staff(row):
                texts = self._texts(row)
                self.unnumbered.append((row.number, name_of(texts["forename"], texts["surname"])))
                placeless = self._first(row, Role.ADMISSION_NUMBER)[0] or not any(texts.values())
                if placeless and self._consents.read(row).says_no:
                    self.unplaced.append(row.number)

    # --- which pupil the row is about --------------------------------------------------------

    def _number(self, row: Row) -> str | None:
        """Admission number or UPN of the row's pupil; None, with a problem noted, without one."""
        text, at = self._first(row, Role.ADMISSION_NUMBER)
        upn, upn_at = self._first(row, Role.UPN)
        if self._is_staff(row):
            self.left_out.append(self._problem(row, at, NOT_A_PUPIL))
            return None
        if text:
            number = read_admission_number(text)
            if number is not None:
                return number
            if upn and upn_is_sound(read_upn(upn)):
                self.warnings.append(self._problem(row, at, NUMBER_LOST))
                return read_upn(upn)
            self.errors.append(self._problem(row, at, ODD_NUMBER))
            return None
        if not upn or not any(c.isdigit() for c in upn):
            self.errors.append(self._problem(row, at, NO_NUMBER))
            return None
        self.warnings.append(self._problem(row, upn_at, UPN_AS_NUMBER))
        return read_upn(upn)

    def _is_staff(self, row: Row) -> bool:
        """Whether the class or year says that the row is about staff or visitors."""
        groups = (self._first(row, role)[0] for role in (Role.REG_GROUP, Role.YEAR))
        return any(set(words(group)) & STAFF_WORDS for group in groups)

    def _first(self, row: Row, role: Role) -> tuple[str, int | None]:
        """The first filled cell in a column with this role, and the index of its column."""
        columns = self._columns.get(role, [])
        for at in columns:
            if row.cells[at]:
                return " ".join(row.cells[at].split("\n")), at
        return "", columns[0] if columns else None

    def _problem(self, row: Row, column: int | None, message: str) -> Problem:
        caption = "" if column is None else self.table.captions[column]
        return Problem(Origin(row.sheet, row.number, caption), message)

    def _warn(self, row: Row, column: int | None, message: str) -> None:
        self.warnings.append(self._problem(row, column, message))

    # --- what the row states ----------------------------------------------------------------------

    def _record(self, row: Row, number: str) -> PupilRecord:
        texts = self._texts(row)
        address = " ".join(row.cells[at] for at in self._columns.get(Role.ADDRESS, []))
        stated = self._consents.read(row)
        if stated.halved:
            self.halved.append(row.number)
        return PupilRecord(
            admission_number=number,
            origin=Origin(row.sheet, row.number),
            upn=self._upn(row),
            date_of_birth=self._date(row, Role.DATE_OF_BIRTH),
            address_key=address_key(texts["surname"] or "", address) or None,
            consents=refused(stated.consents) if row.refused_by else stated.consents,
            biometric_objection=stated.objection,
            never_publish=stated.never,
            left_on=self._date(row, Role.LEFT_ON),
            has_left=self._has_left(row),
            said_on=self._consents.dates.said_on(row, stated.consents),
            said_by=tuple(row.cells[at] for at in self._beside),
            not_understood=frozenset(stated.not_understood),
            lookup_errors=frozenset(stated.lookup_errors),
            **texts,
        )

    def _texts(self, row: Row) -> dict[str, str | None]:
        """The fields of the row that are texts, such as names and class."""
        texts = {name: self._first(row, role)[0] or None for name, role in _TEXTS.items()}
        _fill_names(texts, self._first(row, Role.DISPLAY_NAME)[0])
        if texts["year"]:
            texts["year"] = read_year(texts["year"])
        return texts

    def _has_left(self, row: Row) -> bool:
        flagged = any(
            self.understanding.read_answer(row.cells[at]) is Answer.GIVEN
            for at in self._columns.get(Role.LEAVER, [])
        )
        status = any(is_off_roll(row.cells[at]) for at in self._columns.get(Role.ROLL_STATUS, []))
        return flagged or status

    def _upn(self, row: Row) -> str | None:
        text, at = self._first(row, Role.UPN)
        upn = read_upn(text)
        if upn and not upn_is_sound(upn):
            self._warn(row, at, ODD_UPN)
        return upn or None

    def _date(self, row: Row, role: Role) -> date | None:
        text, at = self._first(row, role)
        day = (
            read_date_in(text, self._consents.dates.date_order(at))
            if text and at is not None
            else None
        )
        if text and day is None and read_answer(text) is not Answer.NOT_STATED:
            self._warn(row, at, ODD_DATE)
        return day


def name_of(forename: str | None, surname: str | None) -> tuple[str, str]:
    """The name by which rows of one pupil are compared."""
    return (forename or "").casefold(), (surname or "").casefold()


def _fill_names(texts: dict[str, str | None], display: str) -> None:
    """Fill a missing forename or surname from the preferred names or the display name.

    A display name is read as "Surname, Forename" or as "Forename Surname".
    """
    texts["forename"] = texts["forename"] or texts["preferred_forename"]
    texts["surname"] = texts["surname"] or texts["preferred_surname"]
    if not display or (texts["forename"] and texts["surname"]):
        return
    if "," in display:
        surname, _, forename = display.partition(",")
    else:
        forename, _, surname = display.rpartition(" ")
    texts["forename"] = texts["forename"] or forename.strip() or None
    texts["surname"] = texts["surname"] or surname.strip() or None
