"""List the files of the inbox with their sizes and times; open no file and follow no link."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from consent_gate.errors import GateError
from consent_gate.home.filesystem import path_as_text
from ingest.inbox.stability import FileStat, NotReadyReason

SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
"""Files that Windows creates in folders, in lower case; those of macOS start with a full stop."""
SYSTEM_FILE_PREFIXES = (".", "~$")
"""Hidden files, and the lock files of Microsoft Office."""
PARTIAL_SUFFIXES = (".part", ".filepart", ".crdownload", ".tmp", ".download", ".partial")
"""Endings that copying programs and browsers give to unfinished files."""
SYSTEM_FOLDERS = frozenset(
    {"@eadir", "__macosx", "$recycle.bin", "lost+found", "system volume information"}
)


EVENT_LIST = "classes.txt"
"""Name, in lower case, of a file that says who was at an event. It is never claimed as a photo."""

MAX_SOURCE_BYTES = 2000
"""Longest path below the inbox in UTF-8: an index entry of PostgreSQL holds 2 704 bytes."""
_LARGEST_INTEGER = 2**63 - 1
"""The largest integer that the database stores. Times and inodes of a file may be larger."""


class InboxUnavailable(GateError):
    """The inbox cannot be read: its share is missing or the account has no permission."""

    next_step: ClassVar[str] = (
        "Reconnect the folder or its network share. The gate then continues by itself."
    )


@dataclass(frozen=True)
class InboxFile:
    """A file in the inbox as one scan found it."""

    path: Path
    source: str
    """Path below the inbox, with forward slashes; bytes that are not UTF-8 as ``\\xff``."""
    stat: FileStat


@dataclass
class InboxScan:
    """The result of one scan, without files that an operating system created."""

    files: list[InboxFile] = field(default_factory=list)
    event_lists: list[InboxFile] = field(default_factory=list)
    """Files called ``EVENT_LIST`` in the folder of an event."""
    not_claimable: dict[str, NotReadyReason] = field(default_factory=dict)
    """By path below the inbox: entries that cannot be claimed as they are, and why."""


def scan_inbox(inbox: Path, max_bytes: int | None = None) -> InboxScan:
    """Find every regular file of the inbox.

    Args:
        inbox: The folder.
        max_bytes: Larger files are not claimable; None where the caller sets the limit.

    Raises:
        InboxUnavailable: The folder itself cannot be read.
    """
    scan, root = InboxScan(), os.fspath(inbox)
    try:
        with os.scandir(root):
            pass
    except OSError as error:
        raise InboxUnavailable(
            f"The inbox cannot be read ({os.strerror(error.errno or 0)})."
        ) from error

    def note_unreadable_folder(error: OSError) -> None:
        scan.not_claimable[_source(root, str(error.filename))] = unreadable_reason(error)

    for folder, folders, names in os.walk(root, onerror=note_unreadable_folder, followlinks=False):
        scan.not_claimable.update(_linked_folders(root, folder, folders))
        folders[:] = [name for name in folders if not _is_system_folder(name)]
        for name in names:
            if not is_system_file(name):
                _classify(root, f"{folder}/{name}", scan, max_bytes)
    return scan


def is_unchanged(inbox_file: InboxFile) -> bool:
    """Whether size and times of the file are the same as in the scan."""
    try:
        return file_stat(inbox_file.path.lstat()) == inbox_file.stat
    except OSError:
        return False


def file_stat(stat: os.stat_result) -> FileStat:
    """Size, times and inode of a file, as far as the database can store them."""
    return FileStat(
        stat.st_size,
        _storable(stat.st_mtime_ns),
        _storable(stat.st_ctime_ns),
        stat.st_ino & _LARGEST_INTEGER,
    )


def _storable(number: int) -> int:
    return max(-_LARGEST_INTEGER, min(number, _LARGEST_INTEGER))


def unreadable_reason(error: OSError) -> NotReadyReason:
    """The reason that matches an error of the file system."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return NotReadyReason.NO_PERMISSION
    if error.errno == errno.ENAMETOOLONG:
        return NotReadyReason.PATH_TOO_LONG
    return NotReadyReason.CANNOT_BE_READ


def _classify(root: str, path: str, scan: InboxScan, max_bytes: int | None) -> None:
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        scan.not_claimable[_source(root, path)] = unreadable_reason(error)
        return
    if not stat.S_ISREG(info.st_mode):
        scan.not_claimable[_source(root, path)] = NotReadyReason.NOT_A_FILE
    elif path.lower().endswith(PARTIAL_SUFFIXES):
        scan.not_claimable[_source(root, path)] = NotReadyReason.COPYING
    elif len(_source(root, path).encode()) > MAX_SOURCE_BYTES:
        scan.not_claimable[_source(root, path)] = NotReadyReason.PATH_TOO_LONG
    elif max_bytes is not None and info.st_size > max_bytes:
        scan.not_claimable[_source(root, path)] = NotReadyReason.TOO_LARGE
    else:
        file = InboxFile(Path(path), _source(root, path), file_stat(info))
        folder, _, name = file.source.rpartition("/")
        is_list = bool(folder) and name.casefold() == EVENT_LIST
        (scan.event_lists if is_list else scan.files).append(file)


def _linked_folders(
    root: str, folder: str, names: list[str]
) -> Iterator[tuple[str, NotReadyReason]]:
    for name in names:
        path = f"{folder}/{name}"
        if not _is_system_folder(name) and os.path.islink(path):  # noqa: PTH114  Path raises where the path is too long
            yield _source(root, path), NotReadyReason.NOT_A_FILE


def is_system_file(name: str) -> bool:
    """Whether an operating system or Office created the file, not a person."""
    return name.startswith(SYSTEM_FILE_PREFIXES) or name.lower() in SYSTEM_FILES


def _is_system_folder(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def _source(root: str, path: str) -> str:
    """The path below the inbox as text; different paths give different texts."""
    return path_as_text(path[len(root) :].lstrip("/") or ".")
