"""Small facts and safe moves of the file system."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

SHARED_KINDS = frozenset(
    {
        # Network file systems.
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "ncp", "afs", "coda", "davfs"),
        *("ceph", "glusterfs", "lustre", "beegfs", "gpfs", "gfs2", "ocfs2", "orangefs", "pvfs2"),
        # Folders of the machine around a virtual one: WSL, VirtualBox, VMware, Parallels, QEMU,
        # Docker Desktop. Changes made outside send no events, and locks do not reach outside.
        *("9p", "drvfs", "vboxsf", "vmhgfs", "prl_fs", "virtiofs", "fakeowner", "osxfs"),
    }
)
"""File systems, as /proc/mounts names them, that another machine may write to as well: they send no
file events for that, and SQLite's locks cannot be trusted on them (sqlite.org/faq, Q5)."""

LOCAL_FUSE = frozenset({"fuse.fuse-overlayfs", "fuse.mergerfs", "fuse.ntfs-3g", "fuse.bindfs"})
"""Programs that show a local disk. Any other ``fuse.`` kind (sshfs, rclone, s3fs, vmhgfs-fuse …)
counts as shared: to poll one in vain costs little."""

_ESCAPED = re.compile(rb"\\([0-7]{3})")


def mount_kind(path: Path) -> str:
    """Kind of the file system that holds ``path``, as /proc/mounts names it; "" if unknown."""
    try:
        mounts = Path("/proc/mounts").read_bytes()
    except OSError:
        return ""
    return kind_in(mounts, os.fsencode(path.resolve()))


def kind_in(mounts: bytes, target: bytes) -> str:
    """The kind of the innermost mount that holds ``target``; of several there, the last one's.

    ``mounts`` is in the form of fstab(5): blanks, tabs and backslashes of a path as octal numbers.
    """
    best, kind = b"", ""
    for line in mounts.splitlines():
        _, written, this_kind, *_ = line.split(b" ")
        point = _ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), written)
        inside = target == point or target.startswith(point.rstrip(b"/") + b"/")
        if inside and len(point) >= len(best):
            best, kind = point, this_kind.decode("ascii", "replace")
    return kind


def is_shared(path: Path) -> bool:
    """Whether another machine may write there too: a network share, or a folder of the host."""
    kind = mount_kind(path)
    if kind in SHARED_KINDS:
        return kind != mount_kind(Path("/"))  # some virtual machines are given their own disk so
    return kind.startswith("fuse.") and kind not in LOCAL_FUSE


def is_disk_full(error: OSError) -> bool:
    """Whether a write failed because the disk, or what this user may fill of it, is full."""
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def is_read_only(error: OSError) -> bool:
    """Whether a write failed because the disk can only be read, as after a fault."""
    return error.errno == errno.EROFS


def sync_folder(folder: Path) -> None:
    """Make renames in a folder survive a power cut, where the platform can."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_with(target: Path, data: bytes, mode: int = 0o644) -> None:
    """Put a whole file in place of another, or of none: readers see the old or the new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target, mode) as file:
        file.write(data)
    sync_folder(target.parent)


def set_modified(path: Path, at: datetime) -> None:
    """Date a file that is deleted by age: the machine that holds it may have another clock."""
    os.utime(path, (at.timestamp(), at.timestamp()))


@contextmanager
def whole_file(
    target: Path, mode: int | None = None, beside: Path | None = None
) -> Iterator[BinaryIO]:
    """A new file that takes the place of ``target`` when the block ends, whole and synced.

    Until then it is ``beside``, a hidden name of its own in the same folder, private where it will
    get a ``mode``; where the block fails it is gone again. The caller syncs the folder. Raises
    OSError.
    """
    beside = beside or target.with_name(f".partial-{secrets.token_hex(4)}")
    try:
        beside.touch(0o666 if mode is None else 0o600, exist_ok=False)
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            beside.chmod(mode)
        beside.replace(target)
    except Exception:
        beside.unlink(missing_ok=True)
        raise
