"""Applies an import: one transaction for the register and every decision that depends on it.

The transaction writes the changes, an audit entry for each change and the report. It destroys the
templates of pupils who may no longer have them, and decides every picture of an affected pupil
again. A crash before the commit leaves the old register whole. ``run.run_import`` does the steps
before and after the transaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from consent_gate.db import audit_log
from consent_gate.db.models import ImportRun
from consent_gate.decisions.outdated_names import mark_outdated
from consent_gate.decisions.redecide import redecide
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
from consent_gate.register.pupil_names import recorded_names
from consent_gate.register.snapshot_loader import load_snapshot
from consent_gate.register.templates import delete_departed_lookalikes, destroy_lost_templates
from sims_import.applying import store
from sims_import.mapping.file import from_toml, to_toml
from sims_import.mapping.understand import SavedMapping
from sims_import.planning.import_blocks import GatedPlan, gate_plan
from sims_import.planning.prepare import ImportContext, PreparedImport, prepare, read_export
from sims_import.planning.report import Outcome, report
from sims_import.readers.interface import Table
from sims_import.reconcile import Change, ChangeKind
from sims_import.text.vocabulary import Purpose, Vocabulary


@dataclass(frozen=True)
class ExportFile:
    """An export file and what a person gave with it."""

    name: str
    data: bytes
    exported_on: date | None = None
    """The run date that a person gave; it overrides the date in the file."""
    mapping: SavedMapping | None = None
    """The mapping to read this file with; None means the home's saved mapping."""


@dataclass(frozen=True)
class Applied:
    """What an import did."""

    run: ImportRun
    prepared: PreparedImport
    done: GatedPlan
    recalled: int
    """Pictures withdrawn by this import."""
    templates_destroyed: tuple[str, ...]
    """Admission numbers of the pupils whose templates were destroyed."""
    report: dict[str, Any]
    """The object that ``import-sims`` prints (``planning.report``)."""


def import_context(home: Home, mapping: SavedMapping | None = None) -> ImportContext:
    """Return what is needed to read this home's exports: its channels' words and a mapping.

    Args:
        home: The school's home.
        mapping: The mapping to use; None means the saved one.
    """
    uses = {
        channel.consent: Purpose(
            channel.consent, (*channel.consent_captions, channel.title), channel.title
        )
        for channel in home.settings.channels.values()
    }
    vocabulary = Vocabulary(tuple(uses.values()), home.settings.school.name)
    if mapping is None and mapping_path(home).exists():
        mapping = from_toml(mapping_path(home).read_text("utf-8"), vocabulary)
    return ImportContext(vocabulary, mapping or SavedMapping())


def mapping_path(home: Home) -> Path:
    """File that holds the home's mapping of captions, types and answers."""
    return home.root / "sims-mapping.toml"


def preview_import(home: Home, export: ExportFile) -> PreparedImport:
    """Plan an import without changing anything.

    Raises:
        ExportUnreadable: The file is no export.
    """
    context = import_context(home, export.mapping)
    return _plan(home, context, read_export(export.data, export.name, context), export)


def _plan(home: Home, context: ImportContext, table: Table, export: ExportFile) -> PreparedImport:
    return prepare(
        table,
        load_snapshot(),
        context,
        home.now().date(),
        export.exported_on,
        superseded=partial(_is_superseded, export),
    )


def _is_superseded(export: ExportFile, answers_sha256: str) -> bool:
    """Whether this file was imported before, and another export since it was last applied.

    Files are compared by SHA-256 and by their answers, so an old file without a run date is
    recognised too, also if somebody opened and saved it. For a file that was never applied, its
    first import counts.
    """
    runs = ImportRun.objects.exclude(exported_on=None)
    is_same = Q(file_sha256=hashlib.sha256(export.data).hexdigest())
    if answers_sha256:
        is_same |= Q(answers_sha256=answers_sha256)
    same = runs.filter(is_same).order_by("pk")
    last = same.filter(status=ImportRun.Status.APPLIED).last() or same.first()
    return last is not None and runs.filter(pk__gt=last.pk).exclude(is_same).exists()


def apply_import(home: Home, export: ExportFile, accepted: Collection[str], actor: str) -> Applied:
    """Apply the changes that no block stops, in one transaction.

    The plan is made anew inside the transaction. The caller calls ``sync_folders`` afterwards.

    Args:
        home: The school's home.
        export: The file.
        accepted: Codes of the blocks that a person accepts.
        actor: Who imports, for the audit log.

    Raises:
        ExportUnreadable: The file is no export. Nothing is changed.
    """
    context = import_context(home, export.mapping)
    table = read_export(export.data, export.name, context)
    with transaction.atomic():
        prepared = _plan(home, context, table, export)
        done = gate_plan(prepared.plan, prepared.blocks, accepted)
        run = _enter_run(home, export, prepared, done, accepted, actor)
        names = recorded_names()
        families = store.apply_changes(home, done.apply_now, prepared.plan.records, run)
        mark_outdated(names, recorded_names())
        store.suspend(done.suspended, run)
        if run.complete and run.status == ImportRun.Status.APPLIED:
            families |= store.end_guards_of_erased()
        audit_log.record_all(home, _audit_events(home, run, done.apply_now), actor)
        destroyed = destroy_lost_templates(home, actor)
        changed = {*_affected_pupils(done.apply_now), *destroyed, *families}
        recalled = redecide(home, changed | delete_departed_lookalikes(), actor)
        result = _save_report(run, prepared, done, recalled)
    return Applied(run, prepared, done, recalled, tuple(destroyed), result)


def remember(home: Home, applied: Applied) -> None:
    """Save the mapping for the next import, and have the photo folder read again."""
    standing = {block.code for block in applied.done.standing}
    mapping = applied.prepared.understanding.mapping
    if standing:
        # A layout is known only after an import of it was applied as a whole.
        mapping = replace(mapping, layouts=import_context(home).saved.layouts)
    if "header-changed" not in standing:
        replace_with(mapping_path(home), to_toml(mapping).encode())
    invalidate_photo_listing(home)


def invalidate_photo_listing(home: Home) -> None:
    """Have the photo folder read again, because more pupils may now be enrolled."""
    photo_listing_file(home).unlink(missing_ok=True)


def photo_listing_file(home: Home) -> Path:
    """File that holds the digest of the photo folder when its photos were last enrolled."""
    return home.sims / ".photos-seen"


def _enter_run(  # noqa: PLR0913, PLR0917
    home: Home,
    export: ExportFile,
    prepared: PreparedImport,
    done: GatedPlan,
    accepted: Collection[str],
    actor: str,
) -> ImportRun:
    applied, plan, mapping = not done.standing, prepared.plan, prepared.understanding.mapping
    run = ImportRun.objects.create(
        file_name=export.name,
        file_sha256=hashlib.sha256(export.data).hexdigest(),
        answers_sha256=prepared.answers_sha256,
        exported_on=(plan.exported_on or home.now().date()) if plan.records else None,
        complete=plan.is_authoritative,
        status=ImportRun.Status.APPLIED if applied else ImportRun.Status.BLOCKED,
        actor=actor,
        created_at=home.now(),
        accepted=sorted(accepted),
        mapping=to_toml(mapping),
    )
    detail = {
        "file_sha256": run.file_sha256,
        "status": run.status,
        "accepted": run.accepted,
        "standing": [block.code for block in done.standing],
        "mapping": mapping.version,
        "changes": len(done.apply_now),
        "waiting": len(done.deferred_changes),
    }
    audit_log.record(home, "import.applied", f"import:{run.pk}", detail, actor)
    return run


def _save_report(
    run: ImportRun, prepared: PreparedImport, done: GatedPlan, recalled: int
) -> dict[str, Any]:
    """Store the report without its questions, which quote cells that may hold names."""
    outcome = Outcome(
        recalled=recalled,
        questions=prepared.understanding.questions,
        preview=prepared.preview,
    )
    result = report(prepared.plan, done, outcome)
    run.summary = {**result, "questions": []}
    run.save(update_fields=["summary"])
    return result


def _audit_events(
    home: Home, run: ImportRun, changes: Iterable[Change]
) -> Iterator[audit_log.AuditEvent]:
    """Yield an audit event for each change: its kind and field or purpose, never a name.

    The event of a new pupil holds the pupil's first answers too.
    """
    new = {change.pupil for change in changes if change.kind is ChangeKind.ADDED}
    first_answers: dict[str, list[list[str]]] = {number: [] for number in new}
    for change in changes:
        if change.pupil in new and change.kind is not ChangeKind.ADDED:
            first_answers[change.pupil].append([change.kind.value, change.subject])
    for change in changes:
        detail: dict[str, object] = {"import": run.pk, "change": change.kind.value}
        if change.kind is ChangeKind.ADDED:
            detail["answers"] = first_answers[change.pupil]
        elif change.pupil in new:
            continue
        else:
            detail["subject"] = change.subject
        yield audit_log.AuditEvent(
            "pupil.changed", audit_log.pupil_subject(home, change.pupil), detail
        )


def _affected_pupils(changes: Iterable[Change]) -> set[str]:
    """Admission numbers of pupils with a change that a decision depends on."""
    return {change.pupil for change in changes if change.kind is not ChangeKind.FIELD}
