"""Carrying out an import: one transaction for the register and all that follows from it.

In the transaction: the changes, the templates of those who lost them destroyed, every picture of
an affected pupil decided again, an audit entry per change. After it: the folders follow the
ledger. A crash before the commit leaves the old register whole; after it the next run of any
command finishes the folders.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.db import transaction

from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.decisions import settle_everyone_of
from consent_gate.db.ledger import Round
from consent_gate.db.models import ImportRun, Lookalike
from consent_gate.db.register_store import load_register
from consent_gate.filesystem import replace_with
from publish.recall import remove_withdrawn
from sims_import import store
from sims_import.brakes import Split, split
from sims_import.mapping import Mapping
from sims_import.mapping_file import from_toml, to_toml
from sims_import.prepare import Prepared, School, prepare, read_export
from sims_import.reconcile import Change, Kind
from sims_import.templates import destroy_lost_templates, forget_deleted_pages
from sims_import.words import Purpose, Vocabulary


@dataclass(frozen=True)
class ExportFile:
    """An export as it came in."""

    name: str
    data: bytes
    exported_on: date | None = None
    """The run date a person gave; goes before the one in the file."""
    mapping: Mapping | None = None
    """Given for this import; None takes the one the home keeps."""


@dataclass(frozen=True)
class Applied:
    """What an import did."""

    run: ImportRun
    done: Split
    recalled: int
    """Pictures taken back."""
    templates_destroyed: tuple[str, ...]
    """Admission numbers."""


def school_of(home: Home, mapping: Mapping | None = None) -> School:
    """How this home's exports are read: its channels, and the mapping given or last term's."""
    aliases = {
        channel.consent: (*channel.consent_captions, channel.title)
        for channel in home.settings.channels.values()
    }
    vocabulary = Vocabulary(tuple(Purpose(name, names) for name, names in aliases.items()))
    if mapping is None and mapping_path(home).exists():
        mapping = from_toml(mapping_path(home).read_text("utf-8"), vocabulary)
    return School(vocabulary, mapping or Mapping())


def mapping_path(home: Home) -> Path:
    """Where the home keeps what was settled about its exports' captions."""
    return home.root / "sims-mapping.toml"


def work_out(home: Home, export: ExportFile) -> Prepared:
    """What importing the file would change. Changes nothing. Raises ExportUnreadable."""
    school = school_of(home, export.mapping)
    table = read_export(export.data, export.name, school)
    today = home.now().date()
    return prepare(table, store.load_snapshot(), school, today, export.exported_on)


def carry_out(
    home: Home, export: ExportFile, accepted: Collection[str], by: str
) -> tuple[Prepared, Applied]:
    """Apply what no brake stops. The plan is worked out anew under the lock that applies it."""
    with transaction.atomic():
        prepared = work_out(home, export)
        done = split(prepared.plan, prepared.brakes, accepted)
        run = _enter_run(home, export, prepared, done, accepted, by)
        store.apply_changes(home, done.apply_now, prepared.plan, run)
        store.link_siblings()
        store.suspend(done.suspended, run)
        trail.record_all(home, _facts(home, run, done.apply_now), by)
        destroyed = destroy_lost_templates(home, by)
        this = Round(home, load_register(home.now().date()), home.now(), by)
        recalled = settle_everyone_of(this, _affected(done.apply_now, destroyed))
    if not any(brake.code == "header-changed" for brake in done.standing):
        mapping = to_toml(prepared.understanding.mapping)
        replace_with(mapping_path(home), mapping.encode())
    forget_deleted_pages()
    remove_withdrawn(home)
    trail.save_anchor(home)
    return prepared, Applied(run, done, recalled, tuple(destroyed))


def _enter_run(  # noqa: PLR0913, PLR0917
    home: Home,
    export: ExportFile,
    prepared: Prepared,
    done: Split,
    accepted: Collection[str],
    by: str,
) -> ImportRun:
    applied = not done.standing
    run = ImportRun.objects.create(
        file_name=export.name,
        file_sha256=hashlib.sha256(export.data).hexdigest(),
        exported_on=prepared.plan.exported_on or home.now().date(),
        status=ImportRun.Status.APPLIED if applied else ImportRun.Status.BLOCKED,
        by=by,
        at=home.now(),
        accepted=sorted(accepted),
    )
    detail = {
        "file_sha256": run.file_sha256,
        "status": run.status,
        "accepted": run.accepted,
        "standing": [brake.code for brake in done.standing],
        "changes": len(done.apply_now),
        "waiting": len(done.waiting),
    }
    trail.record(home, "import.applied", f"import:{run.pk}", detail, by)
    return run


def _facts(home: Home, run: ImportRun, changes: tuple[Change, ...]) -> Iterator[trail.Fact]:
    """One audit entry a change: what kind and which consent, never a name."""
    for change in changes:
        detail = {"import": run.pk, "change": change.kind.value, "subject": change.subject}
        yield trail.Fact("pupil.changed", trail.pupil_subject(home, change.pupil), detail)


def _affected(changes: tuple[Change, ...], destroyed: Collection[str]) -> set[str]:
    """Pupils whose pictures must be decided again: those changed, their old numbers, and
    whoever the models confuse with them."""
    numbers = {c.pupil for c in changes if c.kind is not Kind.FIELD} | set(destroyed)
    numbers |= {str(c.before) for c in changes if c.kind is Kind.RENUMBERED}
    pairs = Lookalike.objects.values_list("first__admission_number", "second__admission_number")
    for first, second in pairs:
        if first in numbers or second in numbers:
            numbers |= {first, second}
    return numbers
