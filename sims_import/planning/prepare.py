"""Prepares an import from bytes to plan: table, mapping, roster, plan and blocks. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date

from consent_gate.register.snapshot import RegisterSnapshot
from sims_import.mapping.understand import ColumnMapping, SavedMapping, map_columns
from sims_import.planning.blocks import ImportBlock
from sims_import.planning.import_blocks import find_blocks
from sims_import.planning.preview import UsePreview, preview_uses
from sims_import.readers.dispatch import read_table
from sims_import.readers.interface import Table
from sims_import.reconcile import ImportRules, Plan, reconcile
from sims_import.roster.merge import read_roster
from sims_import.roster.records import answers_digest
from sims_import.text.vocabulary import DEFAULT_VOCABULARY, Vocabulary


@dataclass(frozen=True)
class ImportContext:
    """What is needed to read a school's exports."""

    vocabulary: Vocabulary = DEFAULT_VOCABULARY
    saved: SavedMapping = field(default_factory=SavedMapping)
    """Last term's mapping."""

    @property
    def rules(self) -> ImportRules:
        """The comparison's rules for these channels."""
        titles = {use.name: use.title or use.name for use in self.vocabulary.purposes}
        return ImportRules(self.vocabulary.names, titles=titles)


@dataclass(frozen=True)
class PreparedImport:
    """An import that is planned and not yet applied."""

    understanding: ColumnMapping
    plan: Plan
    blocks: tuple[ImportBlock, ...]
    preview: tuple[UsePreview, ...]
    """What the export says of each use, beside the register."""
    answers_sha256: str
    """``answers_digest`` of the export."""


def prepare(  # noqa: PLR0913  each is an input of an import
    table: Table,
    register: RegisterSnapshot,
    context: ImportContext,
    today: date,
    exported_on: date | None = None,
    *,
    superseded: Callable[[str], bool] = lambda _: False,
) -> PreparedImport:
    """Work out what importing ``table`` would change and what stops it.

    Args:
        table: The export's table.
        register: The register before the import.
        context: The school's vocabulary and saved mapping.
        today: The day of the import.
        exported_on: The run date that a person gave; it overrides the date in the export.
        superseded: Whether an export with these answers (``answers_digest``), or this very file,
            was imported before, and another one since.
    """
    understanding = map_columns(table, context.saved, context.vocabulary)
    dated = replace(table, run_on=exported_on or table.run_on)
    roster = read_roster(dated, understanding, today)
    plan = reconcile(register, roster, context.rules, today)
    answers = answers_digest(roster.records)
    is_superseded = superseded(answers)
    found = find_blocks(
        plan, register, understanding, context.rules, today, superseded=is_superseded
    )
    uses = preview_uses(plan, register, context.rules)
    return PreparedImport(understanding, plan, tuple(found), uses, answers)


def read_export(data: bytes, name: str, context: ImportContext) -> Table:
    """Read the table of an export. The captions of the saved mapping help to find its header.

    Raises:
        ExportUnreadable: The file is empty, damaged or no export.
    """
    return read_table(data, name, context.vocabulary, frozenset(context.saved.columns))
