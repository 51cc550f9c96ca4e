"""Make an item of one file of the inbox: copy it into the vault, then write its rows.

This order makes a crash harmless at any point. The encrypted copy is complete and synced before
its row exists. The row exists before the file in the inbox is moved or deleted. The next start
removes a copy without a row, as its file is still in the inbox. A second file with the same bytes
belongs to the same item.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import closing, suppress
from dataclasses import replace
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from django.db import transaction

from consent_gate.db import audit_log, jobs
from consent_gate.db.models import InboxSighting, Item, ItemState, Priority
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.filesystem import is_same_file, open_regular_file
from consent_gate.home.home import Home
from consent_gate.home.ids import new_id
from consent_gate.vault.interface import CHUNK, StoredBlob
from consent_gate.vault.originals import open_original, vault_of
from ingest.inbox.scanner import InboxFile, file_stat, is_unchanged
from ingest.scheduling.claims_under_way import noted_claim

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
    free = vault_of(home).free_bytes()
    if free is not None and free < inbox_file.stat.size + RESERVED_BYTES:
        raise StorageFull("The disk has no room left for new photos.")
    item_id = new_id()
    with noted_claim(home, item_id):
        claimed = _store(home, inbox_file, item_id)
    if claimed is None:
        return None
    item, created = claimed
    dispose_of_inbox_file(home, inbox_file, item)
    return created


def _store(home: Home, inbox_file: InboxFile, item_id: str) -> tuple[Item, bool] | None:
    """Copy one file into the vault and write its rows. ``item_id`` is a new item's.

    Returns:
        The item of these bytes and whether it is new; None where the file changed meanwhile.
    """
    vault = vault_of(home)
    key, wrapped = vault.new_key(item_id)
    with open_regular_file(inbox_file.path) as source:
        bounded = cast(BinaryIO, _SizeLimitedReader(source, inbox_file.stat.size + 1))
        stored = vault.write(item_id, key, bounded)
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
    return item, created


class _SizeLimitedReader:
    """Reads at most so many bytes of a file that may grow while it is read."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file, self._left = file, limit

    def read(self, size: int) -> bytes:
        data = self._file.read(min(size, self._left))
        self._left -= len(data)
        return data


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
                "changed_ns": inbox_file.stat.changed_ns,
                "inode": inbox_file.stat.inode,
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


def dispose_of_inbox_file(home: Home, inbox_file: InboxFile, item: Item) -> bool:
    """Leave, move or delete the file in the inbox, as the settings say.

    The file is moved or deleted only if its bytes, read again now, are those of the item, and the
    vault returns them. Otherwise it stays. A failure is ignored; a later scan tries again.

    Returns:
        False where the file was read and has other bytes than the item.
    """
    afterwards = home.settings.inbox.afterwards
    if afterwards == "leave":
        return True
    with suppress(OSError), open_regular_file(inbox_file.path) as file:
        if _digest(file, item.size) != item.sha256:
            return False
        if not is_copy_readable(home, item):
            return True
        if afterwards == "move" and not _place_in_done(home, inbox_file, file, item):
            return True
        if _is_as_scanned(inbox_file, file, moved=afterwards == "move"):
            inbox_file.path.unlink()
    return True


def _is_as_scanned(inbox_file: InboxFile, file: BinaryIO, *, moved: bool) -> bool:
    """Whether the open file has not changed since the scan and the name still leads to it.

    ``moved``: a second name was given to the file, which sets its change time.
    """
    now, then = file_stat(os.fstat(file.fileno())), inbox_file.stat
    if moved:
        now, then = replace(now, changed_ns=0), replace(then, changed_ns=0)
    return now == then and is_same_file(inbox_file.path, file)


def _place_in_done(home: Home, inbox_file: InboxFile, file: BufferedReader, item: Item) -> bool:
    """Give the file a name in ``done``, never one that another photo has.

    Returns whether ``done`` now has these bytes. Review's sealing searches the same two names.
    """
    target: Path = home.root / "done" / inbox_file.source
    if not _is_as_scanned(inbox_file, file, moved=False):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    for path in (target, target.with_name(f"{item.pk}{target.suffix}")):
        with suppress(OSError):  # the name is taken, or too long for this disk
            _link_or_copy(inbox_file.path, file, path)
        with suppress(OSError), open_regular_file(path) as done:
            if _digest(done, item.size) == item.sha256:
                return True
    return False


def _link_or_copy(path: Path, file: BinaryIO, target: Path) -> None:
    """Make ``target`` the open file, or a copy of it where it lies on another disk.

    Raises:
        FileExistsError: There is a file of this name.
        OSError: The file cannot be written.
    """
    try:
        os.link(path, target)
    except FileExistsError:
        raise
    except OSError:
        with target.open("xb") as copy:
            try:
                file.seek(0)
                shutil.copyfileobj(file, copy)
                copy.flush()
                os.fsync(copy.fileno())
            except OSError:
                target.unlink()
                raise


def _digest(file: BufferedReader, size: int) -> str:
    """SHA-256 of an open file; empty if it has not exactly ``size`` bytes."""
    if os.fstat(file.fileno()).st_size != size:
        return ""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def is_copy_readable(home: Home, item: Item) -> bool:
    """Whether the vault returns the file. It is read in parts, as a film may have gigabytes."""
    digest = hashlib.sha256()
    try:
        with closing(open_original(home, item)) as original:
            for offset in range(0, original.size, CHUNK):
                digest.update(original.read_at(offset, CHUNK))
        return digest.hexdigest() == item.sha256
    except (OSError, DecryptionError):
        return False
