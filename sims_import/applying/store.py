"""Writes the changes of an import into the database."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from consent_gate.db.bulk import write_rows
from consent_gate.db.models import (
    ConsentAnswer,
    ImportRun,
    Item,
    NeverPublishLift,
    PupilChange,
    PupilEntry,
    SuspendedPurpose,
)
from consent_gate.decisions.pupil_references import renumber_in_pictures
from consent_gate.home.home import Home
from consent_gate.model import Answer, Consent
from consent_gate.register.sibling_lists import load_families
from consent_gate.register.snapshot import TEXT_FIELDS, RegisterPupil
from consent_gate.register.snapshot_loader import column_of
from consent_gate.register.templates import renumber_templates
from sims_import.applying.replaced import decide_again, start_afresh
from sims_import.planning.change_json import as_json
from sims_import.planning.siblings import sibling_links
from sims_import.reconcile import Change, ChangeKind
from sims_import.roster.records import PupilRecord

_CONSENT_KINDS = (
    ChangeKind.GRANTED,
    ChangeKind.REDATED,
    ChangeKind.SHORTENED,
    ChangeKind.EXPIRED,
    ChangeKind.REFUSED,
    ChangeKind.WITHDRAWN,
)
"""Kinds of change that set the answer to a purpose."""
_BATCH = 500
"""Values in one query. Older versions of SQLite accept at most 999."""

Row = TypeVar("Row")


def apply_changes(
    home: Home, changes: Collection[Change], records: Mapping[str, PupilRecord], run: ImportRun
) -> set[str]:
    """Write the changes, and link the siblings anew. Call inside a transaction.

    Args:
        home: The school's home.
        changes: What to write; the changes of one pupil in the order in which they apply.
        records: The export's records by admission number, for the identity of new pupils.
        run: The import that the changes belong to.

    Returns:
        Admission numbers of all pupils in a family that gained or lost a pupil.
    """
    by_pupil: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        by_pupil[change.pupil].append(change)
    entries = _entries_of(by_pupil)
    answers: dict[tuple[str, str], Consent] = {}
    new, known, pictures = [], [], list[Item]()
    for number, its_changes in by_pupil.items():
        if its_changes[0].kind is ChangeKind.ADDED:
            entries[number] = _new_entry(records[number])
            new.append(entries[number])
        else:
            entry = entries[number] = entries[_old_number(its_changes)]
            known.append(entry)
        for change in its_changes:
            if change.kind in _CONSENT_KINDS:
                after = change.after if isinstance(change.after, Consent) else None
                answers[number, change.subject] = after or Consent(Answer.NOT_STATED)
            elif change.kind is ChangeKind.REPLACED:
                pictures += start_afresh(home, entries[number], records[number], run)
                entries[number].never_publish |= change.after is True
            else:
                _change_entry(home, entries[number], change, run)
    families = _link_siblings(home, [*new, *known])
    _write_entries(new, known, run)
    readmitted = [
        entries[number].pk
        for number, its_changes in by_pupil.items()
        if any(change.kind is ChangeKind.READMITTED for change in its_changes)
    ]
    for batch in _batches(readmitted):
        ConsentAnswer.objects.filter(pupil__in=batch).delete()
    _write_answers(answers, entries, run)
    _write_history(by_pupil, entries, run)
    decide_again(home, pictures, run)
    return families


def _entries_of(by_pupil: Mapping[str, list[Change]]) -> dict[str, PupilEntry]:
    """Rows of the pupils that change, by their admission number before the import."""
    numbers = [
        _old_number(changes)
        for changes in by_pupil.values()
        if changes[0].kind is not ChangeKind.ADDED
    ]
    return {
        entry.admission_number: entry
        for batch in _batches(numbers)
        for entry in PupilEntry.objects.filter(admission_number__in=batch)
    }


def _old_number(changes: list[Change]) -> str:
    """The admission number before the import, from all changes of one pupil."""
    before = [str(c.before) for c in changes if c.kind is ChangeKind.RENUMBERED]
    return before[0] if before else changes[0].pupil


def _new_entry(record: PupilRecord) -> PupilEntry:
    return PupilEntry(
        admission_number=record.admission_number,
        date_of_birth=record.date_of_birth,
        **{column_of(name): getattr(record, name) or "" for name in TEXT_FIELDS},
    )


def _change_entry(home: Home, entry: PupilEntry, change: Change, run: ImportRun) -> None:
    values: dict[ChangeKind, tuple[str, Any]] = {
        ChangeKind.READMITTED: ("on_roll", True),
        ChangeKind.LEFT: ("on_roll", False),
        ChangeKind.OBJECTED: ("biometric_objection", True),
        ChangeKind.OBJECTION_LIFTED: ("biometric_objection", False),
        ChangeKind.MARKED: ("never_publish", True),
        ChangeKind.FIELD: (column_of(change.subject), change.after),
    }
    if change.kind in values:
        name, value = values[change.kind]
        setattr(entry, name, value)
    if change.kind is ChangeKind.LIFT_ASKED:
        NeverPublishLift.objects.create(
            pupil=entry, asked_by=run.actor, asked_at=run.created_at, import_run=run
        )
    if change.kind is ChangeKind.LIFT_ENDED:
        NeverPublishLift.objects.filter(pupil=entry).delete()
    if change.kind is ChangeKind.RENUMBERED:
        renumber_templates(home, entry, change.pupil)
        renumber_in_pictures(entry.admission_number, change.pupil)
        entry.former_numbers = [*entry.former_numbers, entry.admission_number]
        entry.admission_number = change.pupil
        entry.save(update_fields=["former_numbers", "admission_number"])


def _write_entries(new: list[PupilEntry], known: list[PupilEntry], run: ImportRun) -> None:
    for entry in (*new, *known):
        entry.last_import_id = run.pk
    names = [f.name for f in PupilEntry._meta.concrete_fields if not f.primary_key]
    write_rows(PupilEntry, names, (_row(entry, names) for entry in new))
    write_rows(PupilEntry, ["id", *names], (_row(e, ["id", *names]) for e in known), ["id"])
    keys = PupilEntry.objects.filter(last_import=run).values_list("admission_number", "pk")
    by_number = dict(keys.iterator())
    for entry in new:
        entry.pk = by_number[entry.admission_number]


def _row(entry: PupilEntry, names: list[str]) -> list[Any]:
    """The entry's values as the database stores them, in the order of ``names``."""
    values = {**vars(entry), "last_import": entry.last_import_id}
    return [json.dumps(v) if isinstance(v := values[name], list) else v for name in names]


def _write_answers(
    answers: Mapping[tuple[str, str], Consent], entries: Mapping[str, PupilEntry], run: ImportRun
) -> None:
    write_rows(
        ConsentAnswer,
        ("pupil", "purpose", "answer", "given_on", "expires_on", "source"),
        (
            (entries[n].pk, purpose, c.answer.value, c.given_on, c.expires_on, run.pk)
            for (n, purpose), c in answers.items()
        ),
        unique=("pupil", "purpose"),
    )


def _write_history(
    by_pupil: Mapping[str, list[Change]], entries: Mapping[str, PupilEntry], run: ImportRun
) -> None:
    write_rows(
        PupilChange,
        ("run", "pupil", "changes"),
        (
            (run.pk, entries[number].pk, json.dumps(list(map(as_json, changes))))
            for number, changes in by_pupil.items()
        ),
    )


def _link_siblings(home: Home, changed: Iterable[PupilEntry]) -> set[str]:
    """Set the family group of every pupil from family keys, addresses and the school's list.

    This function sets the group of the rows in ``changed`` without saving them, and saves all
    others. Returns the admission numbers of all pupils in a family that gained or lost a pupil.
    """
    unsaved = {entry.admission_number: entry for entry in changed}
    stored = list(
        PupilEntry.objects.values_list(
            "admission_number", "family_key", "address_key", "family_group", "former_numbers"
        )
    )
    keys = {number: (family, address) for number, family, address, _, _ in stored}
    groups = {number: group for number, _, _, group, _ in stored}
    current = {old: number for number, _, _, _, former in stored for old in former}
    # A former number that another pupil has today means that pupil.
    current |= {number: number for number in keys}
    keys |= {number: (entry.family_key, entry.address_key) for number, entry in unsaved.items()}
    current |= {number: number for number in unsaved}
    own_list = [[current[n] for n in family if n in current] for family in load_families(home)]
    links = sibling_links(
        (
            RegisterPupil(number, family_key=family, address_key=address)
            for number, (family, address) in keys.items()
        ),
        own_list,
    )
    new_groups = {number: _group(number, links) for number in keys}
    moved = [number for number in keys if new_groups[number] != groups.get(number, "")]
    for number, entry in unsaved.items():
        entry.family_group = new_groups[number]
    to_save = defaultdict(list)
    for number in moved:
        if number not in unsaved:
            to_save[new_groups[number]].append(number)
    for group, numbers in to_save.items():
        for batch in _batches(numbers):
            PupilEntry.objects.filter(admission_number__in=batch).update(family_group=group)
    touched = {groups.get(n, "") for n in moved} | {new_groups[n] for n in moved}
    touched.discard("")
    return {n for n in keys if groups.get(n) in touched or new_groups[n] in touched}


def link_siblings(home: Home) -> set[str]:
    """Link the siblings anew after a pupil was deleted or the school's list has changed.

    Call inside a transaction. Returns the admission numbers of all pupils in a family that gained
    or lost a pupil.
    """
    return _link_siblings(home, [])


def _group(number: str, links: Mapping[str, frozenset[str]]) -> str:
    """The family's smallest admission number, which names its group; empty without siblings."""
    siblings = links.get(number, frozenset())
    return min(siblings | {number}) if siblings else ""


def end_guards_of_erased() -> set[str]:
    """End the guards for pupils who were erased. Call after an import of the whole school.

    It put the erased pupils who are still at the school on the register again. Returns the
    admission numbers of the pupils whose guard ended.
    """
    guarded = PupilEntry.objects.filter(erased_relative=True)
    numbers = set(guarded.values_list("admission_number", flat=True))
    guarded.update(erased_relative=False)
    return numbers


def suspend(purposes: frozenset[str], run: ImportRun) -> None:
    """Suspend exactly these purposes, and end the suspension of all others."""
    SuspendedPurpose.objects.exclude(purpose__in=purposes).delete()
    for purpose in purposes:
        SuspendedPurpose.objects.get_or_create(
            purpose=purpose, defaults={"since": run.created_at, "import_run": run}
        )


def _batches(items: Iterable[Row]) -> Iterator[list[Row]]:
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
