"""Copying all rows of one home's database into another, of whichever kind, and proving the copy.

Django's models do the copying: they know how each kind of database writes a time, a yes or a list.
Every row is read back and compared with the one it was copied from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connections
from django.db.models import Model

from consent_gate.errors import DatabaseUnusable

BATCH_SIZE = 1000
"""Rows handed to the database together."""

FILLED_BY_MIGRATIONS = ("auth.Permission", "contenttypes.ContentType")
"""Tables that are not empty in a fresh database; their rows are replaced by the copied ones."""

Progress = Callable[[int, int], None]
"""Called with how many rows are done, and of how many."""


@dataclass(frozen=True)
class Copied:
    """What was copied and found to be the same."""

    rows: dict[str, int]
    """By table."""
    audit_sequence: int
    audit_mac: str

    @property
    def total(self) -> int:
        """Rows of all tables together."""
        return sum(self.rows.values())


class CopyDiffers(DatabaseUnusable):
    """The rows read back are not the rows that were copied."""

    next_step = "Nothing was changed. Look at the disks of both sides, and try again."


def tables() -> list[type[Model]]:
    """Every table that holds something of the school. Jobs are not: they can be made again."""
    models = apps.get_models(include_auto_created=True)
    return [model for model in models if model._meta.managed and not model._meta.proxy]


def is_empty(alias: str) -> bool:
    """Whether an up-to-date database holds nothing of any school."""
    ours = (m for m in tables() if m._meta.label not in FILLED_BY_MIGRATIONS)
    return not any(model._base_manager.using(alias).exists() for model in ours)


def make_tables_in_file(alias: str) -> None:
    """Bring an open SQLite file to this version of the program. It has no tables for jobs."""
    before = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {**before, "procrastinate": None}
    try:
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    finally:
        settings.MIGRATION_MODULES = before


def copy_rows(source: str, target: str, progress: Progress = lambda *_: None) -> Copied:
    """Make the target's rows those of the source. Call inside a transaction of each.

    ``source``, ``target``: names of open connections, both of this version. The source's
    transaction must see one state of its rows throughout. Raises CopyDiffers.
    """
    models = tables()
    for model in reversed(models):
        model._base_manager.using(target).all()._raw_delete(target)
    counts = {model: model._base_manager.using(source).count() for model in models}
    total, done = sum(counts.values()) * 2, 0
    for model in models:
        for batch in _batches(source, model):
            model._base_manager.using(target).bulk_create(batch, batch_size=BATCH_SIZE)
            done += len(batch)
            progress(done, total)
    for model in models:
        if _digest(source, model) != _digest(target, model):
            raise CopyDiffers(f"The copy of {model._meta.db_table} is not the same.")
        done += counts[model]
        progress(done, total)
    _go_on_counting(target, models)
    newest = apps.get_model("gate.AuditEntry")._base_manager.using(target).order_by("-sequence")
    sequence, mac = newest.values_list("sequence", "mac").first() or (0, "")
    rows = {model._meta.db_table: count for model, count in counts.items()}
    return Copied(rows, sequence, mac)


def _batches(source: str, model: type[Model]) -> Iterator[list[Model]]:
    batch: list[Model] = []
    for row in model._base_manager.using(source).order_by("pk").iterator(chunk_size=BATCH_SIZE):
        batch.append(row)
        if len(batch) == BATCH_SIZE:
            yield batch
            batch = []
    if batch:
        yield batch


def _digest(alias: str, model: type[Model]) -> int:
    """Sum of the SHA-256 of every row with all its values: the same in whatever order they come."""
    names = [field.attname for field in model._meta.concrete_fields]
    rows = model._base_manager.using(alias).values_list(*names).iterator(BATCH_SIZE)
    digests = (hashlib.sha256(_text(row).encode()).digest() for row in rows)
    return sum(int.from_bytes(digest) for digest in digests)


def _text(row: tuple[Any, ...]) -> str:
    return json.dumps([_plain(value) for value in row], sort_keys=True)


def _plain(value: Any) -> Any:
    """A value as every database gives it back."""
    if isinstance(value, float):
        return value + 0.0  # PostgreSQL's numbers know no -0.0
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, memoryview | bytes):
        return bytes(value).hex()
    return value.isoformat() if isinstance(value, date) else value


def _go_on_counting(target: str, models: list[type[Model]]) -> None:
    """New rows get numbers after the copied ones."""
    connection = connections[target]
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(sql)
