"""Start the examination of an open file as a picture or as a film, by its first bytes."""

from __future__ import annotations

import logging
from concurrent.futures import Future
from functools import partial
from typing import BinaryIO

from django.db import DatabaseError, InterfaceError, close_old_connections

from consent_gate.db.models import Item, ItemState
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.home import Home
from consent_gate.vault.interface import PartReader
from consent_gate.vault.originals import CHECKPOINT, open_original, read_part, save_checkpoint
from ingest.film.animation_walk import is_film
from ingest.film.formats import HEAD_BYTES
from ingest.workers.analysis_pool import TaskRunner, served
from ingest.workers.examination import Examination
from ingest.workers.served_file import OnProgress, serve_descriptor
from ingest.workers.worker import examine, examine_film

log = logging.getLogger("consent_gate")


def open_if_film(home: Home, item: Item) -> PartReader | None:
    """Open the original of an item if it is a film. None for anything else.

    Raises:
        DecryptionError: The key or the file was altered.
        OSError: The file is missing or cannot be read.
        StoreUnavailable: The bucket does not answer.
    """
    original = open_original(home, item)
    try:
        if is_film(original.read_at(0, HEAD_BYTES)):
            return original
    except BaseException:
        original.close()
        raise
    original.close()
    return None


def submit_film(
    home: Home, pool: TaskRunner, item: Item, original: PartReader, on_progress: OnProgress
) -> Future[Examination]:
    """Start the examination of a film of the vault, or go on with one that was interrupted.

    Args:
        home: The installation.
        pool: Runs the examination.
        item: The film.
        original: Its original, which is closed when the examination has ended.
        on_progress: Called with how far the examination is.
    """
    file = served(original, on_progress)
    file.keep_checkpoints(_stored_checkpoint(home, item), partial(_store_checkpoint, home, item.pk))
    future = pool.submit(examine_film, file)
    future.add_done_callback(lambda _: original.close())
    return future


def _stored_checkpoint(home: Home, item: Item) -> bytes:
    """The checkpoint of an item. Empty where there is none, or where it was altered."""
    try:
        return read_part(home, item, CHECKPOINT)
    except FileNotFoundError:
        return b""
    except (OSError, DecryptionError, StorageFull):
        log.warning(
            "The stored part of an examination cannot be read: item %s begins anew.", item.pk
        )
        return b""


def _store_checkpoint(home: Home, item_id: str, checkpoint: bytes) -> None:
    """Store a checkpoint of an item that still waits. Without it a later one would do."""
    try:
        item = Item.objects.filter(pk=item_id, state=ItemState.RECEIVED).first()
        if item is not None:
            save_checkpoint(home, item, checkpoint)
    except (OSError, DecryptionError, StorageFull, DatabaseError, InterfaceError):
        log.warning("How far the examination of item %s is could not be stored.", item_id)
    finally:
        close_old_connections()  # the thread of a worker asks the database nothing else


def submit_examination(pool: TaskRunner, file: BinaryIO) -> Future[Examination]:
    """Start the examination of a file of this machine, which must stay open until it ends."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if is_film(head):
        return pool.submit(examine_film, serve_descriptor(file.fileno()))
    return pool.submit(examine, file.read())
