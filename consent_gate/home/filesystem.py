"""File system helpers: detect network shares and full disks, and replace files atomically."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO

SHARED_KINDS = frozenset(
    {
        # Network file systems.
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "ncp", "afs", "coda", "davfs"),
        *("ceph", "glusterfs", "lustre", "beegfs", "gpfs", "gfs2", "ocfs2", "orangefs", "pvfs2"),
        # Folders of the host, seen in a virtual machine: WSL, VirtualBox, VMware, Parallels, QEMU,
        # Docker Desktop. Changes by the host send no events, and locks do not apply to the host.
        *("9p", "drvfs", "vboxsf", "vmhgfs", "prl_fs", "virtiofs", "fakeowner", "osxfs"),
    }
)
"""File systems, as named in /proc/mounts, that another machine may write to. Such a write sends no
file event, and SQLite's locks are unreliable on them (sqlite.org/faq, Q5)."""

LOCAL_FUSE = frozenset({"fuse.fuse-overlayfs", "fuse.mergerfs", "fuse.ntfs-3g", "fuse.bindfs"})
"""FUSE file systems that show a local disk. Every other ``fuse.`` kind (sshfs, rclone, s3fs,
vmhgfs-fuse …) counts as shared, because needless polling costs little."""

_LOOKS_ESCAPED = re.compile(r"\\x[0-9a-f]{2}")
_ESCAPE = re.compile(rb"\\(\\|x[0-9a-f]{2})")

_ESCAPED = re.compile(rb"\\([0-7]{3})")


def mount_kind(path: Path) -> str:
    """Return the kind of the file system of ``path``, as named in /proc/mounts; "" if unknown."""
    try:
        mounts = Path("/proc/mounts").read_bytes()
    except OSError:
        return ""
    return kind_from_mounts(mounts, os.fsencode(path.resolve()))


def kind_from_mounts(mounts: bytes, target: bytes) -> str:
    """Return the kind of the innermost mount that contains ``target``; "" if there is none.

    Of several mounts at the same point the last one counts. ``mounts`` has the form of fstab(5),
    where spaces, tabs and backslashes of a path are octal numbers.
    """
    best, kind = b"", ""
    for line in mounts.splitlines():
        _, escaped, mounted_kind, *_ = line.split(b" ")
        point = _ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), escaped)
        inside = target == point or target.startswith(point.rstrip(b"/") + b"/")
        if inside and len(point) >= len(best):
            best, kind = point, mounted_kind.decode("ascii", "replace")
    return kind


def is_shared(path: Path) -> bool:
    """Whether another machine may write to ``path``: a network share or a folder of the host."""
    kind = mount_kind(path)
    if kind in SHARED_KINDS:
        return kind != mount_kind(
            Path("/")
        )  # some virtual machines have their own disk as such a mount
    return kind.startswith("fuse.") and kind not in LOCAL_FUSE


def is_disk_full(error: OSError) -> bool:
    """Whether a write failed because the disk or the user's quota is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def is_read_only(error: OSError) -> bool:
    """Whether a write failed because the disk is mounted read-only, as after a disk fault."""
    return error.errno == errno.EROFS


def open_regular_file(path: Path) -> BufferedReader:
    """Open a regular file for reading. Follows no link and never waits for a FIFO or a device.

    Raises:
        OSError: The file cannot be opened or is not a regular file.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    file = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return file


def is_same_file(path: Path, file: BinaryIO) -> bool:
    """Whether the name still leads to the open file: same device, same inode."""
    try:
        named, opened = path.lstat(), os.fstat(file.fileno())
    except OSError:
        return False
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)


def path_as_text(path: str) -> str:
    """A path as text that a database can store. Different paths give different texts.

    Bytes that are not UTF-8 become ``\\xff``. Backslashes are doubled in a path that has such bytes
    or spells them.
    """
    data = path.encode("utf-8", "surrogateescape")
    text = data.decode("utf-8", "backslashreplace")
    if not _LOOKS_ESCAPED.search(text):
        return text
    return data.replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")


def path_from_text(text: str) -> str:
    """The path of which ``path_as_text`` made this text."""
    if not _LOOKS_ESCAPED.search(text):
        return text

    def original(found: re.Match[bytes]) -> bytes:
        return b"\\" if found[1] == b"\\" else bytes([int(found[1][1:], 16)])

    return os.fsdecode(_ESCAPE.sub(original, text.encode()))


def printable_name(name: str, max_bytes: int = 200) -> str:
    """A file name that can be stored, logged and shown on a terminal.

    Bytes that are not UTF-8 become ``\\xff``; control characters become ``?``. A longer name is cut
    in the middle, so that its ending stays.
    """
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    text = "".join(c if c.isprintable() else "?" for c in text)
    data = text.encode()
    if len(data) <= max_bytes:
        return text
    half = max_bytes // 2 - 2
    start, end = data[:half].decode("utf-8", "ignore"), data[-half:].decode("utf-8", "ignore")
    return f"{start}…{end}"


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that renames in it survive a power cut. No-op except on POSIX."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_with(target: Path, data: bytes, mode: int = 0o644) -> None:
    """Write a file atomically: readers see the old content or all of the new content.

    Creates the folder if it is missing.

    Raises:
        OSError: The file cannot be written. The old file is unchanged.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(target, mode) as file:
        file.write(data)
    sync_folder(target.parent)


def set_modified(path: Path, modified_at: datetime) -> None:
    """Set the time of a file that is later deleted by age: a file server may have another clock."""
    os.utime(path, (modified_at.timestamp(), modified_at.timestamp()))


@contextmanager
def atomic_file(
    target: Path, mode: int | None = None, partial: Path | None = None
) -> Iterator[BinaryIO]:
    """Open a new file that replaces ``target`` when the block ends without an error.

    During the block the data is in the file ``partial``, by default a hidden file in the same
    folder. If ``mode`` is given, only this account can read it until then. After an error
    ``partial`` is deleted. The file is synced; the caller syncs the folder.

    Raises:
        OSError: The file cannot be written, or ``target`` is a folder, device or pipe, or a link to
            one. A file in the place of ``/dev/null`` would break the machine.
    """
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(target))
    partial = partial or target.parent / f".partial-{secrets.token_hex(4)}"
    try:
        partial.touch(0o666 if mode is None else 0o600, exist_ok=False)
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            partial.chmod(mode)
        partial.replace(target)
    except Exception:
        partial.unlink(missing_ok=True)
        raise
