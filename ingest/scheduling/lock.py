"""The lock of programs that claim photos, and the removal of vault files without a row.

The operating system releases the lock when its process ends in any way.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from consent_gate.db.models import Item, ItemState
from consent_gate.home.home import Home
from consent_gate.vault.originals import CHECKPOINT, vault_of
from ingest.scheduling.claims_under_way import forget_left_claims, left_claims

LOCK_FILE = ".ingest.lock"


@contextmanager
def ingest_lock(home: Home) -> Iterator[None]:
    """Hold the shared lock. Vault files without a row are not removed while any process holds it.

    Such a file may belong to a claim that is under way. A process that enters while no other holds
    the lock first removes the files that a crash left behind.
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
    """Another program claims photos at this home."""


@contextmanager
def exclusive_ingest_lock(home: Home) -> Iterator[None]:
    """Hold the exclusive lock, so that no program claims photos.

    Raises:
        IngestRunning: A program holds the lock.
    """
    descriptor = os.open(home.root / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if not _lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB):
            raise IngestRunning
        yield
    finally:
        os.close(descriptor)


def remove_orphans(home: Home) -> int:
    """Remove vault files without a row, which a crash left behind. Returns how many files.

    Their photos are still in the inbox, as the row is written before the inbox is changed. A file
    that this home did not begin stays: it may be another home's only copy of a photo.
    """
    vault, begun = vault_of(home), left_claims(home)
    known = set(Item.objects.filter(pk__in=begun).values_list("pk", flat=True))
    orphans = [name for name in begun if name not in known]
    for name in orphans:
        vault.remove(name)
    forget_left_claims(home)
    _remove_old_checkpoints(home)
    return len(orphans) + vault.remove_partials()


def _remove_old_checkpoints(home: Home) -> None:
    """Remove what an examination left behind that has ended, or whose item was closed meanwhile."""
    vault = vault_of(home)
    stored = list(vault.item_ids(CHECKPOINT))
    if not stored:
        return
    waiting = set(Item.objects.filter(state=ItemState.RECEIVED).values_list("pk", flat=True))
    for name in stored:
        if name not in waiting:
            vault.remove(name, CHECKPOINT)


def _lock(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation)
    except BlockingIOError:
        return False
    return True
