"""A real worker whose decoder dies of some files."""

from __future__ import annotations

import ctypes

from ingest.decoding.decode import DecodedImage, DecodeLimits
from ingest.decoding.decode import decode as decode_picture
from ingest.workers import worker
from ingest.workers.worker_config import WorkerConfig

WILD_POINTER, FAILED_ASSERTION, BOMB = b"[wild pointer]", b"[failed assertion]", b"[bomb]"
"""Ends of files, behind the picture's own end."""


def start_with_a_fragile_decoder(setup: WorkerConfig) -> None:
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
