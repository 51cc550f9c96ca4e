"""Applies an import: one transaction for the register and every decision that depends on it.

In the transaction: the changes, the templates of those who lost them destroyed, every picture of
an affected pupil decided again, an audit entry per change, the report. A crash before the commit
leaves the old register whole. ``run.run_import`` does what comes before and after.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import ImportRun
from consent_gate.decisions.redecide import redecide
from consent_gate.home.filesystem import replace_with
from consent_gate.home.home import Home
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
    """An export as it came in."""

    name: str
    data: bytes
    exported_on: date | None = None
    """The run date a person gave; goes before the one in the file."""
    mapping: SavedMapping | None = None
    """Given for this import; None takes the one the home keeps."""


@dataclass(frozen=True)
class Applied:
    """What an import did."""

    run: ImportRun
    prepared: PreparedImport
    done: GatedPlan
    recalled: int
    """Pictures withdrawn by this import."""
    templates_destroyed: tuple[str, ...]
    """Admission numbers."""
    report: dict[str, Any]
    """The contract's object."""


def import_context(home: Home, mapping: SavedMapping | None = None) -> ImportContext:
    """What this home's exports are read with: its channels, and ``mapping`` or the saved one."""
    uses = {
        channel.consent: Purpose(
            channel.consent, (*channel.consent_captions, channel.title), channel.title
        )
        for channel in home.settings.channels.values()
    }
    vocabulary = Vocabulary(tuple(uses.values()))
    if mapping is None and mapping_path(home).exists():
        mapping = from_toml(mapping_path(home).read_text("utf-8"), vocabulary)
    return ImportContext(vocabulary, mapping or SavedMapping())


def mapping_path(home: Home) -> Path:
    """File that holds the home's mapping of captions, types and answers."""
    return home.root / "sims-mapping.toml"


def preview_import(home: Home, export: ExportFile) -> PreparedImport:
    """What importing the file would change. Changes nothing. Raises ExportUnreadable."""
    school = import_context(home, export.mapping)
    return _plan(home, school, read_export(export.data, export.name, school), export)


def _plan(home: Home, school: ImportContext, table: Table, export: ExportFile) -> PreparedImport:
    return prepare(
        table,
        load_snapshot(),
        school,
        home.now().date(),
        export.exported_on,
        superseded=_is_superseded(export),
    )


def _is_superseded(export: ExportFile) -> bool:
    """Whether this very file was imported before, and another export since it was last applied.

    Its bytes tell, so a file without a run date cannot come back as a new one. A file that was
    only ever stopped counts from the first time it came in.
    """
    runs = ImportRun.objects.exclude(exported_on=None)
    same = runs.filter(file_sha256=hashlib.sha256(export.data).hexdigest()).order_by("pk")
    applied = same.filter(status=ImportRun.Status.APPLIED).last()
    last = applied or same.first()
    if last is None:
        return False
    return runs.filter(pk__gt=last.pk).exclude(file_sha256=last.file_sha256).exists()


def apply_import(home: Home, export: ExportFile, accepted: Collection[str], actor: str) -> Applied:
    """Apply what no block stops, in one transaction. ``sync_folders`` brings the folders in step.

    The plan is worked out anew under the lock that applies it.

    Raises:
        ExportUnreadable: nothing is changed.
    """
    school = import_context(home, export.mapping)
    table = read_export(export.data, export.name, school)
    with transaction.atomic():
        prepared = _plan(home, school, table, export)
        done = gate_plan(prepared.plan, prepared.blocks, accepted)
        run = _enter_run(home, export, prepared, done, accepted, actor)
        families = store.apply_changes(home, done.apply_now, prepared.plan.records, run)
        store.suspend(done.suspended, run)
        audit_log.record_all(home, _facts(home, run, done.apply_now), actor)
        destroyed = destroy_lost_templates(home, actor)
        changed = {*_decisive(done.apply_now), *destroyed, *families}
        recalled = redecide(home, changed | delete_departed_lookalikes(), actor)
        result = _save_report(run, prepared, done, recalled)
    return Applied(run, prepared, done, recalled, tuple(destroyed), result)


def remember(home: Home, applied: Applied) -> None:
    """Save the mapping for the next import, and let the portraits be examined again."""
    standing = {block.code for block in applied.done.standing}
    mapping = applied.prepared.understanding.mapping
    if standing:
        # A layout counts as seen only once it was applied as a whole.
        mapping = replace(mapping, layouts=import_context(home).saved.layouts)
    if "header-changed" not in standing:
        replace_with(mapping_path(home), to_toml(mapping).encode())
    invalidate_photo_listing(home)


def invalidate_photo_listing(home: Home) -> None:
    """Let the portraits in the drop folder be examined again: more pupils may be enrolled now."""
    photo_listing_file(home).unlink(missing_ok=True)


def photo_listing_file(home: Home) -> Path:
    """File that holds the digest of the photo folder as it was examined last."""
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
    """Keep the report without the questions: they quote cells, which may hold names."""
    outcome = Outcome(
        recalled=recalled,
        questions=prepared.understanding.questions,
        preview=prepared.preview,
    )
    result = report(prepared.plan, done, outcome)
    run.summary = {**result, "questions": []}
    run.save(update_fields=["summary"])
    return result


def _facts(home: Home, run: ImportRun, changes: Iterable[Change]) -> Iterator[audit_log.AuditEvent]:
    """One audit entry a change: what kind and which consent, never a name.

    A new pupil's first answers stand in the entry that says the pupil was added.
    """
    new = {change.pupil for change in changes if change.kind is ChangeKind.ADDED}
    first: dict[str, list[list[str]]] = {number: [] for number in new}
    for change in changes:
        if change.pupil in new and change.kind is not ChangeKind.ADDED:
            first[change.pupil].append([change.kind.value, change.subject])
    for change in changes:
        detail: dict[str, object] = {"import": run.pk, "change": change.kind.value}
        if change.kind is ChangeKind.ADDED:
            detail["answers"] = first[change.pupil]
        elif change.pupil in new:
            continue
        else:
            detail["subject"] = change.subject
        yield audit_log.AuditEvent(
            "pupil.changed", audit_log.pupil_subject(home, change.pupil), detail
        )


def _decisive(changes: Iterable[Change]) -> set[str]:
    """Pupils with a change that a decision depends on."""
    return {change.pupil for change in changes if change.kind is not ChangeKind.FIELD}
