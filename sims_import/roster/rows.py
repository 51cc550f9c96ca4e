"""One row of an export as a record: each cell by its column's meaning, oddities noted.

A row's record holds only what that row states. ``merge`` makes one record per pupil of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

from consent_gate.model import Answer, Consent
from consent_gate.register.identifiers import read_admission_number, read_upn, upn_is_sound
from sims_import.mapping.understand import ColumnMapping
from sims_import.readers.interface import Row, Table
from sims_import.roster.records import Origin, Problem, PupilRecord, silenced, stricter
from sims_import.text.cells import split_answer, types_in
from sims_import.text.values import address_key, read_answer, read_date, read_year
from sims_import.text.vocabulary import Meaning, Role, key

NO_NUMBER = "This row has no admission number or UPN, so it was left out."
ODD_NUMBER = "This is not an admission number, so the row was left out."
UPN_AS_NUMBER = "No admission number: the pupil goes by the UPN until one is imported."
ODD_UPN = "The check letter of this UPN doesn't fit; please check it in the record system."
ODD_ANSWER = "This is not an answer we know; it counts as not stated."
ODD_REFUSAL = "This is not an answer we know; it counts as a refusal."
ODD_MARKER = "This is not an answer we know; it counts as a yes, to be safe."
RAGGED = "This row has more or fewer cells than the headings: none of its consents count."
ODD_DATE = "This is not a date we can read; it is passed over."
ODD_EXPIRY = "This is not a date we can read; the consent counts as not stated."

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
    """Reads the rows of one table; collects what it had to leave out or found odd."""

    table: Table
    understanding: ColumnMapping
    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._names = self.understanding.vocabulary.names
        by_role: dict[Role, list[int]] = {}
        for at, meaning in enumerate(self.understanding.columns):
            by_role.setdefault(meaning.role, []).append(at)
        for columns in by_role.values():
            # "Legal Forename" goes before "Forename", wherever the columns stand.
            columns.sort(key=lambda at: "legal" not in key(self.table.captions[at]))
        self._columns = by_role
        of = self.understanding.columns_for
        self._typed = [(at, self.understanding.columns[at].role) for at in of(*_TYPED)]
        self._answered = [(at, self.understanding.columns[at]) for at in of(*_ANSWERED)]
        self._dates = [(at, self.understanding.columns[at]) for at in of(*_DATED)]

    def read(self) -> Iterator[PupilRecord]:
        """One record for every row that says whose it is."""
        for row in self.table.rows:
            number = self._number(row)
            if number is not None:
                record = self._record(row, number)
                if row.ragged:
                    self.warnings.append(self._problem(row, None, RAGGED))
                yield silenced(record) if row.ragged else record

    # --- whose row it is -------------------------------------------------------------------

    def _number(self, row: Row) -> str | None:
        text, at = self._first(row, Role.ADMISSION_NUMBER)
        upn, upn_at = self._first(row, Role.UPN)
        if text:
            number = read_admission_number(text)
            if number is None:
                self.errors.append(self._problem(row, at, ODD_NUMBER))
            return number
        if not upn or not any(c.isdigit() for c in upn):
            self.errors.append(self._problem(row, at, NO_NUMBER))
            return None
        self.warnings.append(self._problem(row, upn_at, UPN_AS_NUMBER))
        return read_upn(upn)

    def _first(self, row: Row, role: Role) -> tuple[str, int | None]:
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

    # --- what it says ----------------------------------------------------------------------

    def _record(self, row: Row, number: str) -> PupilRecord:
        texts = {name: self._first(row, role)[0] or None for name, role in _TEXTS.items()}
        _fill_names(texts, self._first(row, Role.DISPLAY_NAME)[0])
        if texts["year"]:
            texts["year"] = read_year(texts["year"])
        address = " ".join(row.cells[at] for at in self._columns.get(Role.ADDRESS, []))
        consents, objection, never = self._statements(row)
        return PupilRecord(
            admission_number=number,
            origin=Origin(row.sheet, row.number),
            upn=self._upn(row),
            date_of_birth=self._date(row, Role.DATE_OF_BIRTH),
            address_key=address_key(texts["surname"] or "", address) or None,
            consents=self._dated(row, consents),
            biometric_objection=objection,
            never_publish=never,
            left_on=self._date(row, Role.LEFT_ON),
            **texts,
        )

    def _upn(self, row: Row) -> str | None:
        text, at = self._first(row, Role.UPN)
        upn = read_upn(text)
        if upn and not upn_is_sound(upn):
            self._warn(row, at, ODD_UPN)
        return upn or None

    def _date(self, row: Row, role: Role) -> date | None:
        text, at = self._first(row, role)
        day = read_date(text) if text else None
        if text and day is None and read_answer(text) is not Answer.NOT_STATED:
            self._warn(row, at, ODD_DATE)
        return day

    def _statements(self, row: Row) -> tuple[dict[str, Consent], bool | None, bool | None]:
        """Consents, objection and never-publish marker as this row states them."""
        statements = _RowStatements()
        for at, role in self._typed:
            self._types(row, at, role, statements)
        for at, meaning in self._answered:
            self._answer(row, at, meaning, row.cells[at], statements)
        return statements.consents, statements.objection, statements.never

    def _types(self, row: Row, column: int, role: Role, statements: _RowStatements) -> None:
        for piece in types_in(row.cells[column], role):
            text, answer = split_answer(piece)
            meaning = self.understanding.types.get(key(text))
            if meaning is None or meaning.role not in _ANSWERED:
                continue
            if role is Role.CONSENT_TYPE:
                beside, beside_at = self._first(row, Role.CONSENT_ANSWER)
                self._answer(row, beside_at, meaning, beside, statements)
            if role is Role.CONSENT_LIST or answer is not Answer.GIVEN:
                self._answer(row, column, meaning, _AS_TEXT[answer], statements)

    def _answer(
        self, row: Row, column: int | None, meaning: Meaning, text: str, statements: _RowStatements
    ) -> None:
        answer = read_answer(text)
        if meaning.role is Role.CONSENT:
            if answer is None:
                self._warn(row, column, ODD_ANSWER)
            statements.add(meaning.purposes, answer or Answer.NOT_STATED)
        elif meaning.role is Role.GENERAL:
            # A yes to "Photograph" covers no use for certain; a no covers them all.
            if answer is Answer.REFUSED:
                statements.add(self._names, Answer.REFUSED)
        elif meaning.role is Role.REFUSAL:
            if answer is None and read_date(text) is None:
                self._warn(row, column, ODD_REFUSAL)
            if _counts_as_yes(answer):
                statements.add(meaning.purposes or self._names, Answer.REFUSED)
        else:
            if answer is None and read_date(text) is None:
                self._warn(row, column, ODD_MARKER)
            statements.mark(meaning.role, yes=_counts_as_yes(answer))

    def _dated(self, row: Row, consents: dict[str, Consent]) -> dict[str, Consent]:
        """``consents`` with the row's dates for those that were given."""
        for at, meaning in self._dates:
            if not row.cells[at]:
                continue
            day = read_date(row.cells[at])
            for name in meaning.purposes or tuple(consents):
                old = consents.get(name)
                if old is None or old.answer is not Answer.GIVEN:
                    continue
                consents[name] = self._with_date(row, at, meaning.role, old, day)
        return consents

    def _with_date(
        self, row: Row, column: int, role: Role, old: Consent, day: date | None
    ) -> Consent:
        unread = day is None and read_answer(row.cells[column]) is not Answer.NOT_STATED
        if role is Role.GIVEN_ON:
            if unread:
                self._warn(row, column, ODD_DATE)
            return Consent(old.answer, day or old.given_on, old.expires_on)
        if unread:
            self._warn(row, column, ODD_EXPIRY)
            return Consent(Answer.NOT_STATED)
        expiries = [d for d in (day, old.expires_on) if d is not None]
        return Consent(old.answer, old.given_on, min(expiries, default=None))


_TYPED = (Role.CONSENT_LIST, Role.CONSENT_TYPE)
_DATED = (Role.GIVEN_ON, Role.EXPIRES_ON)
_ANSWERED = (
    Role.CONSENT,
    Role.REFUSAL,
    Role.GENERAL,
    Role.OBJECTION,
    Role.NEVER_PUBLISH,
)
_AS_TEXT = {Answer.GIVEN: "yes", Answer.REFUSED: "no", Answer.NOT_STATED: ""}


@dataclass
class _RowStatements:
    """What a row has stated so far; the stricter of two statements stays."""

    consents: dict[str, Consent] = field(default_factory=dict)
    objection: bool | None = None
    never: bool | None = None

    def add(self, purposes: Iterable[str], answer: Answer) -> None:
        for name in purposes:
            new = Consent(answer)
            old = self.consents.get(name)
            self.consents[name] = stricter(old, new) if old else new

    def mark(self, role: Role, *, yes: bool) -> None:
        if role is Role.OBJECTION:
            self.objection = yes or bool(self.objection)
        else:
            self.never = yes or bool(self.never)


def _counts_as_yes(answer: Answer | None) -> bool:
    """For refusals, objections and markers: whatever isn't a plain no or blank counts."""
    return answer in {Answer.GIVEN, None}


def _fill_names(texts: dict[str, str | None], display: str) -> None:
    """Forename and surname from the preferred ones, or from "Surname, Forename", if there are
    no columns for them."""
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
