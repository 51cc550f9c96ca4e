"""Reads the history of imports, and withdraws what an import granted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from consent_gate.db import audit_log
from consent_gate.db.models import (
    ConsentAnswer,
    ImportRun,
    NeverPublishLift,
    PupilChange,
    PupilEntry,
)
from consent_gate.decisions.redecide import redecide
from consent_gate.errors import ItemNotFound
from consent_gate.home.home import Home
from consent_gate.model import Answer, Consent
from consent_gate.register.sibling_lists import load_families, save_families
from consent_gate.register.templates import destroy_lost_templates
from publish.recall.withdraw import sync_folders
from sims_import.applying import store
from sims_import.planning.change_json import from_json
from sims_import.reconcile import Change, ChangeKind


@dataclass(frozen=True)
class UndoResult:
    """What ``undo_grants`` changed."""

    pupils: tuple[str, ...]
    """Admission numbers of the pupils who lost what the import had granted."""
    recalled: int
    """Pictures withdrawn."""


def find_run(number: int) -> ImportRun:
    """Return the import with this number.

    Raises:
        ItemNotFound: There is no such import.
    """
    run = ImportRun.objects.filter(pk=number).first()
    if run is None:
        raise ItemNotFound(f"There is no import {number}; 'consent-gate imports list' shows them.")
    return run


def changes_of(run: ImportRun) -> Iterator[Change]:
    """Yield the changes of an import, pupil by pupil, under today's admission numbers."""
    rows = PupilChange.objects.filter(run=run).order_by("pk").select_related("pupil")
    for row in rows.iterator():
        for stored in row.changes:
            yield from_json(row.pupil.admission_number, stored)


def changes_about(entry: PupilEntry) -> Iterator[tuple[ImportRun, Change]]:
    """Yield what each import changed about one pupil, oldest import first."""
    rows = PupilChange.objects.filter(pupil=entry).order_by("pk").select_related("run")
    for row in rows:
        for stored in row.changes:
            yield row.run, from_json(entry.admission_number, stored)


def undo_grants(home: Home, number: int, actor: str) -> UndoResult:
    """Take back what an import granted, except where a later import or person changed it.

    Consents that the import granted or redated get their earlier value. Objections that it lifted
    are set again, and so are never-publish marks that it asked to lift. Withdrawals stay. Pupils
    count as siblings if they were siblings before the import or are siblings after it. The import
    no longer counts when the age of the register is worked out.

    Args:
        home: The school's home.
        number: Number of the import.
        actor: Who takes the grants back, for the audit log.

    Raises:
        ItemNotFound: There is no such import.
    """
    with transaction.atomic():
        run = find_run(number)
        undone = [change.pupil for change in changes_of(run) if _undo_change(run, change)]
        undone += sorted(_link_former_siblings(home, run))
        run.undone_by, run.undone_at = actor, home.now()
        run.save(update_fields=["undone_by", "undone_at"])
        pupils = tuple(dict.fromkeys(undone))
        events = [
            audit_log.AuditEvent(
                "pupil.grants_undone", audit_log.pupil_subject(home, n), {"import": run.pk}
            )
            for n in pupils
        ]
        detail = {"pupils": len(pupils)}
        audit_log.record_all(
            home,
            [*events, audit_log.AuditEvent("import.undone", f"import:{run.pk}", detail)],
            actor,
        )
        destroyed = destroy_lost_templates(home, actor)
        recalled = redecide(home, {*pupils, *destroyed}, actor)
    sync_folders(home)
    return UndoResult(pupils, recalled)


def can_be_undone(change: Change) -> bool:
    """Whether ``undo_grants`` can take back this change, because it allowed something."""
    return change.kind in _ALLOWS or _lost_siblings(change)


_ALLOWS = frozenset(
    {
        ChangeKind.GRANTED,
        ChangeKind.REDATED,
        ChangeKind.OBJECTION_LIFTED,
        ChangeKind.LIFT_ASKED,
        ChangeKind.LEFT,
    }
)
"""Kinds of change that can release a picture. A pupil who leaves no longer holds pictures of
siblings."""


def _undo_change(run: ImportRun, change: Change) -> bool:
    """Undo one change. False where it released nothing, or a later import changed it again."""
    if change.kind is ChangeKind.GRANTED:
        return _revert_grant(run, change)
    if change.kind is ChangeKind.REDATED:
        return _restore_dates(run, change)
    if change.kind is ChangeKind.OBJECTION_LIFTED:
        return _restore_flag(change, "biometric_objection")
    if change.kind is ChangeKind.LIFT_ASKED:
        waiting = NeverPublishLift.objects.filter(
            import_run=run, pupil__admission_number=change.pupil
        )
        return bool(waiting.delete()[0]) | _restore_flag(change, "never_publish")
    if change.kind is ChangeKind.LEFT:
        return _readmit(change)
    return False


def _readmit(change: Change) -> bool:
    """Put a pupil on the roll again without any consent.

    Pictures of the pupil are held again, and so are pictures of a sibling who may be this pupil.
    """
    is_readmitted = _restore_flag(change, "on_roll")
    if is_readmitted:
        ConsentAnswer.objects.filter(pupil__admission_number=change.pupil).delete()
    return is_readmitted


def _revert_grant(run: ImportRun, change: Change) -> bool:
    before = change.before if isinstance(change.before, Consent) else None
    if before is None or before.answer is Answer.GIVEN:
        # The earlier consent had expired or had not begun. An undo must not make it valid.
        before = Consent(Answer.NOT_STATED)
    return bool(
        _answer_from(run, change).update(
            answer=before.answer.value, given_on=before.given_on, expires_on=before.expires_on
        )
    )


def _restore_dates(run: ImportRun, change: Change) -> bool:
    """Restore the dates of a consent that was given before and after the import."""
    before, after = change.before, change.after
    if not isinstance(before, Consent) or not isinstance(after, Consent):
        return False
    redated = _answer_from(run, change).filter(given_on=after.given_on, expires_on=after.expires_on)
    return bool(redated.update(given_on=before.given_on, expires_on=before.expires_on))


def _answer_from(run: ImportRun, change: Change) -> QuerySet[ConsentAnswer]:
    """The pupil's answer if it still comes from this import; else an empty query set."""
    return ConsentAnswer.objects.filter(
        pupil__admission_number=change.pupil,
        purpose=change.subject,
        source=run,
        answer=Answer.GIVEN.value,
    )


def _lost_siblings(change: Change) -> bool:
    key = change.kind is ChangeKind.FIELD and change.subject in ("family_key", "address_key")
    return key and bool(change.before)


def _link_former_siblings(home: Home, run: ImportRun) -> set[str]:
    """Link pupils again who were siblings before the import. Links from the import stay.

    The families are added to the school's own sibling list, which every import reads. Returns the
    admission numbers of all pupils in families that changed.
    """
    families: dict[tuple[str, str], set[str]] = defaultdict(set)
    for change in filter(_lost_siblings, changes_of(run)):
        families[change.subject, str(change.before).casefold()].add(change.pupil)
    for column in {column for column, _ in families}:
        for number, key in PupilEntry.objects.values_list("admission_number", column):
            if (column, key.casefold()) in families:
                families[column, key.casefold()].add(number)
    former = [tuple(sorted(family)) for family in families.values() if len(family) > 1]
    if former:
        save_families(home, tuple(dict.fromkeys([*load_families(home), *former])))
    return store.link_siblings(home)


def _restore_flag(change: Change, column: str) -> bool:
    """Set a flag of the pupil. False where it was set already or the pupil is gone."""
    entries = PupilEntry.objects.filter(admission_number=change.pupil, **{column: False})
    return bool(entries.update(**{column: True}))
