"""One screen of an import's pure half: bytes -> table -> understanding -> roster -> plan."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from consent_gate.register.snapshot import RegisterSnapshot
from sims_import.mapping.understand import Mapping, Understanding, understand
from sims_import.planning.import_blocks import Brake, brakes
from sims_import.readers.dispatch import read_table
from sims_import.readers.interface import Table
from sims_import.reconcile import ImportRules, Plan, reconcile
from sims_import.roster.merge import read_roster
from sims_import.text.vocabulary import DEFAULT_VOCABULARY, Vocabulary


@dataclass(frozen=True)
class School:
    """What a school's exports are read with."""

    vocabulary: Vocabulary = DEFAULT_VOCABULARY
    saved: Mapping = field(default_factory=Mapping)
    """Last term's mapping."""

    @property
    def rules(self) -> ImportRules:
        """The comparison's rules for these channels."""
        titles = {use.name: use.title or use.name for use in self.vocabulary.purposes}
        return ImportRules(self.vocabulary.names, titles=titles)


@dataclass(frozen=True)
class Prepared:
    """An import that has been worked out and not yet applied."""

    understanding: Understanding
    plan: Plan
    brakes: tuple[Brake, ...]


def prepare(
    table: Table,
    register: RegisterSnapshot,
    school: School,
    today: date,
    exported_on: date | None = None,
) -> Prepared:
    """Work out what importing ``table`` would change and what stops it.

    ``exported_on`` is the run date a person gave; it goes before the one in the export.
    """
    understanding = understand(table, school.saved, school.vocabulary)
    dated = replace(table, run_on=exported_on or table.run_on)
    roster = read_roster(dated, understanding, today)
    plan = reconcile(register, roster, school.rules, today)
    found = brakes(plan, register, understanding, school.rules, today)
    return Prepared(understanding, plan, tuple(found))


def read_export(data: bytes, name: str, school: School) -> Table:
    """The table in an export's bytes, found with the help of last term's captions.

    Raises:
        ExportUnreadable: see ``readers``.
    """
    return read_table(data, name, school.vocabulary, frozenset(school.saved.columns))
