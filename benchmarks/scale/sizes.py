"""Measure the storage that photos need: rows in PostgreSQL and files."""

from __future__ import annotations

from consent_gate.home.home import Home


def rows_bytes() -> int:
    """Bytes of the tables that grow with the photos, including dead rows and indexes."""
    from django.db import connection

    from consent_gate.db import models

    growing = (
        models.Item,
        models.InboxSighting,
        models.PupilInItem,
        models.ChannelDecision,
        models.Publication,
        models.AuditEntry,
    )
    total = 0
    with connection.cursor() as cursor:
        for model in growing:
            table = model._meta.db_table
            cursor.execute("SELECT pg_total_relation_size(%s::regclass)", [table])
            total += cursor.fetchone()[0]
    return total


def bytes_a_photo(home: Home, empty: int) -> dict[str, float]:
    """Mean bytes of one photo after its examination, by kind of storage.

    ``empty``: result of ``rows_bytes`` before the photos were ingested.
    """
    from consent_gate.db.models import Item

    count = Item.objects.count()
    rows = rows_bytes() - empty
    folders = {name: home.vault / name for name in ("originals", "previews")}
    folders["approved"] = home.root / home.settings.paths.approved
    sizes = {
        name: sum(path.stat().st_size for path in where.rglob("*") if path.is_file()) / count
        for name, where in folders.items()
    }
    return {"rows": rows / count, **sizes}
