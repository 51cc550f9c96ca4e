"""Small facts and safe moves of the file system."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

NETWORK_KINDS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "fuse.sshfs", "fuse.glusterfs", "ceph"}
)
"""File systems of /proc/mounts on which SQLite's locks cannot be trusted (sqlite.org/faq, Q5)."""


def mount_kind(path: Path) -> str:
    """Kind of the file system that holds ``path``, as /proc/mounts names it; "" if unknown."""
    try:
        lines = Path("/proc/mounts").read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    target, best, kind = str(path.resolve()), "", ""
    for line in lines:
        _, mount_point, this_kind, *_ = line.split(" ")
        mount_point = mount_point.encode().decode("unicode_escape")
        inside = target == mount_point or target.startswith(mount_point.rstrip("/") + "/")
        if inside and len(mount_point) >= len(best):
            best, kind = mount_point, this_kind
    return kind


def is_network(path: Path) -> bool:
    """Whether the path lies on a network share."""
    return mount_kind(path) in NETWORK_KINDS


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
    temporary = write_beside(target.parent, data, mode)
    try:
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def write_beside(folder: Path, data: bytes, mode: int = 0o644) -> Path:
    """A new, synced, hidden temporary file in the folder. Removed again if it fails."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=".partial-", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.chmod(mode)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    return path
