"""Start the examination of an open file as a picture or as a film, by its first bytes."""

from __future__ import annotations

from concurrent.futures import Future
from typing import BinaryIO

from ingest.film.formats import HEAD_BYTES
from ingest.film.libav import is_film
from ingest.workers.analysis_pool import TaskRunner
from ingest.workers.served_file import serve_descriptor
from ingest.workers.worker import Examination, examine, examine_film


def submit_examination(pool: TaskRunner, file: BinaryIO) -> Future[Examination]:
    """Start the examination of a file of this machine, which must stay open until it ends."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if is_film(head):
        return pool.submit(examine_film, serve_descriptor(file.fileno()))
    return pool.submit(examine, file.read())
