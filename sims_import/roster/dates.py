"""Reads the dates in one row: when consents were given, and when they end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date

from consent_gate.model import Answer, Consent
from sims_import.mapping.columns import values
from sims_import.mapping.understand import ColumnMapping
from sims_import.readers.interface import Row, Table
from sims_import.roster.records import SaidOn
from sims_import.text.values import (
    DateOrder,
    date_order,
    has_no_end,
    is_uncertain,
    read_answer,
    read_date_in,
)
from sims_import.text.vocabulary import Meaning, Role

ODD_DATE = "This is not a date we can read; it is passed over."
ODD_EXPIRY = "This is not a date we can read; the consent counts as not stated."

_DATED = (Role.GIVEN_ON, Role.EXPIRES_ON)
_WITH_DATES = (*_DATED, Role.DATE_OF_BIRTH, Role.LEFT_ON)

Warn = Callable[[Row, int | None, str], None]
"""Collects a problem: the row, the index of the column (None for the whole row), the message."""


class DateReader:
    """Reads the dates of consents in the rows of one table."""

    def __init__(self, table: Table, understanding: ColumnMapping, warn: Warn) -> None:
        self.table = table
        self._warn = warn
        columns, of = understanding.columns, understanding.columns_for
        self._dates = [(at, columns[at]) for at in of(*_DATED)]
        self._refusals = [at for at in of(Role.REFUSAL) if columns[at] == Meaning(Role.REFUSAL)]
        self._orders = _date_orders(table, of(*_WITH_DATES))
        self._row_dates = [at for at, m in self._dates if m == Meaning(Role.GIVEN_ON)]

    def unsure_dates(self, today: date) -> Iterator[str]:
        """Captions of expiry dates that have passed in only one order of day and month."""
        for at, meaning in self._dates:
            if (
                meaning.role is not Role.EXPIRES_ON
                or self.date_order(at) is not DateOrder.UNDECIDED
            ):
                continue
            for text in values(self.table, at):
                day = read_date_in(text, DateOrder.DAY_FIRST)
                other = read_date_in(text, DateOrder.MONTH_FIRST)
                if day and other and (day < today) is not (other < today):
                    yield self.table.captions[at]
                    break

    def said_on(self, row: Row, consents: dict[str, Consent]) -> dict[str, SaidOn]:
        """The latest day in the row that dates all its consents, for each of them."""
        filled = [at for at in (*self._row_dates, *self._refusals) if row.cells[at]]
        days = [self._readings(row.cells[at], self.date_order(at)) for at in filled]
        known = [day for day in days if day is not None]
        if not known or len(known) < len(filled):
            return {}
        latest = (max(first for first, _ in known), max(second for _, second in known))
        return dict.fromkeys(consents, latest)

    def date_order(self, column: int) -> DateOrder:
        """The order of day and month in a column."""
        return self._orders.get(column, DateOrder.DAY_FIRST)

    def lacks_date(self, row: Row) -> bool:
        """Whether there are columns for the date of the whole row, and all are empty."""
        return bool(self._row_dates) and not any(row.cells[at] for at in self._row_dates)

    @staticmethod
    def _readings(text: str, order: DateOrder) -> SaidOn | None:
        """Both readings of a date. They differ only if nothing decides the order of the column."""
        day = read_date_in(text, order)
        other = read_date_in(text, DateOrder.MONTH_FIRST) if order is DateOrder.UNDECIDED else day
        return (day, other) if day and other else None

    def with_dates(
        self, row: Row, stated: Mapping[str, Consent]
    ) -> tuple[dict[str, Consent], set[str]]:
        """Add the row's dates to the consents that were given.

        Args:
            row: The row.
            stated: The consents that the row states, by purpose, without dates.

        Returns:
            The consents with dates, and the purposes whose expiry date cannot be read.
        """
        consents, unread = dict(stated), set[str]()
        for at, meaning in self._dates:
            if not row.cells[at]:
                continue
            for name in meaning.purposes or tuple(consents):
                old = consents.get(name)
                if old is None or old.answer is not Answer.GIVEN:
                    continue
                consents[name] = self._with_date(row, at, meaning.role, old)
                if consents[name].answer is not Answer.GIVEN:
                    unread.add(name)
        return consents, unread

    def _with_date(self, row: Row, column: int, role: Role, old: Consent) -> Consent:
        """``old`` with the date in a cell; *not stated* if an expiry date is unreadable."""
        text = row.cells[column]
        blank = read_answer(text) is Answer.NOT_STATED and not is_uncertain(text)
        if role is Role.GIVEN_ON:
            day = read_date_in(text, self.date_order(column))
            if day is None and not blank:
                self._warn(row, column, ODD_DATE)
            return Consent(old.answer, day or old.given_on, old.expires_on)
        if blank or has_no_end(text):
            return old
        day = read_date_in(text, self.date_order(column))
        if day is None:
            self._warn(row, column, ODD_EXPIRY)
            return Consent(Answer.NOT_STATED)
        expiries = [d for d in (day, old.expires_on) if d is not None]
        return Consent(old.answer, old.given_on, min(expiries, default=None))


def _date_orders(table: Table, columns: Iterable[int]) -> dict[int, DateOrder]:
    """The order of day and month in each column, from its own dates or else from the others."""
    orders = {at: date_order(values(table, at)) for at in columns}
    if not any(order is DateOrder.DAY_FIRST for order in orders.values()):
        return orders
    return {
        at: DateOrder.DAY_FIRST if order is DateOrder.UNDECIDED else order
        for at, order in orders.items()
    }
