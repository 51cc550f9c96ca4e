"""Tasks of a worker that read a file which the gate serves."""

from __future__ import annotations

import time

from ingest.film.libav import SeekableFile
from ingest.workers.served_file import RemoteFile, ServedFile


def last_bytes(file: SeekableFile, count: int) -> bytes:
    """The end of a file that the gate serves."""
    file.seek(-count, 2)
    return file.read()


def slow_last_bytes(file: SeekableFile, count: int) -> bytes:
    """The same after a second."""
    time.sleep(1)
    return last_bytes(file, count)


def ask_beyond_the_end(file: ServedFile | RemoteFile) -> bytes:
    """What the gate gives for a part that the file does not have."""
    return file._read_at(file.size - 1, 5)


def ask_without_a_file() -> bytes:
    """Ask for a part although the task has no file."""
    return RemoteFile(100)._read_at(0, 5)
