"""Copy all rows of a home's database into another database, and prove the copy.

The rows are copied through Django's models, which know how SQLite and PostgreSQL store a time, a
boolean or a list. Every row is read back and compared with the original.
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
"""Rows inserted with one statement."""

FILLED_BY_MIGRATIONS = ("auth.Permission", "contenttypes.ContentType")
"""Tables that a new database fills by itself; the copied rows replace theirs."""

Progress = Callable[[int, int], None]
"""Called with the number of steps done and the number to do; a row counts twice."""


@dataclass(frozen=True)
class Copied:
    """The result of a verified copy."""

    rows: dict[str, int]
    """Number of rows by table name."""
    audit_sequence: int
    """Sequence and MAC of the newest audit entry; 0 and empty when there is none."""
    audit_mac: str

    @property
    def total(self) -> int:
        """Number of rows of all tables."""
        return sum(self.rows.values())


class CopyDiffers(DatabaseUnusable):
    """The rows read back differ from the rows that were copied."""

    next_step = "Nothing was changed. Check the disks of both databases, then try again."


def tables() -> list[type[Model]]:
    """Every table of the school's data. Jobs are left out: the gate can create them again."""
    models = apps.get_models(include_auto_created=True)
    return [model for model in models if model._meta.managed and not model._meta.proxy]


def is_empty(alias: str) -> bool:
    """Whether a database of this version holds no school's data. ``alias`` names the connection."""
    ours = (m for m in tables() if m._meta.label not in FILLED_BY_MIGRATIONS)
    return not any(model._base_manager.using(alias).exists() for model in ours)


def make_tables_in_file(alias: str) -> None:
    """Migrate an open SQLite file to this version of the program, without the tables of jobs."""
    before = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {**before, "procrastinate": None}
    try:
        call_command("migrate", database=alias, verbosity=0, interactive=False)
    finally:
        settings.MIGRATION_MODULES = before


def copy_rows(source: str, target: str, progress: Progress = lambda *_: None) -> Copied:
    """Replace the target's rows by those of the source. Call inside a transaction of each.

    The source's transaction must see one state of its rows throughout.

    Args:
        source: name of an open connection of this version.
        target: name of another one.
        progress: called after each batch.

    Raises:
        CopyDiffers: A row read back differs.
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
            raise CopyDiffers(
                f"The copy of the table {model._meta.db_table} differs from the original."
            )
        done += counts[model]
        progress(done, total)
    _reset_sequences(target, models)
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
    """Sum of the SHA-256 of every row, which does not depend on the order of the rows."""
    names = [field.attname for field in model._meta.concrete_fields]
    rows = model._base_manager.using(alias).values_list(*names).iterator(BATCH_SIZE)
    digests = (hashlib.sha256(_text(row).encode()).digest() for row in rows)
    return sum(int.from_bytes(digest) for digest in digests)


def _text(row: tuple[Any, ...]) -> str:
    return json.dumps([_plain(value) for value in row], sort_keys=True)


def _plain(value: Any) -> Any:
    """A value in a form that is the same from every database."""
    if isinstance(value, float):
        return value + 0.0  # PostgreSQL has no -0.0
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, memoryview | bytes):
        return bytes(value).hex()
    return value.isoformat() if isinstance(value, date) else value


def _reset_sequences(target: str, models: list[type[Model]]) -> None:
    """Let the numbers of new rows begin after the copied ones."""
    connection = connections[target]
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(sql)
