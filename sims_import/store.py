"""The register in the database, as the import sees and changes it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from consent_gate.bootstrap import Home
from consent_gate.db.models import (
    ConsentAnswer,
    ImportRun,
    PupilEntry,
    SuspendedPurpose,
)
from consent_gate.db.register_store import last_exported_on
from consent_gate.model import Answer, Consent
from sims_import.reconcile import Change, Kind, Plan
from sims_import.records import PupilRecord
from sims_import.register import RegisterPupil, RegisterSnapshot
from sims_import.siblings import sibling_links
from sims_import.templates import renumber_templates

_TEXT_FIELDS = (
    "upn",
    "forename",
    "surname",
    "preferred_forename",
    "preferred_surname",
    "reg_group",
    "family_key",
    "address_key",
)
_COLUMN_OF = {"year": "year_group"}
"""Where the register's column is called otherwise than the record's field."""
_GIVEN = (Kind.GRANTED, Kind.REDATED, Kind.SHORTENED, Kind.EXPIRED, Kind.REFUSED, Kind.WITHDRAWN)


def load_snapshot() -> RegisterSnapshot:
    """The whole register, leavers included."""
    consents: dict[int, dict[str, Consent]] = defaultdict(dict)
    for row in ConsentAnswer.objects.all():
        answer = Consent(Answer(row.answer), row.given_on, row.expires_on)
        consents[row.pupil_id][row.purpose] = answer
    return RegisterSnapshot(
        pupils={
            entry.admission_number: _pupil(entry, consents.get(entry.pk, {}))
            for entry in PupilEntry.objects.order_by("pk")
        },
        exported_on=last_exported_on(),
        suspended=frozenset(SuspendedPurpose.objects.values_list("purpose", flat=True)),
    )


def _pupil(entry: PupilEntry, consents: dict[str, Consent]) -> RegisterPupil:
    return RegisterPupil(
        admission_number=entry.admission_number,
        year=entry.year_group,
        date_of_birth=entry.date_of_birth,
        consents=consents,
        biometric_objection=entry.biometric_objection,
        never_publish=entry.never_publish,
        on_roll=entry.on_roll,
        **{name: getattr(entry, name) for name in _TEXT_FIELDS},
    )


def apply_changes(home: Home, changes: tuple[Change, ...], plan: Plan, run: ImportRun) -> None:
    """Write the changes, in the plan's order. Call inside a transaction."""
    pupils = {entry.admission_number: entry for entry in PupilEntry.objects.all()}
    touched: dict[str, PupilEntry] = {}
    answers: dict[tuple[str, str], Consent] = {}
    for change in changes:
        if change.kind is Kind.ADDED:
            pupils[change.pupil] = _new_entry(plan.records[change.pupil])
            pupils[change.pupil].save()
        elif change.kind is Kind.RENUMBERED:
            pupils[change.pupil] = pupils.pop(str(change.before))
            renumber_templates(home, pupils[change.pupil], change.pupil)
        entry = pupils[change.pupil]
        touched[change.pupil] = entry
        if change.kind in _GIVEN:
            after = change.after if isinstance(change.after, Consent) else None
            answers[change.pupil, change.subject] = after or Consent(Answer.NOT_STATED)
        else:
            _change_entry(entry, change)
        if change.kind is Kind.READMITTED:
            ConsentAnswer.objects.filter(pupil=entry).delete()
    for entry in touched.values():
        entry.last_import = run
        entry.save()
    _write_answers(answers, pupils, run)


def _new_entry(record: PupilRecord) -> PupilEntry:
    entry = PupilEntry(
        admission_number=record.admission_number,
        date_of_birth=record.date_of_birth,
        year_group=record.year or "",
    )
    for name in _TEXT_FIELDS:
        setattr(entry, name, getattr(record, name) or "")
    return entry


def _change_entry(entry: PupilEntry, change: Change) -> None:
    values: dict[Kind, tuple[str, Any]] = {
        Kind.RENUMBERED: ("admission_number", change.pupil),
        Kind.READMITTED: ("on_roll", True),
        Kind.LEFT: ("on_roll", False),
        Kind.OBJECTED: ("biometric_objection", True),
        Kind.OBJECTION_LIFTED: ("biometric_objection", False),
        Kind.MARKED: ("never_publish", True),
        Kind.MARKER_LIFTED: ("never_publish", False),
        Kind.FIELD: (_COLUMN_OF.get(change.subject, change.subject), change.after),
    }
    if change.kind in values:
        name, value = values[change.kind]
        setattr(entry, name, value)
    if change.kind is Kind.RENUMBERED:
        entry.former_numbers = [*entry.former_numbers, str(change.before)]


def _write_answers(
    answers: dict[tuple[str, str], Consent], pupils: dict[str, PupilEntry], run: ImportRun
) -> None:
    rows = [
        ConsentAnswer(
            pupil=pupils[number],
            purpose=purpose,
            answer=consent.answer,
            given_on=consent.given_on,
            expires_on=consent.expires_on,
            source=run,
        )
        for (number, purpose), consent in answers.items()
    ]
    ConsentAnswer.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["pupil", "purpose"],
        update_fields=["answer", "given_on", "expires_on", "source"],
        batch_size=500,
    )


def link_siblings() -> None:
    """Work out who are brothers and sisters, from family keys and addresses."""
    links = sibling_links(load_snapshot().pupils.values())
    changed = []
    for entry in PupilEntry.objects.all():
        siblings = links.get(entry.admission_number, frozenset())
        group = min(siblings | {entry.admission_number}) if siblings else ""
        if entry.family_group != group:
            entry.family_group = group
            changed.append(entry)
    PupilEntry.objects.bulk_update(changed, ["family_group"], batch_size=500)


def suspend(purposes: frozenset[str], run: ImportRun) -> None:
    """Make these, and only these, the suspended purposes."""
    SuspendedPurpose.objects.exclude(purpose__in=purposes).delete()
    for purpose in purposes:
        SuspendedPurpose.objects.get_or_create(
            purpose=purpose, defaults={"since": run.at, "import_run": run}
        )
