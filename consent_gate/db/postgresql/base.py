"""Django's PostgreSQL backend, with every transaction waiting for its turn.

SQLite's ``IMMEDIATE`` transactions let one writer in at a time: what a transaction has read stays
so until it commits. The gate's decisions rest on that (the audit chain's newest entry, a consent
that is still given, a picture that nobody else decides). PostgreSQL would let two of them read the
same state and both go on. So a transaction begins with an advisory lock of the school's schema,
held until it ends; reading outside one waits for nobody. No place in the code can forget it.

Each school has a lock of its own. In one school transactions take milliseconds, and its audit chain
would have them wait for each other anyway (docs/adr/0010).
"""

from __future__ import annotations

import hashlib

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]  # Django's is untyped here
    """A connection to one school's schema."""

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
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [self._turnstile()])
        except BaseException:
            self.close()  # never go on with half a transaction
            raise

    def _turnstile(self) -> int:
        """Number of the school's lock: 64 bits of a digest, so two schools never share one."""
        name = f"consent-gate:{self.settings_dict['SCHEMA']}"
        digest = hashlib.sha256(name.encode()).digest()
        return int.from_bytes(digest[:8], signed=True)
