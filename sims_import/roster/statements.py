"""Reads the consents that one row states. The stricter of two answers wins."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from consent_gate.model import BIOMETRIC, Answer, Consent
from sims_import.mapping.understand import ColumnMapping
from sims_import.readers.interface import Row, Table
from sims_import.roster.dates import DateReader, Warn
from sims_import.roster.records import stricter
from sims_import.text.cells import meaning_of_piece, pieces_in, settled
from sims_import.text.consent_words import PARENT_WORDS
from sims_import.text.odd_captions import without_numbered_parents
from sims_import.text.values import (
    is_lookup_error,
    is_uncertain,
    read_date,
)
from sims_import.text.vocabulary import Meaning, Role
from sims_import.text.words import key, words

ODD_ANSWER = "This is not an answer we know; it counts as not stated."
ODD_REFUSAL = "This is not an answer we know; it counts as a refusal."
ODD_MARKER = "This is not an answer we know; it counts as a yes, to be safe."

_TYPED = (Role.CONSENT_LIST, Role.CONSENT_TYPE)
_ANSWERED = (
    Role.CONSENT,
    Role.REFUSAL,
    Role.GENERAL,
    Role.OBJECTION,
    Role.NEVER_PUBLISH,
)
_HALF = {Answer.GIVEN, Answer.NOT_STATED}
_AS_TEXT = {Answer.GIVEN: "yes", Answer.REFUSED: "no", Answer.NOT_STATED: ""}


@dataclass
class RowStatements:
    """The consents and markers read from a row so far. The stricter of two statements stays."""

    consents: dict[str, Consent] = field(default_factory=dict)
    objection: bool | None = None
    never: bool | None = None
    not_understood: set[str] = field(default_factory=set)
    lookup_errors: set[str] = field(default_factory=set)
    halved: bool = False
    """Whether one column says yes to a use for which another column is blank."""

    @property
    def says_no(self) -> bool:
        """Whether anything is refused or was not understood."""
        refused_any = any(c.answer is Answer.REFUSED for c in self.consents.values())
        return bool(refused_any or self.not_understood or self.objection or self.never)

    def add(self, purposes: Iterable[str], answer: Answer) -> None:
        """Add an answer to each of these purposes."""
        for name in purposes:
            new = Consent(answer)
            old = self.consents.get(name)
            self.halved |= old is not None and {old.answer, answer} == _HALF
            self.consents[name] = stricter(old, new) if old else new

    def mark(self, role: Role, *, yes: bool) -> None:
        """Add the state of an objection or a never-publish marker."""
        if role is Role.OBJECTION:
            self.objection = yes or bool(self.objection)
        else:
            self.never = yes or bool(self.never)


class ConsentReader:
    """Reads the consents that the rows of one table state."""

    def __init__(self, table: Table, understanding: ColumnMapping, warn: Warn) -> None:
        self.table = table
        self.understanding = understanding
        self._warn = warn
        self._names = understanding.vocabulary.names
        of = understanding.columns_for
        self._typed = [(at, understanding.columns[at].role) for at in of(*_TYPED)]
        self._answered = [(at, understanding.columns[at]) for at in of(*_ANSWERED)]
        self.dates = DateReader(table, understanding, warn)
        self._answers: list[int | None] = [*of(Role.CONSENT_ANSWER)] or [None]
        self._parent_columns = {at for at, _ in self._answered if self._names_a_parent(at)}
        self._has_type_rows = bool(of(Role.CONSENT_TYPE))

    def read(self, row: Row) -> RowStatements:
        """Consents, objection and never-publish marker as this row states them."""
        stated = RowStatements()
        for at, role in self._typed:
            self._read_types(row, at, role, stated)
        for at, meaning in self._answered:
            if meaning.role is not Role.REFUSAL or meaning.purposes:
                self._read_column(row, at, meaning, stated)
        # Refusals without a purpose come last. In a row of one type they refuse only that type.
        for at, meaning in self._answered:
            if meaning.role is Role.REFUSAL and not meaning.purposes:
                self._read_column(row, at, meaning, stated)
        stated.consents, unread = self.dates.with_dates(row, stated.consents)
        stated.not_understood |= unread
        return stated

    def _names_a_parent(self, column: int) -> bool:
        """Whether each of several columns with the same meaning is the answer of one parent."""
        meaning = self.understanding.columns[column]
        same = [at for at, other in self._answered if other == meaning]
        return len(same) > 1 and all(_is_of_a_parent(self.table.captions[at]) for at in same)

    def _read_column(self, row: Row, at: int, meaning: Meaning, stated: RowStatements) -> None:
        if (
            not row.cells[at]
            and at in self._parent_columns
            and self._other_parent_answered(row, at, meaning)
        ):
            return
        self._add_answer(row, at, meaning, row.cells[at], stated)

    def _other_parent_answered(self, row: Row, column: int, meaning: Meaning) -> bool:
        """Whether another parent has answered the same question in this row."""
        return any(
            row.cells[at] for at, other in self._answered if other == meaning and at != column
        )

    def _read_types(self, row: Row, column: int, role: Role, stated: RowStatements) -> None:
        for piece in pieces_in(row.cells[column], role):
            meaning = self.understanding.types.get(key(piece.text))
            if meaning is None or meaning.role not in _ANSWERED:
                continue
            answer = settled(piece, self.understanding.mapping.answers)
            if answer is Answer.GIVEN and self._lacks_date(row):
                answer = Answer.NOT_STATED
            if role is Role.CONSENT_TYPE:
                for at in self._answers:
                    beside = "" if at is None else row.cells[at]
                    self._add_answer(row, at, meaning, beside, stated)
            if answer is None:
                self._add_unknown_answer(row, column, meaning, stated)
            elif role is Role.CONSENT_LIST or answer is not Answer.GIVEN:
                self._add_answer(row, column, meaning, _AS_TEXT[answer], stated)

    def _lacks_date(self, row: Row) -> bool:
        """Whether the row has no date of consent although dates stand in for the answers.

        Arbor also lists consents that were only requested. There "consentedDatetime" is the answer.
        """
        if self._answers != [None]:
            return False
        return self.dates.lacks_date(row)

    def _add_unknown_answer(
        self, row: Row, column: int | None, meaning: Meaning, stated: RowStatements
    ) -> None:
        """Read an unknown answer: a consent is not stated; a refusal or marker counts as set."""
        if meaning.role is Role.CONSENT:
            self._warn(row, column, ODD_ANSWER)
            stated.not_understood |= set(meaning.purposes)
            stated.add(meaning.purposes, Answer.NOT_STATED)
        elif meaning.role in {Role.REFUSAL, Role.OBJECTION, Role.NEVER_PUBLISH}:
            self._add_answer(row, column, meaning, _AS_TEXT[Answer.GIVEN], stated)

    def _add_answer(
        self, row: Row, column: int | None, meaning: Meaning, text: str, stated: RowStatements
    ) -> None:
        """Add the answer ``text`` to what ``meaning`` names."""
        answer = self.understanding.read_answer(text)
        if meaning.role is Role.CONSENT:
            if is_lookup_error(text):
                stated.lookup_errors |= set(meaning.purposes)
            if answer is None:
                self._add_unknown_answer(row, column, meaning, stated)
            else:
                stated.add(meaning.purposes, answer)
        elif meaning.role is Role.GENERAL:
            # A yes to "Photograph" names no certain use. A no covers every use.
            if answer is Answer.REFUSED:
                stated.add(self._names, Answer.REFUSED)
        elif meaning.role is Role.REFUSAL:
            self._add_refusal(row, column, meaning, text, stated)
        else:
            if answer is None and read_date(text) is None:
                self._warn(row, column, ODD_MARKER)
            stated.mark(meaning.role, yes=_counts_as_yes(answer))

    def _add_refusal(
        self, row: Row, column: int | None, meaning: Meaning, text: str, stated: RowStatements
    ) -> None:
        """Any text but a blank or a plain no refuses. A list of types refuses only those types."""
        answer = self.understanding.read_answer(text)
        if not _counts_as_yes(answer) and not is_uncertain(text):
            return
        if answer is None and read_date(text) is None:
            named = self._named_purposes(text)
            if named:
                stated.add(named, Answer.REFUSED)
                return
            self._warn(row, column, ODD_REFUSAL)
        every = (*self._names, BIOMETRIC)
        whole = tuple(stated.consents) if self._has_type_rows and stated.consents else every
        stated.add(meaning.purposes or whole, Answer.REFUSED)

    def _named_purposes(self, text: str) -> list[str]:
        """The purposes that a list of refusals names; empty unless every entry is known."""
        meanings = [
            meaning_of_piece(piece.text, self.understanding.types, self.understanding.vocabulary)
            for piece in pieces_in(text, Role.CONSENT_LIST)
        ]
        if not all(meaning.role is Role.CONSENT for meaning in meanings):
            return []
        return [name for meaning in meanings for name in meaning.purposes]


def refused(consents: dict[str, Consent]) -> dict[str, Consent]:
    """The consents of a row below a heading that says no, where a yes means a refusal."""
    return {
        name: Consent(Answer.REFUSED) if consent.answer is Answer.GIVEN else consent
        for name, consent in consents.items()
    }


def _counts_as_yes(answer: Answer | None) -> bool:
    """Whether an answer sets a refusal, objection or marker: all but a blank and a plain no do."""
    return answer in {Answer.GIVEN, None}


def _is_of_a_parent(caption: str) -> bool:
    """Whether a caption names a parent, also as ``P1``."""
    return bool(set(words(caption)) & PARENT_WORDS) or without_numbered_parents(caption) != caption
