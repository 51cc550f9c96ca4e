"""Insert many rows with one statement.

Django's ``bulk_create`` makes a new statement for every few dozen rows. For the 100 000 consents of
a trust this takes longer than the rest of an import.
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
    """Insert rows of plain values, in the order of ``fields``.

    If a row with the same values of ``unique`` exists, it is updated. A date is given as ``date``,
    JSON as text, and a foreign key as the primary key of the other row. Call inside a transaction.
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
    dates = [index for index, name in enumerate(fields) if isinstance(known[name], DateField)]
    with connection.cursor() as cursor:
        cursor.executemany(sql, [_adapt_dates(row, dates) for row in rows])


def _adapt_dates(row: Sequence[Any], dates: Sequence[int]) -> Sequence[Any]:
    values = list(row)
    for index in dates:
        values[index] = connection.ops.adapt_datefield_value(values[index])
    return values
