"""Restrict an analysis worker for good before it opens the first file.

Decoders are written in C and read files of unknown origin. A decoder that is taken over has no
network and cannot start a program, write a file or signal another process. Its memory and processor
time are limited, and it ends with the program that started it. It could still read what its account
may read, but cannot send it anywhere; ``docs/watching.md`` says what risk remains.

Rlimits and prctl are functions of Linux. System calls are filtered through libseccomp, the library
that systemd and container engines use. Where it is missing, the worker runs without this filter.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal

PR_SET_PDEATHSIG = 1
"""linux/prctl.h"""

ALLOW, DENY, DENY_AS_UNKNOWN = 0x7FFF0000, 0x00050001, 0x00050026
"""seccomp.h: SCMP_ACT_ALLOW; SCMP_ACT_ERRNO with EPERM, and with ENOSYS."""

CLONE_THREAD = 0x00010000
"""sched.h: without it ``clone`` makes a process, not a thread."""

FORBIDDEN_CALLS = (
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"),
    *("execve", "execveat", "fork", "vfork"),
    *("kill", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd"),
    *("creat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat"),
    *("symlink", "symlinkat", "truncate", "mkdir", "mkdirat", "chmod", "fchmodat", "mknodat"),
    *("mount", "bpf", "io_uring_setup", "open_by_handle_at", "userfaultfd", "keyctl"),
)
"""Calls answered with EPERM."""
UNAVAILABLE_CALLS = ("clone3", "openat2")
"""Calls answered with ENOSYS, as a filter cannot check their arguments, which lie in memory.
Callers then use the older calls."""


class _Comparison(ctypes.Structure):
    """``struct scmp_arg_cmp``: compares an argument of the call, after masking, with a value."""

    _fields_ = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    ]


MASKED_EQUAL = 7
"""SCMP_CMP_MASKED_EQ"""


def set_parent_death_signal(parent: int) -> None:
    """Make the kernel kill this process when the thread that started it ends.

    ``parent`` is the process id of the starting program.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
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


def apply_seccomp() -> bool:
    """Forbid network, new programs, writing and signals. False where libseccomp cannot do it."""
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return False
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]
    library.seccomp_load.argtypes = library.seccomp_release.argtypes = [ctypes.c_void_p]
    library.seccomp_rule_add_array.argtypes = [
        *(ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint),
        ctypes.POINTER(_Comparison),
    ]
    rules = library.seccomp_init(ALLOW)
    for name in FORBIDDEN_CALLS:
        _add(library, rules, DENY, name)
    for name in UNAVAILABLE_CALLS:
        _add(library, rules, DENY_AS_UNKNOWN, name)
    _add(library, rules, DENY, "clone", _Comparison(0, MASKED_EQUAL, CLONE_THREAD, 0))
    for mode in (os.O_WRONLY, os.O_RDWR):
        _add(library, rules, DENY, "open", _Comparison(1, MASKED_EQUAL, os.O_ACCMODE, mode))
        _add(library, rules, DENY, "openat", _Comparison(2, MASKED_EQUAL, os.O_ACCMODE, mode))
    loaded = library.seccomp_load(rules) == 0
    library.seccomp_release(rules)
    return bool(loaded)


def _add(
    library: ctypes.CDLL, rules: int, action: int, call: str, condition: _Comparison | None = None
) -> None:
    """Add one rule, unless this kind of machine does not have the call."""
    number = library.seccomp_syscall_resolve_name(call.encode())
    if number >= 0:
        comparisons = ctypes.byref(condition) if condition is not None else None
        library.seccomp_rule_add_array(
            rules, action, number, int(condition is not None), comparisons
        )
