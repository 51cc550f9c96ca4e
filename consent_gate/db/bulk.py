"""Many rows at once: one statement for all of them.

Django's ``bulk_create`` writes a new statement for every few dozen rows, which for a trust's
100 000 consents takes longer than everything else an import does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import DateField, Model


def write_rows(
    model: type[Model],
    fields: Sequence[str],
    rows: Iterable[Sequence[Any]],
    unique: Sequence[str] = (),
) -> None:
    """Insert rows of plain values; where ``unique`` is taken, the row there gets the new values.

    Dates may be given as they are; JSON as text; a foreign key as the other row's key. Call
    inside a transaction.
    """
    quote = connection.ops.quote_name
    known = {field.name: field for field in model._meta.concrete_fields}
    columns = {name: quote(known[name].column) for name in fields}
    sql = (
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(columns.values())})"  # noqa: S608
        f" VALUES ({', '.join(['%s'] * len(fields))})"
    )
    if unique:
        changed = [column for name, column in columns.items() if name not in unique]
        sql += f" ON CONFLICT ({', '.join(columns[name] for name in unique)}) DO UPDATE SET "
        sql += ", ".join(f"{column} = excluded.{column}" for column in changed)
    dates = [at for at, name in enumerate(fields) if isinstance(known[name], DateField)]
    with connection.cursor() as cursor:
        cursor.executemany(sql, [_stored(row, dates) for row in rows])


def _stored(row: Sequence[Any], dates: Sequence[int]) -> Sequence[Any]:
    values = list(row)
    for at in dates:
        values[at] = connection.ops.adapt_datefield_value(values[at])
    return values
