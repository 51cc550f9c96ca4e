"""Make an item of one file of the inbox: copy it into the vault, then write its rows.

This order makes a crash harmless at any point. The encrypted copy is complete and synced before
its row exists. The row exists before the file in the inbox is moved or deleted. The next start
removes a copy without a row, as its file is still in the inbox. A second file with the same bytes
belongs to the same item.
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
"""Folder of the inbox for old pictures, such as the copies of ``backfill --take-in``.

They are examined after all photos from the other folders.
"""

RESERVED_BYTES = 200 << 20
"""Bytes of disk that stay free: the database needs room to record that a picture was withdrawn."""


def claim(home: Home, inbox_file: InboxFile) -> bool | None:
    """Copy one file into the vault and write its rows.

    Returns:
        True for a new item, False where the bytes are already an item, and None where the file
        changed while it was copied; then nothing was written.

    Raises:
        OSError: The file cannot be read or the vault cannot be written.
        StorageFull: The disk has less than ``RESERVED_BYTES`` left beside the file.
    """
    vault, item_id = vault_of(home), new_id()
    free = vault.free_bytes()
    if free is not None and free < inbox_file.stat.size + RESERVED_BYTES:
        raise StorageFull("The disk has no room left for new photos.")
    key, wrapped = vault.new_key(item_id)
    with open_regular_file(inbox_file) as source:
        stored = vault.write(item_id, key, source)
        is_same = file_stat(os.fstat(source.fileno())) == inbox_file.stat
    if stored.size != inbox_file.stat.size or not is_same or not is_unchanged(inbox_file):
        vault.remove(item_id)
        return None
    try:
        item, created = _save_rows(home, inbox_file, stored, item_id, wrapped)
    except Exception:
        if not Item.objects.filter(pk=item_id).exists():
            vault.remove(item_id)
        raise
    if not created:
        vault.remove(item_id)
    dispose_of_inbox_file(home, inbox_file, item)
    return created


def _save_rows(
    home: Home, inbox_file: InboxFile, stored: StoredBlob, item_id: str, wrapped: bytes
) -> tuple[Item, bool]:
    """Write item, sighting, audit entry and job of a photo in the vault, in one transaction."""
    in_archive = inbox_file.source.startswith(f"{ARCHIVES}/")
    priority = Priority.ARCHIVE if in_archive else Priority.LIVE
    with transaction.atomic():
        item, created = Item.objects.get_or_create(
            sha256=stored.sha256,
            defaults={
                "id": item_id,
                "size": stored.size,
                "source": inbox_file.source,
                "event": inbox_file.source.rpartition("/")[0],
                "received_at": home.now(),
                "wrapped_key": wrapped,
                "priority": priority,
            },
        )
        InboxSighting.objects.update_or_create(
            source=inbox_file.source,
            defaults={
                "item": item,
                "size": inbox_file.stat.size,
                "modified_ns": inbox_file.stat.modified_ns,
                "seen_at": home.now(),
            },
        )
        if not created and item.priority > priority:
            Item.objects.filter(pk=item.pk).update(
                priority=priority
            )  # it was also dropped in as a new photo
            if item.state == ItemState.RECEIVED:
                jobs.enqueue_examination(home, item.pk, priority)
        if created:
            detail = {"sha256": stored.sha256, "size": stored.size}
            audit_log.record(home, "item.received", f"item:{item.pk}", detail)
            jobs.enqueue_examination(home, item.pk, priority)
    return item, created


def open_regular_file(inbox_file: InboxFile) -> BinaryIO:
    """Open a regular file without following a link.

    Raises:
        OSError: The file cannot be opened or is not a regular file.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.fdopen(os.open(inbox_file.path, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return file


def dispose_of_inbox_file(home: Home, inbox_file: InboxFile, item: Item) -> None:
    """Leave, move or delete the file in the inbox, as the settings say, if the copy is good.

    A failure is ignored; a later scan tries again.
    """
    afterwards = home.settings.inbox.afterwards
    if afterwards == "leave" or not _verify_copy(home, item) or not is_unchanged(inbox_file):
        return  # a file that changed since is claimed again
    try:
        if afterwards == "delete":
            inbox_file.path.unlink(missing_ok=True)
        else:
            _move_to_done(home, inbox_file, item)
    except OSError:
        return


def _move_to_done(home: Home, inbox_file: InboxFile, item: Item) -> None:
    target: Path = home.root / "done" / inbox_file.source
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target = target.with_name(f"{item.pk}{target.suffix}")
    shutil.move(inbox_file.path, target)


def _verify_copy(home: Home, item: Item) -> bool:
    """Whether the vault returns the photo. False for a file too large to read into memory."""
    if item.size > home.settings.analysis.max_megabytes << 20:
        return False
    try:
        return hashlib.sha256(read_part(home, item)).hexdigest() == item.sha256
    except (OSError, DecryptionError):
        return False
