"""Having the database forget the bytes of deleted rows."""

from __future__ import annotations

from django.db import connection

from consent_gate.db.models import Portrait, Template


def vacuum_deleted() -> None:
    """Remove the bytes of deleted templates and portraits, not only their rows.

    SQLite overwrites deleted rows, but its log may still hold them; PostgreSQL keeps them in the
    tables' files until these are written anew. Call outside a transaction.
    """
    statements = ["PRAGMA wal_checkpoint(TRUNCATE)"]
    if connection.vendor == "postgresql":
        tables = (connection.ops.quote_name(m._meta.db_table) for m in (Template, Portrait))
        statements = [f"VACUUM (FULL) {table}" for table in tables]
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
