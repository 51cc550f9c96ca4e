"""What a hostile file might do to a worker, as functions that a worker can be given."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from ingest.decoding.decode import DecodedImage, DecodeLimits
from ingest.decoding.decode import decode as decode_picture
from ingest.film.libav import SeekableFile
from ingest.workers import worker
from ingest.workers.sandbox import Confinement
from ingest.workers.served_file import RemoteFile, ServedFile

WILD_POINTER, FAILED_ASSERTION, BOMB = b"[wild pointer]", b"[failed assertion]", b"[bomb]"
"""Ends of files, behind the picture's own end."""


def nothing() -> None:
    """A worker without models."""


SANDBOX = Confinement(megabytes=2048)
"""How an analysis worker is confined, for a worker without models."""


def start_with_a_fragile_decoder(setup: worker.WorkerConfig) -> None:
    """The real worker with its models and limits, whose decoder dies of three kinds of file.

    As a fault in a library written in C would: a wild pointer, a failed assertion, a bomb.
    """
    worker.start(setup)
    whole, libc = decode_picture, ctypes.CDLL(None)

    def decode(data: bytes, limits: DecodeLimits) -> DecodedImage:
        if data.endswith(WILD_POINTER):
            ctypes.string_at(8)
        if data.endswith(FAILED_ASSERTION):
            libc.abort()
        if data.endswith(BOMB):
            fill_memory(libc)
        return whole(data, limits)

    setattr(worker, "decode", decode)  # noqa: B010  the name that the worker imported


def fill_memory(libc: ctypes.CDLL) -> None:
    """As C does that never looks at what malloc returned."""
    libc.malloc.restype = ctypes.c_void_p
    libc.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    while True:
        libc.memset(libc.malloc(ctypes.c_size_t(256 << 20)), 1, 256 << 20)


def cannot_start() -> None:
    raise ValueError("the model is not whole")


def add(a: int, b: int) -> int:
    return a + b


def who_am_i() -> int:
    return os.getpid()


def abort() -> None:
    os.abort()


def read_where_nothing_is() -> None:
    ctypes.string_at(8)


def hang() -> None:
    while True:
        time.sleep(60)


def spin() -> None:
    while True:
        pass


def eat_memory() -> int:
    return sum(len(block) for block in [bytearray(64 << 20) for _ in range(1000)])


def raise_an_error() -> None:
    raise LookupError("IMG_0042 shows somebody")


def abort_the_first_time(note: str) -> str:
    """As a worker that the system killed for want of memory: the next one gets through."""
    path = Path(note)
    if not path.exists():
        path.touch()
        os.abort()
    return "done"


def say_you_started_then_hang(note: str) -> None:
    Path(note).write_text(str(os.getpid()))
    hang()


def forbidden_things(folder: str, other: int) -> dict[str, str]:
    """Everything a decoder that was taken over would like to do, and what came of it."""
    existing = Path(folder, "existing")
    return {
        "call home": _try(lambda: socket.create_connection(("127.0.0.1", 9), timeout=1)),
        "run a program": _try(lambda: subprocess.run([sys.executable, "-V"], check=True)),
        "fork": _try(os.fork),
        "write a new file": _try(lambda: Path(folder, "new").write_text("x")),
        "write into a file": _try(lambda: existing.open("r+").write("x")),
        "delete a file": _try(existing.unlink),
        "rename a file": _try(lambda: existing.rename(existing.with_name("renamed"))),
        "end another process": _try(lambda: os.kill(other, signal.SIGKILL)),
    }


def _try(what: object) -> str:
    try:
        what()  # type: ignore[operator]
    except PermissionError:
        return "refused"
    except OSError as error:
        return f"failed: {error}"
    return "done"


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
