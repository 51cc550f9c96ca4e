"""What a hostile file might do to a worker, as functions that a worker can be given.

This module imports no models and no codecs, so a worker with these functions starts at once.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

from ingest.workers.sandbox import Confinement


def nothing() -> None:
    """A worker without models."""


SANDBOX = Confinement(megabytes=2048)
"""How an analysis worker is confined, for a worker without models."""


def cannot_start() -> None:
    raise ValueError("the model is not whole")


def add(a: int, b: int) -> int:
    return a + b


def environment_of_numpy() -> str:
    return os.environ.get("OMP_NUM_THREADS", "")


def blocks_kept_by_pillow() -> int:
    return int(Image.core.get_blocks_max())  # type: ignore[attr-defined]


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


def size_of(path: str) -> int:
    """The size of a file, read as a task of a worker."""
    return len(Path(path).read_bytes())
