"""One file of the inbox becomes an item: copied into the vault first, then into the ledger.

The order makes a crash harmless anywhere. The encrypted copy is whole and synced before its row
exists; the row exists before the file in the inbox is touched. A copy without a row is removed at
the next start: its file is still in the inbox. The same bytes a second time are the same item.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from consent_gate.db import audit_log, jobs
from consent_gate.db.models import InboxSighting, Item, ItemState, Priority
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.home import Home
from consent_gate.ids import new_id
from consent_gate.vault.interface import StoredBlob
from consent_gate.vault.originals import read_part, vault_of
from ingest.inbox.scanner import InboxFile, file_stat, is_unchanged

ARCHIVES = "archive"
"""Folder of the inbox for old pictures, such as ``backfill --take-in`` copies: they wait for all
that was dropped in elsewhere."""

RESERVE = 200 << 20
"""Bytes of disk that photos may not take: withdrawing a picture must always be possible, and
the database needs room to note it."""


def claim(home: Home, candidate: InboxFile) -> bool | None:
    """Copy one file into the vault and enter it. True: a new item; False: bytes already known;
    None: the file changed under the copy, so nothing was entered. Raises OSError or StorageFull.
    """
    vault, item_id = vault_of(home), new_id()
    free = vault.free_bytes()
    if free is not None and free < candidate.stat.size + RESERVE:
        raise StorageFull("There is no room left to take photos in.")
    key, wrapped = vault.new_key(item_id)
    with open_regular_file(candidate) as source:
        stored = vault.write(item_id, key, source)
        is_same = file_stat(os.fstat(source.fileno())) == candidate.stat
    if stored.size != candidate.stat.size or not is_same or not is_unchanged(candidate):
        vault.remove(item_id)
        return None
    try:
        item, created = _enter(home, candidate, stored, item_id, wrapped)
    except Exception:
        if not Item.objects.filter(pk=item_id).exists():
            vault.remove(item_id)
        raise
    if not created:
        vault.remove(item_id)
    dispose_of_inbox_file(home, candidate, item)
    return created


def _enter(
    home: Home, candidate: InboxFile, stored: StoredBlob, item_id: str, wrapped: bytes
) -> tuple[Item, bool]:
    """The rows of a photo that lies in the vault: item, sighting and audit in one transaction."""
    in_archive = candidate.source.startswith(f"{ARCHIVES}/")
    wanted = Priority.ARCHIVE if in_archive else Priority.LIVE
    with transaction.atomic():
        item, created = Item.objects.get_or_create(
            sha256=stored.sha256,
            defaults={
                "id": item_id,
                "size": stored.size,
                "source": candidate.source,
                "event": candidate.source.rpartition("/")[0],
                "received_at": home.now(),
                "wrapped_key": wrapped,
                "priority": wanted,
            },
        )
        InboxSighting.objects.update_or_create(
            source=candidate.source,
            defaults={
                "item": item,
                "size": candidate.stat.size,
                "modified_ns": candidate.stat.modified_ns,
                "seen_at": home.now(),
            },
        )
        if not created and item.priority > wanted:
            Item.objects.filter(pk=item.pk).update(priority=wanted)  # somebody wants it now
            if item.state == ItemState.RECEIVED:
                jobs.enqueue_examination(home, item.pk, wanted)
        if created:
            detail = {"sha256": stored.sha256, "size": stored.size}
            audit_log.record(home, "item.received", f"item:{item.pk}", detail)
            jobs.enqueue_examination(home, item.pk, wanted)
    return item, created


def open_regular_file(candidate: InboxFile) -> BinaryIO:
    """Open a regular file without following a link. Raises OSError."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.fdopen(os.open(candidate.path, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return file


def dispose_of_inbox_file(home: Home, candidate: InboxFile, item: Item) -> None:
    """Do with the file in the inbox what the settings say, once the copy is proven good.

    What cannot be cleared away now is tried again at every later look.
    """
    afterwards = home.settings.inbox.afterwards
    if afterwards == "leave" or not _verify_copy(home, item) or not is_unchanged(candidate):
        return  # one that changed since is taken in again
    try:
        if afterwards == "delete":
            candidate.path.unlink(missing_ok=True)
        else:
            _move_to_done(home, candidate, item)
    except OSError:
        return


def _move_to_done(home: Home, candidate: InboxFile, item: Item) -> None:
    target: Path = home.root / "done" / candidate.source
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target = target.with_name(f"{item.pk}{target.suffix}")
    shutil.move(candidate.path, target)


def _verify_copy(home: Home, item: Item) -> bool:
    """Whether the vault gives the photo back. A film too large for memory stays in the inbox."""
    if item.size > home.settings.analysis.max_megabytes << 20:
        return False
    try:
        return hashlib.sha256(read_part(home, item)).hexdigest() == item.sha256
    except (OSError, DecryptionError):
        return False
