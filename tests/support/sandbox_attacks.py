"""What code that has taken an analysis worker over tries to reach outside its process.

Each attack is a function of ``Targets``. It returns normally when the attack succeeded and raises
OSError when the kernel refused it.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import platform
import queue
import signal
import socket
import stat
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingest.workers import seccomp

LIBC = ctypes.CDLL(None, use_errno=True)
PTRACE_ATTACH, PTRACE_DETACH = 16, 17
SET_DUMPABLE = 4
X32 = 0x40000000
"""The bit of call numbers of the x32 programming interface."""


@dataclass(frozen=True)
class Targets:
    """What the attacks aim at."""

    folder: str
    """A folder with the files ``key`` and ``existing``."""
    parent: int
    """Process id of the gate."""
    bystander: int
    """Process id of another program of the same account."""
    address: int
    """Address of a byte in the gate's memory."""


def _call(number: int, *arguments: object) -> int:
    """A system call without the C library's wrapper."""
    result = int(LIBC.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _number(x86_64: int, aarch64: int) -> int:
    return x86_64 if platform.machine() == "x86_64" else aarch64


def _key(at: Targets) -> str:
    return str(Path(at.folder, "key"))


def _existing(at: Targets) -> str:
    return str(Path(at.folder, "existing"))


def _new(at: Targets) -> str:
    return str(Path(at.folder, "new"))


def read_key(at: Targets) -> None:
    Path(_key(at)).read_bytes()


def read_key_through_own_root(at: Targets) -> None:
    Path(f"/proc/self/root{_key(at)}").read_bytes()


def list_folder(at: Targets) -> None:
    os.listdir(at.folder)  # noqa: PTH208  the plain call


def read_memory_of_parent(at: Targets) -> None:
    with Path(f"/proc/{at.parent}/mem").open("rb", buffering=0) as memory:
        memory.seek(at.address)
        memory.read(1)


def read_environment_of_parent(at: Targets) -> None:
    Path(f"/proc/{at.parent}/environ").read_bytes()


def copy_memory_of_parent(at: Targets) -> None:
    here = ctypes.create_string_buffer(1)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(here), 1)
    remote = (ctypes.c_size_t * 2)(at.address, 1)
    _call(_number(310, 270), at.parent, local, 1, remote, 1, 0)


def trace_bystander(at: Targets) -> None:
    _call(_number(101, 117), PTRACE_ATTACH, at.bystander, None, None)
    os.waitpid(at.bystander, 0)
    _call(_number(101, 117), PTRACE_DETACH, at.bystander, None, None)


def open_network_socket(at: Targets) -> None:
    socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()


def open_local_socket(at: Targets) -> None:
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close()


def fork(at: Targets) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def run_program(at: Targets) -> None:
    subprocess.run([sys.executable, "-V"], check=True, stdout=subprocess.DEVNULL)


def execute_in_place(at: Targets) -> None:
    """A refusal for the missing program shows that the call itself is allowed."""
    try:
        os.execv("/no/such/program", ["x"])  # noqa: S606
    except FileNotFoundError:
        return


def write_file(at: Targets) -> None:
    os.close(os.open(_existing(at), os.O_WRONLY))


def truncate_file(at: Targets) -> None:
    os.truncate(_existing(at), 1)


def truncate_by_opening(at: Targets) -> None:
    os.close(os.open(_existing(at), os.O_RDONLY | os.O_TRUNC))


def create_file(at: Targets) -> None:
    os.close(os.open(_new(at), os.O_RDONLY | os.O_CREAT))


def change_mode(at: Targets) -> None:
    Path(_existing(at)).chmod(0o777)


def change_owner(at: Targets) -> None:
    os.chown(_existing(at), os.getuid(), os.getgid())


def change_times(at: Targets) -> None:
    os.utime(_existing(at))


def make_fifo(at: Targets) -> None:
    os.mkfifo(_new(at))


def make_node(at: Targets) -> None:
    os.mknod(_new(at), stat.S_IFREG | 0o600)


def make_folder(at: Targets) -> None:
    Path(_new(at)).mkdir()


def make_symlink(at: Targets) -> None:
    Path(_new(at)).symlink_to(_key(at))


def make_hardlink(at: Targets) -> None:
    Path(_new(at)).hardlink_to(_key(at))


def rename_file(at: Targets) -> None:
    Path(_existing(at)).rename(_new(at))


def delete_file(at: Targets) -> None:
    Path(_existing(at)).unlink()


def signal_parent(at: Targets) -> None:
    os.kill(at.parent, 0)


def kill_bystander(at: Targets) -> None:
    os.kill(at.bystander, signal.SIGKILL)


def kill_thread_of_bystander(at: Targets) -> None:
    _call(_number(234, 131), at.bystander, at.bystander, signal.SIGKILL)


def queue_signal_to_bystander(at: Targets) -> None:
    """SI_QUEUE is a code that programs may send."""
    information = ctypes.create_string_buffer(struct.pack("=iii", signal.SIGKILL, 0, -1), 128)
    _call(_number(129, 138), at.bystander, int(signal.SIGKILL), information)


def limit_parent(at: Targets) -> None:
    """Reading the limits needs the same right as lowering them."""
    _call(_number(302, 261), at.parent, 7, None, (ctypes.c_uint64 * 2)())


def open_process_handle(at: Targets) -> None:
    os.close(_call(434, at.parent, 0))


def make_memory_file(at: Targets) -> None:
    os.close(os.memfd_create("x"))


def become_traceable(at: Targets) -> None:
    if LIBC.prctl(SET_DUMPABLE, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def leave_namespace(at: Targets) -> None:
    """An invalid flag is told from a refused call by its error number."""
    try:
        _call(_number(272, 97), 1)
    except OSError as error:
        if error.errno != 22:
            raise


def use_another_calling_convention(at: Targets) -> None:
    """getpid by its x32 number; kernels without x32 answer that there is no such call."""
    try:
        _call(X32 | 39)
    except OSError as error:
        if error.errno != 38:
            raise


ATTACKS: tuple[Callable[[Targets], None], ...] = (
    *(read_key, read_key_through_own_root, list_folder),
    *(read_memory_of_parent, read_environment_of_parent, copy_memory_of_parent, trace_bystander),
    *(open_network_socket, open_local_socket),
    *(fork, run_program, execute_in_place),
    *(write_file, truncate_file, truncate_by_opening, create_file, change_mode, change_owner),
    *(change_times, make_fifo, make_node, make_folder, make_symlink, make_hardlink),
    *(rename_file, delete_file),
    *(signal_parent, kill_bystander, kill_thread_of_bystander, queue_signal_to_bystander),
    *(limit_parent, open_process_handle, make_memory_file, become_traceable, leave_namespace),
    use_another_calling_convention,
)
BY_NAME = {attack.__name__: attack for attack in ATTACKS}

_orders: queue.Queue[tuple[str, Targets]] = queue.Queue()
_outcomes: queue.Queue[str] = queue.Queue()


def start_early_thread() -> None:
    """Prepares a worker with a thread that is older than the filter of system calls."""
    threading.Thread(target=_serve, daemon=True).start()


def _serve() -> None:
    while True:
        _outcomes.put(attempt(*_orders.get()))


def attempt(name: str, at: Targets) -> str:
    """``done`` or ``refused`` for one attack."""
    try:
        BY_NAME[name](at)
    except OSError:
        return "refused"
    return "done"


def attempt_in_early_thread(name: str, at: Targets) -> str:
    """As ``attempt``, in the thread of ``start_early_thread``."""
    _orders.put((name, at))
    return _outcomes.get(timeout=120)


def open_descriptors() -> list[int]:
    """The descriptors above standard error that are open."""
    found = []
    for descriptor in range(3, 1024):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        found.append(descriptor)
    return found


def sees_in_environment(word: str) -> bool:
    """Whether a word is in the environment, or in the memory where it was at the start."""
    try:
        start = Path("/proc/self/environ").read_bytes()
    except OSError:
        start = b""
    return word.encode() in start or any(word in text for text in os.environ.values())


def send_raw(message: bytes) -> None:
    """Write a message into the pipe to the gate, instead of an answer."""
    pipe = open_descriptors()[0]
    os.write(pipe, struct.pack("!i", len(message)) + message)
    time.sleep(20)


def announce_length(length: int) -> None:
    """Announce a message of this length, and send its beginning."""
    pipe = open_descriptors()[0]
    os.write(pipe, struct.pack("!iQ", -1, length) + b"x" * 1000)
    time.sleep(20)


class _Bomb:
    def __init__(self, note: str) -> None:
        self._note = note

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self._note,)


def pickle_bomb(note: str) -> bytes:
    """A pickle that makes a folder when it is read."""
    return pickle.dumps((True, _Bomb(note)))


def forget_machine_types() -> None:
    """Leave no way to load the filter of system calls, as a machine of another type has none."""
    seccomp.SECCOMP_CALL.clear()
