"""Merges the rows of each pupil into one record; the stricter answer wins.

Several rows for one pupil are normal in some reports: they have one row per consent type, or a
cross product of several record sets. In other reports they are a mistake: the same pupil comes
twice with different answers. If cells list all types of a pupil, a type that one row lacks is a
contradiction. If each cell holds one type, the other types stand in other rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from typing import Any

from consent_gate.model import BIOMETRIC, Answer, Consent
from consent_gate.register.snapshot import TEXT_FIELDS
from sims_import.mapping.columns import values
from sims_import.mapping.understand import ColumnMapping, Shape
from sims_import.readers.interface import Table
from sims_import.roster.records import (
    Origin,
    Problem,
    PupilRecord,
    Roster,
    SaidOn,
    silenced,
    stricter,
)
from sims_import.roster.rows import RowReader, name_of
from sims_import.text.cells import split_types
from sims_import.text.vocabulary import Meaning, Role

_NOT_STATED = Consent(Answer.NOT_STATED)
_FIELDS = (*TEXT_FIELDS, "date_of_birth", "left_on")
CONFLICTING_IDENTITY = (
    "Another row has this admission number with another name or UPN: none of their consents count."
)
_SAME_NAME = 0.85
"""Smallest likeness of two names, from 0 to 1, that may be one name with a typing error."""
FIRST_ROWS = 5
"""How many rows a message names when it is about more."""


def read_roster(table: Table, understanding: ColumnMapping, today: date) -> Roster:
    """Read a table as one record per pupil.

    Args:
        table: The export's rows.
        understanding: What the columns, consent types and answers mean.
        today: A run date after this day is left out, with a warning.
    """
    reader = RowReader(table, understanding)
    cover = _ExportCoverage.of(table, understanding)
    warnings = [Problem(Origin("", 0), text) for text in (*table.warnings, *table.left_out)]
    merged: dict[str, PupilRecord] = {}
    disputed: set[str] = set()
    for record in reader.read():
        stated = cover.listed(record)
        old = merged.get(record.admission_number)
        if old is None:
            merged[record.admission_number] = stated
        else:
            warnings += _contradictions(old, stated)
            if _conflicting_identity(old, stated):
                disputed.add(old.admission_number)
                warnings.append(Problem(stated.origin, CONFLICTING_IDENTITY))
            merged[record.admission_number] = _merge(old, stated)
    exported_on = table.run_on
    if exported_on is not None and exported_on > today:
        warnings.append(Problem(Origin("", 0), "The export's run date lies in the future."))
        exported_on = None
    return Roster(
        records=tuple(
            cover.filled(silenced(record) if number in disputed else record)
            for number, record in merged.items()
        ),
        purposes=cover.purposes,
        expiring=cover.expiring,
        exported_on=exported_on,
        complete=table.complete,
        errors=shorten(reader.errors),
        warnings=shorten([*warnings, *reader.left_out, *reader.warnings]),
        unsure_dates=tuple(reader.unsure_dates(today)),
        ragged=tuple(reader.ragged),
        unnumbered=tuple(_same_names(reader, merged.values())),
        unplaced=tuple(reader.unplaced),
        halved=tuple(reader.halved),
    )


def _same_names(reader: RowReader, records: Iterable[PupilRecord]) -> Iterator[int]:
    """Rows without a number that have nearly the name of a pupil who is listed with one."""
    known = (name_of(r.forename, r.surname) for r in records if r.forename and r.surname)
    names = [" ".join(name) for name in known]
    for row, name in reader.unnumbered:
        if all(name) and get_close_matches(" ".join(name), names, 1, _SAME_NAME):
            yield row


@dataclass(frozen=True)
class _ExportCoverage:
    """What the export as a whole covers. A row that omits one of these states a blank."""

    purposes: frozenset[str]
    absent_is_blank: frozenset[str]
    """Purposes that are not stated in every row that does not name them."""
    expiring: frozenset[str]
    markers: frozenset[Role]
    """Those of ``objection`` and ``never_publish`` that the export has."""

    @staticmethod
    def of(table: Table, understanding: ColumnMapping) -> _ExportCoverage:
        every = frozenset({*understanding.vocabulary.names, BIOMETRIC})
        wide = _purposes(understanding.columns)
        typed = _purposes(understanding.types.values())
        lists = understanding.columns_for(Role.CONSENT_LIST)
        several = any(len(split_types(c)) > 1 for column in lists for c in values(table, column))
        covered = wide | (every if understanding.shape is Shape.CELL else typed)
        expiry = [m for m in understanding.columns if m.role is Role.EXPIRES_ON]
        return _ExportCoverage(
            purposes=covered,
            absent_is_blank=(every - wide) if several else frozenset(),
            expiring=frozenset(
                name for meaning in expiry for name in (meaning.purposes or covered)
            ),
            markers=frozenset(
                m.role
                for m in (*understanding.columns, *understanding.types.values())
                if m.role in {Role.OBJECTION, Role.NEVER_PUBLISH}
            ),
        )

    def listed(self, record: PupilRecord) -> PupilRecord:
        """One row's record, with *not stated* for each purpose that its list of types omits."""
        absent = self.absent_is_blank - record.consents.keys()
        return _with_blanks(record, absent) if absent else record

    def filled(self, record: PupilRecord) -> PupilRecord:
        """A pupil's record, with *not stated* for each covered purpose that no row names."""
        absent = self.purposes - record.consents.keys()
        record = _with_blanks(record, absent) if absent else record
        if Role.OBJECTION in self.markers and record.biometric_objection is None:
            record = replace(record, biometric_objection=False)
        if Role.NEVER_PUBLISH in self.markers and record.never_publish is None:
            record = replace(record, never_publish=False)
        return record


def _with_blanks(record: PupilRecord, names: Iterable[str]) -> PupilRecord:
    return replace(record, consents={**record.consents, **dict.fromkeys(names, _NOT_STATED)})


def _purposes(meanings: Iterable[Meaning]) -> frozenset[str]:
    """The purposes that can be granted; a refusal column alone covers none."""
    return frozenset(n for m in meanings if m.role is Role.CONSENT for n in m.purposes)


def _merge(old: PupilRecord, new: PupilRecord) -> PupilRecord:
    consents = dict(old.consents)
    for name, consent in new.consents.items():
        consents[name] = _later_or_stricter(old, new, name) if name in consents else consent
    fields: dict[str, Any] = {
        name: value
        for name in _FIELDS
        if getattr(old, name) is None and (value := getattr(new, name)) is not None
    }
    return replace(
        old,
        consents=consents,
        biometric_objection=_either(old.biometric_objection, new.biometric_objection),
        never_publish=_either(old.never_publish, new.never_publish),
        has_left=old.has_left and new.has_left,
        said_on=_said_on(old, new),
        not_understood=old.not_understood | new.not_understood,
        lookup_errors=old.lookup_errors | new.lookup_errors,
        **fields,
    )


def _later_or_stricter(old: PupilRecord, new: PupilRecord, name: str) -> Consent:
    """The later answer if one person gave both and the file dates both; else the stricter one.

    If the order of day and month is uncertain, an answer is later only if it is later in both
    readings.
    """
    before, after = old.said_on.get(name), new.said_on.get(name)
    if before is not None and after is not None and old.said_by == new.said_by:
        if all(b < a for b, a in zip(before, after, strict=True)):
            return new.consents[name]
        if all(b > a for b, a in zip(before, after, strict=True)):
            return old.consents[name]
    return stricter(old.consents[name], new.consents[name])


def _said_on(old: PupilRecord, new: PupilRecord) -> dict[str, SaidOn]:
    """The days of the answers of two merged rows, by purpose; none where one is undated."""
    dated = {}
    for name in {**old.said_on, **new.said_on}:
        days = [r.said_on.get(name) for r in (old, new) if name in r.consents]
        known = [day for day in days if day is not None]
        if len(known) == len(days):
            dated[name] = (max(first for first, _ in known), max(last for _, last in known))
    return dated


def _either(old: bool | None, new: bool | None) -> bool | None:
    """True if either is True; None if both are None."""
    return None if old is None and new is None else bool(old) or bool(new)


def _contradictions(old: PupilRecord, new: PupilRecord) -> list[Problem]:
    """Warnings for purposes with different answers in two rows that are not both dated."""
    return [
        Problem(
            new.origin,
            f"Row {old.origin.row} answers otherwise for {name} and the same pupil: "
            "the stricter answer is used.",
        )
        for name, consent in new.consents.items()
        if name in old.consents
        and old.consents[name].answer is not consent.answer
        and not (name in old.said_on and name in new.said_on)
    ]


def _conflicting_identity(old: PupilRecord, new: PupilRecord) -> bool:
    """Whether two rows with one admission number differ in UPN or in the whole name."""
    upns = old.upn and new.upn and old.upn != new.upn
    names = _known_and_differ(old.forename, new.forename) and _known_and_differ(
        old.surname, new.surname
    )
    return bool(upns or names)


def _known_and_differ(old: str | None, new: str | None) -> bool:
    return bool(old and new and old != new)


def shorten(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Join equal problems in one column into one, with their number and the first rows."""
    alike: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        kind = (problem.origin.sheet, problem.origin.column, problem.message)
        alike.setdefault(kind, []).append(problem)
    return tuple(_counted(same) for same in alike.values())


def _counted(same: list[Problem]) -> Problem:
    first = same[0]
    if len(same) == 1:
        return first
    rows = ", ".join(str(problem.origin.row) for problem in same[:FIRST_ROWS])
    more = "" if len(same) <= FIRST_ROWS else " and more"
    return Problem(first.origin, f"{first.message} ({len(same)} times: rows {rows}{more}.)")
