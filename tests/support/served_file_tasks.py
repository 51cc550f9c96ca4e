"""Tasks of a worker that read a file which the gate serves."""

from __future__ import annotations

import os
import signal
import time

from ingest.film.libav import SeekableFile
from ingest.workers.served_file import RemoteFile, ServedFile, report_progress, send_checkpoint
from tests.support.checkpoints import checkpoint_bytes


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


def last_bytes_with_progress(file: SeekableFile) -> bytes:
    """Read the end in parts, and report after each."""
    first = last_bytes(file, 3)[:1]
    report_progress(1.5, 60)
    rest = last_bytes(file, 2)
    report_progress(2, 60)
    return first + rest


def wait_long(_file: SeekableFile) -> bytes:
    """A film that takes longer than the test."""
    time.sleep(60)
    return b""


def send_a_checkpoint_and_die(file: ServedFile | RemoteFile) -> bytes:
    """Where the task began; ends the process if that is the beginning of the film."""
    if not file.checkpoint:
        send_checkpoint(checkpoint_bytes())
        os.kill(os.getpid(), signal.SIGKILL)
    return file.checkpoint


def send_no_checkpoint(_file: ServedFile | RemoteFile) -> bytes:
    """Send something else as a checkpoint, and wait."""
    send_checkpoint(b"\0\0\0\x02{}")
    time.sleep(60)
    return b""
