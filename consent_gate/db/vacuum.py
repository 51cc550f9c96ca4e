"""Remove the bytes of deleted rows from the files of the database."""

from __future__ import annotations

from django.db import connection

from consent_gate.db.models import Portrait, Template


def vacuum_deleted() -> None:
    """Remove the bytes of deleted templates and portraits from the files of the database.

    SQLite overwrites deleted rows, but its write-ahead log may still have them. PostgreSQL keeps
    them in a table's file until the table is rewritten. Call outside a transaction.
    """
    statements = ["PRAGMA wal_checkpoint(TRUNCATE)"]
    if connection.vendor == "postgresql":
        tables = (connection.ops.quote_name(m._meta.db_table) for m in (Template, Portrait))
        statements = [f"VACUUM (FULL) {table}" for table in tables]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
