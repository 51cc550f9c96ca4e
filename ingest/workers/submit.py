"""Start the examination of an open file as a picture or as a film, by its first bytes."""

from __future__ import annotations

from concurrent.futures import Future
from typing import BinaryIO

from consent_gate.db.models import Item
from consent_gate.home.home import Home
from consent_gate.vault.interface import PartReader
from consent_gate.vault.originals import open_original
from ingest.film.animation_walk import is_film
from ingest.film.formats import HEAD_BYTES
from ingest.workers.analysis_pool import TaskRunner, served
from ingest.workers.examination import Examination
from ingest.workers.served_file import OnProgress, serve_descriptor
from ingest.workers.worker import examine, examine_film


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
    pool: TaskRunner, original: PartReader, on_progress: OnProgress
) -> Future[Examination]:
    """Start the examination of a film of the vault, which is closed when that has ended."""
    future = pool.submit(examine_film, served(original, on_progress))
    future.add_done_callback(lambda _: original.close())
    return future


def submit_examination(pool: TaskRunner, file: BinaryIO) -> Future[Examination]:
    """Start the examination of a file of this machine, which must stay open until it ends."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if is_film(head):
        return pool.submit(examine_film, serve_descriptor(file.fileno()))
    return pool.submit(examine, file.read())
