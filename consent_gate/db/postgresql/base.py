"""Django's PostgreSQL backend, with everything that writes waiting for its turn.

SQLite's ``IMMEDIATE`` transactions let one writer in at a time: what a transaction has read stays
so until it commits. The gate's decisions rest on that (the audit chain's newest entry, a consent
that is still given, a picture that nobody else decides). PostgreSQL would let two of them read the
same state and both go on. So a transaction begins with an advisory lock of the school's schema,
held until it ends, and a single statement that writes is given a transaction; reading outside one
waits for nobody. No place in the code can forget it.

Each school has a lock of its own. In one school transactions take milliseconds, and its audit chain
would have them wait for each other anyway (docs/adr/0010).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.postgresql import base

WRITES = ("INSERT", "UPDATE", "DELETE")


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to one school's schema."""

    data_types = {**base.DatabaseWrapper.data_types, "CharField": "varchar"}
    """Lengths are for forms. A long name in an export must not stop an import on one kind of
    database only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute_wrappers.append(_write_in_turn)

    def set_autocommit(
        self, autocommit: bool, force_begin_transaction_with_broken_autocommit: bool = False
    ) -> None:
        """Django calls this where an outermost transaction begins and ends."""
        super().set_autocommit(autocommit, force_begin_transaction_with_broken_autocommit)
        if not autocommit:
            self._wait_for_our_turn()

    def _wait_for_our_turn(self) -> None:
        try:
            with self.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [turnstile(self.schema)])
        except BaseException:
            self.close()  # never go on with half a transaction
            raise

    @property
    def schema(self) -> str:
        """The school's schema."""
        return str(self.settings_dict["SCHEMA"])


def turnstile(schema: str) -> int:
    """Number of a school's lock: 64 bits of a digest, so two schools never share one."""
    digest = hashlib.sha256(f"consent-gate:{schema}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def _write_in_turn(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """One of Django's wrappers of ``execute``: see ``BaseDatabaseWrapper.execute_wrappers``."""
    connection = context["connection"]
    if connection.in_atomic_block or not str(sql).lstrip().upper().startswith(WRITES):
        return execute(sql, params, many, context)
    with transaction.atomic(using=connection.alias):
        return execute(sql, params, many, context)
