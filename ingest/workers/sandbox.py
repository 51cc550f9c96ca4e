"""What an analysis worker gives up before it touches the first file, for good.

Decoders are written in C and read files from anywhere. Should one be taken over, it finds itself
without network, unable to start a program, to write a file or to signal another process, with
bounded memory and processor time, and it dies with the program that started it. It could still
read what the account may read, but has nobody to tell: ``docs/watching.md`` says what remains.

Rlimits and prctl are Linux's own. System calls are filtered through libseccomp, the library that
systemd and container engines use; where it is missing, the worker goes on without that filter.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal

PR_SET_PDEATHSIG = 1
"""linux/prctl.h"""

ALLOW, REFUSE, UNKNOWN_CALL = 0x7FFF0000, 0x00050001, 0x00050026
"""seccomp.h: SCMP_ACT_ALLOW; SCMP_ACT_ERRNO with EPERM, and with ENOSYS."""

CLONE_THREAD = 0x00010000
"""sched.h: without it ``clone`` makes a process, not a thread."""

FORBIDDEN = (
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"),
    *("execve", "execveat", "fork", "vfork"),
    *("kill", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd"),
    *("creat", "unlink", "unlinkat", "rename", "renameat", "renameat2", "link", "linkat"),
    *("symlink", "symlinkat", "truncate", "mkdir", "mkdirat", "chmod", "fchmodat", "mknodat"),
    *("mount", "bpf", "io_uring_setup", "open_by_handle_at", "userfaultfd", "keyctl"),
)
SAID_TO_BE_UNKNOWN = ("clone3", "openat2")
"""Their arguments lie in memory where a filter cannot see them; callers fall back to older ones."""


class _Comparison(ctypes.Structure):
    """``struct scmp_arg_cmp``: an argument of the call, masked, equals a value."""

    _fields_ = [
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    ]


MASKED_EQUAL = 7
"""SCMP_CMP_MASKED_EQ"""


def set_parent_death_signal(parent: int) -> None:
    """Have the kernel end this process when the thread that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it ended before the call


def limit_memory(megabytes: int) -> None:
    """Bound the address space, and leave no memory dumps: they would hold pictures."""
    limit = megabytes << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_processor_time(seconds: int) -> None:
    """End this process should it use so many more seconds of processor time from now on."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime) + seconds
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def apply_seccomp() -> bool:
    """Forbid network, programs, writing and signals to others. False where that is impossible."""
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
    for name in FORBIDDEN:
        _add(library, rules, REFUSE, name)
    for name in SAID_TO_BE_UNKNOWN:
        _add(library, rules, UNKNOWN_CALL, name)
    _add(library, rules, REFUSE, "clone", _Comparison(0, MASKED_EQUAL, CLONE_THREAD, 0))
    for mode in (os.O_WRONLY, os.O_RDWR):
        _add(library, rules, REFUSE, "open", _Comparison(1, MASKED_EQUAL, os.O_ACCMODE, mode))
        _add(library, rules, REFUSE, "openat", _Comparison(2, MASKED_EQUAL, os.O_ACCMODE, mode))
    loaded = library.seccomp_load(rules) == 0
    library.seccomp_release(rules)
    return bool(loaded)


def _add(
    library: ctypes.CDLL, rules: int, action: int, call: str, when: _Comparison | None = None
) -> None:
    """One rule; a call that this kind of machine does not have needs none."""
    number = library.seccomp_syscall_resolve_name(call.encode())
    if number >= 0:
        comparisons = ctypes.byref(when) if when is not None else None
        library.seccomp_rule_add_array(rules, action, number, int(when is not None), comparisons)
