"""Limits a process to the system calls that decoding and examining pictures need.

The filter is a program in classic BPF that the kernel runs before each system call. It needs no
library. Calls that are not listed fail with EPERM. The filter applies to all threads of the process
and cannot be removed. Source: the kernel's Documentation/userspace-api/seccomp_filter.rst.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

SECCOMP_CALL = {"x86_64": 317, "aarch64": 277}
"""Number of ``seccomp(2)``, by machine type."""

AUDIT_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""Values of AUDIT_ARCH_X86_64 and AUDIT_ARCH_AARCH64 (linux/audit.h)."""

SET_MODE_FILTER, GET_ACTION_AVAILABLE = 1, 2
FLAG_ALL_THREADS = 1
"""linux/seccomp.h: SECCOMP_SET_MODE_FILTER, SECCOMP_GET_ACTION_AVAIL, SECCOMP_FILTER_FLAG_TSYNC."""

ALLOW, KILL_PROCESS, FAIL = 0x7FFF0000, 0x80000000, 0x00050000
"""SECCOMP_RET_ALLOW, SECCOMP_RET_KILL_PROCESS, and SECCOMP_RET_ERRNO, to which the error number is
added."""

LOAD_WORD, JUMP_IF_EQUAL, AND, RETURN = 0x20, 0x15, 0x54, 0x06
"""linux/bpf_common.h: BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_ALU|BPF_AND|BPF_K,
BPF_RET|BPF_K."""

NUMBER_OFFSET, ARCHITECTURE_OFFSET, ARGUMENTS_OFFSET = 0, 4, 16
"""Offsets in bytes in ``struct seccomp_data``. An argument takes 8 bytes, the low word first."""

CLONE_THREAD = 0x00010000
"""sched.h. Without this flag ``clone`` starts a process, not a thread."""

PR_SET_NAME, PR_GET_NAME = 15, 16
TCGETS, FIOCLEX, FIONBIO = 0x5401, 0x5451, 0x5421
"""asm-generic/ioctls.h. ``isatty`` uses the first. Python sets close-on-exec by the second, and
makes a socket non-blocking by the third."""
F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC = 1, 2, 3, 4, 1030
WRITING = os.O_ACCMODE | os.O_CREAT | os.O_TRUNC
"""Flags of ``open`` that are all zero if a file is opened for reading only."""

ALLOWED_CALLS: dict[str, tuple[int | None, int | None]] = {
    # The most frequent calls come first, because the kernel runs the filter from its beginning.
    "futex": (202, 98),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "madvise": (28, 233),
    "sched_yield": (24, 124),
    "read": (0, 63),
    "write": (1, 64),
    "readv": (19, 65),
    "writev": (20, 66),
    "pread64": (17, 67),
    "lseek": (8, 62),
    "close": (3, 57),
    "fstat": (5, 80),
    "stat": (4, None),
    "lstat": (6, None),
    "newfstatat": (262, 79),
    "statx": (332, 291),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "access": (21, None),
    "faccessat": (269, 48),
    "getdents64": (217, 61),
    "getcwd": (79, 17),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "brk": (12, 214),
    "membarrier": (324, 283),
    "futex_waitv": (449, 449),
    "sched_getaffinity": (204, 123),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "gettid": (186, 178),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "gettimeofday": (96, 169),
    "time": (201, None),
    "getrandom": (318, 278),
    "getrlimit": (97, 163),
    "setrlimit": (160, 164),
    "getrusage": (98, 165),
    "times": (100, 153),
    "poll": (7, None),
    "ppoll": (271, 73),
    "select": (23, None),
    "pselect6": (270, 72),
    "uname": (63, 160),
    "sysinfo": (99, 179),
    "getcpu": (309, 168),
    "getuid": (102, 174),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getegid": (108, 177),
}
"""Numbers of each call on x86_64 and on aarch64; None if the machine type lacks the call."""

SERVER_CALLS: dict[str, tuple[int | None, int | None]] = {
    "accept": (43, 202),
    "accept4": (288, 242),
    "recvfrom": (45, 207),
    "sendto": (44, 206),
    "shutdown": (48, 210),
    "getsockname": (51, 204),
    "getpeername": (52, 205),
    "setsockopt": (54, 208),
    "getsockopt": (55, 209),
}
"""What a server needs besides, once its socket listens. It makes no socket and no connection."""

UNAVAILABLE_CALLS = {"clone3": (435, 435), "openat2": (437, 437), "faccessat2": (439, 439)}
"""Calls that fail with ENOSYS, because a filter cannot check arguments in memory. Callers then use
the older calls."""


@dataclass(frozen=True)
class _Condition:
    """Allows a call if the low word of an argument, masked, has one of these values."""

    numbers: tuple[int | None, int | None]
    argument: int
    values: tuple[int, ...]
    mask: int = 0xFFFFFFFF


def _conditions(*, server: bool) -> tuple[_Condition, ...]:
    """The calls that are allowed with certain arguments only."""
    more_fcntl, more_ioctl = ((F_SETFL,), (FIONBIO,)) if server else ((), ())
    return (
        _Condition((2, None), 1, (0,), WRITING),  # open
        _Condition((257, 56), 2, (0,), WRITING),  # openat
        _Condition((56, 220), 0, (CLONE_THREAD,), CLONE_THREAD),  # clone
        _Condition((234, 131), 0, (os.getpid(),)),  # tgkill, by which abort() ends this process
        _Condition((302, 261), 0, (0, os.getpid())),  # prlimit64
        _Condition((157, 167), 0, (PR_SET_NAME, PR_GET_NAME)),  # prctl
        _Condition((72, 25), 1, (F_GETFD, F_SETFD, F_GETFL, F_DUPFD_CLOEXEC, *more_fcntl)),  # fcntl
        _Condition((16, 29), 1, (TCGETS, FIOCLEX, *more_ioctl)),  # ioctl
    )


class _Program(ctypes.Structure):
    """``struct sock_fprog``"""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def is_available() -> bool:
    """Whether the kernel supports filters and this module knows the machine's system calls."""
    number = SECCOMP_CALL.get(platform.machine())
    if number is None:
        return False
    action = ctypes.c_uint32(KILL_PROCESS)
    library = ctypes.CDLL(None, use_errno=True)
    return bool(library.syscall(number, GET_ACTION_AVAILABLE, 0, ctypes.byref(action)) == 0)


def restrict_calls(*, server: bool = False) -> None:
    """Apply the filter to all threads of this process. PR_SET_NO_NEW_PRIVS must be set.

    Args:
        server: Whether the process answers on connections that others make to its socket.

    Raises:
        OSError: The kernel or the machine type does not support the filter.
    """
    machine = platform.machine()
    if machine not in SECCOMP_CALL:
        raise OSError(errno.ENOSYS, f"no list of system calls for {machine}")
    code = _compile(machine, server=server)
    program = _Program(len(code) // 8, code)
    library = ctypes.CDLL(None, use_errno=True)
    result = library.syscall(
        SECCOMP_CALL[machine], SET_MODE_FILTER, FLAG_ALL_THREADS, ctypes.byref(program)
    )
    if result != 0:  # a positive result is the id of a thread that could not be restricted
        number = ctypes.get_errno() or errno.EPERM
        raise OSError(number, os.strerror(number))


def _compile(machine: str, *, server: bool) -> bytes:
    """The filter for one machine type, as an array of ``struct sock_filter``."""
    column = 0 if machine == "x86_64" else 1
    code = [
        _instruction(LOAD_WORD, ARCHITECTURE_OFFSET),
        _instruction(JUMP_IF_EQUAL, AUDIT_ARCHITECTURE[machine], if_true=1),
        _instruction(RETURN, KILL_PROCESS),
        _instruction(LOAD_WORD, NUMBER_OFFSET),
    ]
    allowed = [*ALLOWED_CALLS.values(), *(SERVER_CALLS.values() if server else ())]
    for numbers in allowed:
        code += _on_call(numbers[column], [_instruction(RETURN, ALLOW)])
    for numbers in UNAVAILABLE_CALLS.values():
        code += _on_call(numbers[column], [_instruction(RETURN, FAIL | errno.ENOSYS)])
    for condition in _conditions(server=server):
        code += _on_call(condition.numbers[column], _check(condition))
    code.append(_instruction(RETURN, FAIL | errno.EPERM))
    return b"".join(code)


def _on_call(number: int | None, then: list[bytes]) -> list[bytes]:
    """Instructions that run ``then`` for one call; empty if the machine type lacks the call."""
    if number is None:
        return []
    return [_instruction(JUMP_IF_EQUAL, number, if_false=len(then)), *then]


def _check(condition: _Condition) -> list[bytes]:
    """Instructions that allow a call if its argument meets the condition, and else fail it."""
    code = [
        _instruction(LOAD_WORD, ARGUMENTS_OFFSET + 8 * condition.argument),
        _instruction(AND, condition.mask),
    ]
    for value in condition.values:
        code.append(_instruction(JUMP_IF_EQUAL, value, if_false=1))
        code.append(_instruction(RETURN, ALLOW))
    code.append(_instruction(RETURN, FAIL | errno.EPERM))
    return code


def _instruction(operation: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One ``struct sock_filter``. The jumps are numbers of instructions to skip."""
    return struct.pack("=HBBI", operation, if_true, if_false, value)
