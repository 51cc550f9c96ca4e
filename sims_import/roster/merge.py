"""One record per pupil: rows of the same pupil put together, the stricter answer winning.

Several rows a pupil are normal in some reports (one row per type, or several record sets in
one report, which give a cross product) and a mistake in others (the same pupil twice with
different answers). Where a cell lists all types of a pupil, a type that one row lacks is a
contradiction; where every cell holds one type, it is simply in another row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from consent_gate.model import BIOMETRIC, Answer, Consent
from consent_gate.register.snapshot import TEXT_FIELDS
from sims_import.mapping.columns import values
from sims_import.mapping.understand import ColumnMapping, Shape
from sims_import.readers.interface import Table
from sims_import.roster.records import Origin, Problem, PupilRecord, Roster, silenced, stricter
from sims_import.roster.rows import RowReader
from sims_import.text.cells import split_types
from sims_import.text.vocabulary import Meaning, Role

_NOT_STATED = Consent(Answer.NOT_STATED)
_FIELDS = (*TEXT_FIELDS, "date_of_birth", "left_on")
CONFLICTING_IDENTITY = (
    "Another row has this admission number with another name or UPN: none of their consents count."
)
MAX_ALIKE = 20
"""Problems of one kind in one column that are listed one by one; the rest are counted."""


def read_roster(table: Table, understanding: ColumnMapping, today: date) -> Roster:
    """Everything ``table`` says, one record per pupil, as ``understanding`` reads it."""
    reader = RowReader(table, understanding)
    cover = _ExportCoverage.of(table, understanding)
    warnings = [Problem(Origin("", 0), text) for text in table.warnings]
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
        errors=tuple(reader.errors),
        warnings=shorten([*warnings, *reader.warnings]),
    )


@dataclass(frozen=True)
class _ExportCoverage:
    """What the export as a whole speaks of, so that silence in one row can be told from it."""

    purposes: frozenset[str]
    absent_is_blank: frozenset[str]
    """Purposes that a row not naming them leaves not stated, row by row."""
    expiring: frozenset[str]
    markers: frozenset[Role]
    """``objection`` and ``never_publish``, where the export has them."""

    @staticmethod
    def of(table: Table, understanding: ColumnMapping) -> _ExportCoverage:
        every = frozenset({*understanding.vocabulary.names, BIOMETRIC})
        wide = _purposes(understanding.columns)
        typed = _purposes(understanding.types.values())
        lists = understanding.columns_for(Role.CONSENT_LIST)
        several = any(len(split_types(c)) > 1 for at in lists for c in values(table, at))
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
        """One row's record, with not stated for what the row's list of types leaves out."""
        absent = self.absent_is_blank - record.consents.keys()
        return _with_blanks(record, absent) if absent else record

    def filled(self, record: PupilRecord) -> PupilRecord:
        """``record`` with not stated for every covered purpose that none of its rows named."""
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
        consents[name] = stricter(consents[name], consent) if name in consents else consent
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
        **fields,
    )


def _either(old: bool | None, new: bool | None) -> bool | None:
    """Yes when either says yes; None when neither says anything."""
    return None if old is None and new is None else bool(old) or bool(new)


def _contradictions(old: PupilRecord, new: PupilRecord) -> list[Problem]:
    return [
        Problem(
            new.origin,
            f"Row {old.origin.row} answers otherwise for {name} and the same pupil: "
            "the stricter answer is used.",
        )
        for name, consent in new.consents.items()
        if name in old.consents and old.consents[name].answer is not consent.answer
    ]


def _conflicting_identity(old: PupilRecord, new: PupilRecord) -> bool:
    """Whether two rows with one admission number are about different children."""
    upns = old.upn and new.upn and old.upn != new.upn
    names = _known_and_differ(old.forename, new.forename) and _known_and_differ(
        old.surname, new.surname
    )
    return bool(upns or names)


def _known_and_differ(old: str | None, new: str | None) -> bool:
    return bool(old and new and old != new)


def shorten(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """``problems`` with no more than ``MAX_ALIKE`` of a kind in a column; the rest counted."""
    counts: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], Problem] = {}
    kept = []
    for problem in problems:
        kind = (problem.origin.column, problem.message)
        counts[kind] += 1
        last[kind] = problem
        if counts[kind] <= MAX_ALIKE:
            kept.append(problem)
    for kind, count in counts.items():
        if count > MAX_ALIKE:
            text = f"{kind[1]} (The same in {count - MAX_ALIKE} more rows.)"
            kept.append(Problem(last[kind].origin, text))
    return tuple(kept)
