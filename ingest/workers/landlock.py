"""Limits a process to reading a few folders, with Landlock.

Landlock is part of Linux since version 5.13. A process that restricts itself can open no other
file, cannot trace or read the memory of a process outside, and cannot lift the restriction. Later
versions also refuse TCP connections, and signals to processes outside. Threads that exist already
are not restricted, so a process restricts itself while it has one thread. Source: the kernel's
Documentation/userspace-api/landlock.rst.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
"""Numbers of the system calls, the same on every machine type."""

GET_VERSION = 1
RULE_PATH_BENEATH = 1
READ_FILE, READ_FOLDER = 1 << 2, 1 << 3

FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 5: 16}
"""Number of file access rights that Landlock restricts, by the version from which it holds."""

NETWORK_RIGHTS = 0b11
"""Rights to bind and to connect TCP sockets, from version 4."""

SCOPES = 0b11
"""Scopes for abstract Unix sockets and signals, from version 6."""


class _Ruleset(ctypes.Structure):
    """``struct landlock_ruleset_attr``"""

    _fields_ = [
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    ]


class _PathRule(ctypes.Structure):
    """``struct landlock_path_beneath_attr``"""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32)]


def version() -> int:
    """The kernel's version of Landlock; 0 if it has none or the administrator disabled it."""
    library = ctypes.CDLL(None, use_errno=True)
    return max(0, int(library.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), GET_VERSION)))


def allow_reading_only(paths: Iterable[Path]) -> None:
    """Restrict this thread, and threads that it starts later, to reading these files and folders.

    PR_SET_NO_NEW_PRIVS must be set. Paths that do not exist are left out.

    Raises:
        OSError: The kernel cannot apply the restriction.
    """
    installed = version()
    rights = next((n for since, n in reversed(FILE_RIGHTS.items()) if installed >= since), 0)
    rules = _Ruleset(
        files=(1 << rights) - 1,
        network=NETWORK_RIGHTS if installed >= 4 else 0,
        scoped=SCOPES if installed >= 6 else 0,
    )
    # The size of the structure up to the last field that this version knows.
    size = 24 if installed >= 6 else 16 if installed >= 4 else 8
    ruleset = _call(CREATE_RULESET, ctypes.byref(rules), ctypes.c_size_t(size), 0)
    try:
        for path in paths:
            _allow_reading(ruleset, path)
        _call(RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow_reading(ruleset: int, path: Path) -> None:
    """Allow reading a file, or a folder with everything below it. A missing path is left out."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        allowed = READ_FILE | READ_FOLDER if path.is_dir() else READ_FILE
        _call(ADD_RULE, ruleset, RULE_PATH_BENEATH, ctypes.byref(_PathRule(allowed, handle)), 0)
    finally:
        os.close(handle)


def _call(number: int, *arguments: object) -> int:
    """Make a system call. Raises OSError if it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    result = int(library.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
