"""Django's PostgreSQL backend with one writer at a time in each school's schema.

SQLite's ``IMMEDIATE`` transactions allow one writer at a time, so nothing that a transaction has
read changes until it commits. The gate depends on this: the newest entry of the audit chain, a
consent that is still given, a picture that nobody else decides on. PostgreSQL alone would let two
transactions read the same state and both write. So each transaction takes an advisory lock of the
school's schema at its start and holds it until its end. A single writing statement gets its own
transaction. Reading outside a transaction takes no lock. The backend does this everywhere, so no
caller can forget it.

Each school has its own lock. Transactions of one school take milliseconds, and its audit chain
would make them wait for each other anyway (docs/adr/0010).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.postgresql import base

WRITE_STATEMENTS = ("INSERT", "UPDATE", "DELETE")


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to one school's schema."""

    data_types = {**base.DatabaseWrapper.data_types, "CharField": "varchar"}
    """Columns without a maximum length, as in SQLite: a long name in an export must not stop the
    import on PostgreSQL only. Forms check the lengths."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(_execute_in_transaction)

    def set_autocommit(
        self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False
    ) -> None:
        """Django calls this at the start and the end of an outermost transaction."""
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        if not autocommit:
            self._acquire_writer_lock()

    def _acquire_writer_lock(self) -> None:
        try:
            with self.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [writer_lock_id(self.schema)])
        except BaseException:
            self.close()  # never continue a transaction without the lock
            raise

    @property
    def schema(self) -> str:
        """The school's schema."""
        return str(self.settings_dict["SCHEMA"])


def writer_lock_id(schema: str) -> int:
    """Return the id of a schema's advisory lock: 64 bits of a digest, so no schools share it."""
    digest = hashlib.sha256(f"consent-gate:{schema}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _execute_in_transaction(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """A wrapper of ``execute`` that gives a single writing statement its own transaction.

    See Django's ``BaseDatabaseWrapper.execute_wrappers``.
    """
    connection = context["connection"]
    if connection.in_atomic_block or not str(sql).lstrip().upper().startswith(WRITE_STATEMENTS):
        return execute(sql, params, many, context)
    with transaction.atomic(using=connection.alias):
        return execute(sql, params, many, context)
