"""Which programs are taking photos in at this home, and tidying up when nobody else is.

A lock of the operating system goes with the process that holds it, however that ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from consent_gate.db.models import Item
from consent_gate.home.home import Home
from consent_gate.vault.originals import vault_of

LOCK_FILE = ".ingest.lock"


@contextmanager
def ingest_lock(home: Home) -> Iterator[None]:
    """While inside, nobody removes vault files that have no row yet: they may be ours.

    The first to enter removes what a crash left behind.
    """
    descriptor = os.open(home.root / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
            remove_orphans(home)
        _lock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


class IngestRunning(Exception):
    """A program is taking photos in at this home."""


@contextmanager
def exclusive_ingest_lock(home: Home) -> Iterator[None]:
    """While inside, no program takes photos in. Raises IngestRunning when one does."""
    descriptor = os.open(home.root / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
            raise IngestRunning
        yield
    finally:
        os.close(descriptor)


def remove_orphans(home: Home) -> int:
    """Remove what a crash left in the vault without a row. Returns how many files.

    Their photos are still in the inbox: the row is there before the inbox is touched.
    """
    vault = vault_of(home)
    known = set(Item.objects.values_list("pk", flat=True))
    orphans = [name for name in vault.item_ids() if name not in known]
    for name in orphans:
        vault.remove(name)
    return len(orphans) + vault.remove_partials()


def _lock(descriptor: int, how: int) -> bool:
    try:
        fcntl.flock(descriptor, how)
    except BlockingIOError:
        return False
    return True
