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
    """What taking grants back did."""

    pupils: tuple[str, ...]
    """Admission numbers of those who lost what the import had granted."""
    recalled: int


def find_run(number: int) -> ImportRun:
    """An import by its number. Raises ItemNotFound."""
    run = ImportRun.objects.filter(pk=number).first()
    if run is None:
        raise ItemNotFound(f"There is no import {number}; 'consent-gate imports list' shows them.")
    return run


def changes_of(run: ImportRun) -> Iterator[Change]:
    """What an import changed, pupil by pupil, under the numbers they have now."""
    rows = PupilChange.objects.filter(run=run).order_by("pk").select_related("pupil")
    for row in rows.iterator():
        for stored in row.changes:
            yield from_json(row.pupil.admission_number, stored)


def changes_about(entry: PupilEntry) -> Iterator[tuple[ImportRun, Change]]:
    """What all imports changed about one pupil, oldest first."""
    rows = PupilChange.objects.filter(pupil=entry).order_by("pk").select_related("run")
    for row in rows:
        for stored in row.changes:
            yield row.run, from_json(entry.admission_number, stored)


def undo_grants(home: Home, number: int, actor: str) -> UndoResult:
    """Take back what an import granted, wherever nothing newer has been said since.

    Consents it granted or gave other dates are as before, objections it lifted are set again, and
    so are never-publish marks whose lifting it asked for; withdrawals stay. Brothers and sisters
    are guarded as both its state and the one before ask. The register no longer counts as fresh by
    that import. Raises ItemNotFound.
    """
    with transaction.atomic():
        run = find_run(number)
        undone = [change.pupil for change in changes_of(run) if _undo_change(run, change)]
        undone += sorted(_link_former_siblings(home, run))
        run.undone_by, run.undone_at = actor, home.now()
        run.save(update_fields=["undone_by", "undone_at"])
        pupils = tuple(dict.fromkeys(undone))
        facts = [
            audit_log.AuditEvent(
                "pupil.grants_undone", audit_log.pupil_subject(home, n), {"import": run.pk}
            )
            for n in pupils
        ]
        detail = {"pupils": len(pupils)}
        audit_log.record_all(
            home, [*facts, audit_log.AuditEvent("import.undone", f"import:{run.pk}", detail)], actor
        )
        destroyed = destroy_lost_templates(home, actor)
        recalled = redecide(home, {*pupils, *destroyed}, actor)
    sync_folders(home)
    return UndoResult(pupils, recalled)


def can_be_undone(change: Change) -> bool:
    """Whether an import allowed something by this: see ``_undo_change`` and
    ``_link_former_siblings``."""
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
"""Leaving too: nobody is held for the sake of a brother who has left."""


def _undo_change(run: ImportRun, change: Change) -> bool:
    """Set one thing back; False where it could not release anything, or was said anew since."""
    if change.kind is ChangeKind.GRANTED:
        return _revert_grant(run, change)
    if change.kind is ChangeKind.REDATED:
        return _give_old_dates(run, change)
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
    """On the roll again without any consent: nobody can be taken for this pupil, and the guard of
    brothers and sisters knows of one more."""
    back = _restore_flag(change, "on_roll")
    if back:
        ConsentAnswer.objects.filter(pupil__admission_number=change.pupil).delete()
    return back


def _revert_grant(run: ImportRun, change: Change) -> bool:
    before = change.before if isinstance(change.before, Consent) else None
    if before is None or before.answer is Answer.GIVEN:
        # A consent that had run out, or was to begin later, must not come alive by an undo.
        before = Consent(Answer.NOT_STATED)
    return bool(
        _given_by(run, change).update(
            answer=before.answer.value, given_on=before.given_on, expires_on=before.expires_on
        )
    )


def _give_old_dates(run: ImportRun, change: Change) -> bool:
    """A consent that was given before and after, for longer or from another day on."""
    before, after = change.before, change.after
    if not isinstance(before, Consent) or not isinstance(after, Consent):
        return False
    redated = _given_by(run, change).filter(given_on=after.given_on, expires_on=after.expires_on)
    return bool(redated.update(given_on=before.given_on, expires_on=before.expires_on))


def _given_by(run: ImportRun, change: Change) -> QuerySet[ConsentAnswer]:
    """The answer as this import left it; none where something newer was said."""
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
    """Whoever was a brother or sister before the import is one again; its own links stay.

    The links join the school's own list, which every import goes by. Returns admission numbers of
    families that changed.
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
    entries = PupilEntry.objects.filter(admission_number=change.pupil, **{column: False})
    return bool(entries.update(**{column: True}))
