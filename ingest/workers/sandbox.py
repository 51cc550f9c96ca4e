"""Restrict an analysis worker for good before it opens the first file.

Decoders are written in C and read files of unknown origin. A decoder that is taken over can read
the program's own libraries and models and answer through its pipe, and nothing else. Its memory and
processor time are limited, and it ends with the program that started it. docs/adr/0015-sandbox.md
has the reasons, docs/threat-model.md the risk that remains.

``enter`` runs first, while the process has one thread and has loaded nothing.
``restrict_for_good`` runs when the models are loaded. All of it needs Linux.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import resource
import signal
import site
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingest.workers import landlock, seccomp

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
"""linux/prctl.h"""

CAPABILITY_VERSION = 0x20080522
"""linux/capability.h: _LINUX_CAPABILITY_VERSION_3"""

PACKAGES = ("consent_gate", "ingest", "publish")
"""Packages of the program that a worker imports from."""

SYSTEM_PATHS = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo"),
    *("/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/urandom"),
    *("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu"),
)
"""Shared libraries, and what these read about the machine."""

KEPT_VARIABLES = (
    "PATH",
    "HOME",
    "TZ",
    "LANG",
    "LC_",
    "PYTHON",
    "LD_LIBRARY_PATH",
    "OMP_",
    "OPENBLAS_",
)
"""Beginnings of the names of environment variables that a worker keeps. Others may hold passwords,
as settings can come from the environment."""


@dataclass(frozen=True)
class Confinement:
    """How a worker is restricted."""

    megabytes: int
    """Limit of the address space."""
    required: bool = True
    """Whether the worker refuses to run where the kernel cannot restrict it completely."""
    files: tuple[Path, ...] = ()
    """Files that it may read besides the program: the school's own face model."""


def missing_parts() -> tuple[str, ...]:
    """The parts of the sandbox that this machine does not have; empty where it is complete."""
    parts = []
    if not seccomp.is_available():
        parts.append("seccomp (system calls are not limited)")
    if landlock.version() < 1:
        parts.append("Landlock (a worker can read files of this account)")
    return tuple(parts)


def enter(confinement: Confinement, pipe: int, packages: Iterable[str] = PACKAGES) -> None:
    """Restrict memory, descriptors, environment and files, before anything is loaded.

    Args:
        confinement: How to restrict the process.
        pipe: The only descriptor that stays open, besides 0, 1 and 2, which become /dev/null.
        packages: Packages whose source may be read.

    Raises:
        OSError: The kernel lacks a part that is required.
    """
    limit_memory(confinement.megabytes)
    _close_descriptors(pipe)
    _forget_environment()
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    hide_memory()
    paths, threads = [*readable_paths(packages), *confinement.files], _thread_count()
    try:
        landlock.allow_reading_only(paths)
        if threads != 1:
            raise OSError("The process has several threads already.")
    except OSError:
        if confinement.required:
            raise


def enter_server(folders: Iterable[Path], packages: Iterable[str], megabytes: int) -> None:
    """Restrict a server that reads a few folders. Its listening socket must be open already.

    Afterwards the process can open files of the program and of ``folders`` for reading, and no
    other. Where the kernel can, it cannot connect to anything either. It answers on connections
    that others make. Must run while the process has one thread.

    Args:
        folders: What the server may read besides the program.
        packages: Packages whose source may be read.
        megabytes: Limit of the address space.

    Raises:
        OSError: The kernel cannot apply the restriction, or there are several threads.
    """
    limit_memory(megabytes)
    _forget_environment()
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    hide_memory()
    if _thread_count() != 1:
        raise OSError("The process has several threads already.")
    landlock.allow_reading_only([*readable_paths(packages), *folders])
    _drop_capabilities()


def enter_reader(packages: Iterable[str]) -> None:
    """Restrict a process that reads one file from standard input and writes to standard output.

    Everything must be loaded, and standard input must be read. Afterwards the process can open
    files of the program for reading, and no other. It can make no connection and start no program.
    A part that the kernel lacks is left out; ``doctor`` names it.

    Args:
        packages: Packages whose source may be read.
    """
    _forget_environment()
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    hide_memory()
    if _thread_count() == 1:  # Landlock does not restrict threads that exist already
        with suppress(OSError):
            landlock.allow_reading_only(readable_paths(packages))
    _drop_capabilities()
    with suppress(OSError):
        seccomp.restrict_calls()


def restrict_server_calls() -> None:
    """Limit a server's system calls. Everything that answers requests must be loaded before.

    Raises:
        OSError: The kernel cannot filter system calls.
    """
    seccomp.restrict_calls(server=True)


def restrict_for_good(confinement: Confinement) -> None:
    """Limit system calls and give up all capabilities. Everything must be loaded before.

    Raises:
        OSError: The kernel cannot filter system calls, and it is required.
    """
    _drop_capabilities()
    try:
        seccomp.restrict_calls()
    except OSError:
        if confinement.required:
            raise


def readable_paths(packages: Iterable[str] = PACKAGES) -> list[Path]:
    """The files and folders that a confined worker may read: Python, libraries and models."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {str(Path(sys.base_prefix) / "lib"), *site.getsitepackages(), *SYSTEM_PATHS}
    for name in packages:
        folders.update(importlib.import_module(name).__path__)
    return [Path(folder) for folder in sorted(folders)]


def hide_memory() -> None:
    """Forbid other processes of this account to trace this one, and core dumps of it."""
    _prctl(PR_SET_DUMPABLE, 0)


def set_parent_death_signal(parent: int) -> None:
    """Make the kernel kill this process when the thread that started it ends.

    ``parent`` is the process id of the starting program.
    """
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)  # the parent ended before the call


def limit_memory(megabytes: int) -> None:
    """Limit the address space, and write no core dumps, because they would contain pictures."""
    limit = megabytes << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_processor_time(seconds: int) -> None:
    """Make the kernel end this process after ``seconds`` more seconds of processor time."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime) + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def _thread_count() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def _close_descriptors(pipe: int) -> None:
    """Close all descriptors but ``pipe``; connect standard input and output to nothing."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(3, pipe)
    os.closerange(pipe + 1, 1 << 20)


def _forget_environment() -> None:
    """Remove other environment variables and overwrite their values in memory."""
    library = ctypes.CDLL(None)
    environ = ctypes.POINTER(ctypes.c_void_p).in_dll(library, "environ")
    library.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
    entries: list[int | None] = []
    while environ[len(entries)]:
        entries.append(environ[len(entries)])
    doomed = []
    for address in entries:
        entry = ctypes.string_at(address or 0)
        if not os.fsdecode(entry).startswith(KEPT_VARIABLES):
            doomed.append((address, len(entry)))
    for name in list(os.environ):
        if not name.startswith(KEPT_VARIABLES):
            del os.environ[name]
    for address, length in doomed:
        library.memset(address, 0, length)


def _drop_capabilities() -> None:
    """Give up what the root account may do; an ordinary account has no capabilities."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    ctypes.CDLL(None).capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(value), 0, 0, 0)
