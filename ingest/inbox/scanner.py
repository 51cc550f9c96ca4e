"""What lies in the inbox at one look. Names and sizes only: nothing is opened, no link followed."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from consent_gate.errors import GateError
from ingest.inbox.stability import FileStat, NotReadyReason

SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
"""Files that Windows leaves in folders; those of macOS start with a full stop."""
SYSTEM_FILE_PREFIXES = (".", "~$")
STILL_COPYING = (".part", ".filepart", ".crdownload", ".tmp", ".download", ".partial")
SYSTEM_FOLDERS = frozenset(
    {"@eadir", "__macosx", "$recycle.bin", "lost+found", "system volume information"}
)


class InboxUnavailable(GateError):
    """The inbox cannot be looked through: its share is not there, or not readable."""

    next_step: ClassVar[str] = (
        "Bring the folder or its network share back; the gate goes on by itself."
    )


@dataclass(frozen=True)
class InboxFile:
    """A file in the inbox as it was at one look."""

    path: Path
    source: str
    """Below the inbox, with forward slashes; bytes that are no UTF-8 as ``\\xff``."""
    stat: FileStat


@dataclass
class InboxScan:
    """All that one look found, apart from what computers leave behind."""

    files: list[InboxFile] = field(default_factory=list)
    oddities: dict[str, NotReadyReason] = field(default_factory=dict)
    """What is there but cannot be taken as it is, by source."""


def scan_inbox(inbox: Path) -> InboxScan:
    """Every regular file of the inbox. Raises InboxUnavailable."""
    contents, root = InboxScan(), os.fspath(inbox)
    try:
        with os.scandir(root):
            pass
    except OSError as error:
        raise InboxUnavailable(
            f"The inbox cannot be read ({os.strerror(error.errno or 0)})."
        ) from error

    def cannot_enter(error: OSError) -> None:
        contents.oddities[_source(root, str(error.filename))] = unreadable_reason(error)

    for folder, folders, names in os.walk(root, onerror=cannot_enter, followlinks=False):
        contents.oddities.update(_linked_folders(root, folder, folders))
        folders[:] = [name for name in folders if not _is_system_folder(name)]
        for name in names:
            if not is_system_file(name):
                _classify(root, f"{folder}/{name}", contents)
    return contents


def is_unchanged(candidate: InboxFile) -> bool:
    """Whether the file is still exactly as it was."""
    try:
        return file_stat(candidate.path.lstat()) == candidate.stat
    except OSError:
        return False


def file_stat(stat: os.stat_result) -> FileStat:
    """What is told of a file by its directory entry."""
    return FileStat(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def unreadable_reason(error: OSError) -> NotReadyReason:
    """What to tell staff of an error."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return NotReadyReason.NO_PERMISSION
    if error.errno == errno.ENAMETOOLONG:
        return NotReadyReason.PATH_TOO_LONG
    return NotReadyReason.CANNOT_BE_READ


def _classify(root: str, path: str, contents: InboxScan) -> None:
    try:
        facts = os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        contents.oddities[_source(root, path)] = unreadable_reason(error)
        return
    if not stat.S_ISREG(facts.st_mode):
        contents.oddities[_source(root, path)] = NotReadyReason.NOT_A_FILE
    elif path.lower().endswith(STILL_COPYING):
        contents.oddities[_source(root, path)] = NotReadyReason.COPYING
    else:
        contents.files.append(InboxFile(Path(path), _source(root, path), file_stat(facts)))


def _linked_folders(
    root: str, folder: str, names: list[str]
) -> Iterator[tuple[str, NotReadyReason]]:
    for name in names:
        path = f"{folder}/{name}"
        if not _is_system_folder(name) and os.path.islink(path):  # noqa: PTH114  Path raises where the path is too long
            yield _source(root, path), NotReadyReason.NOT_A_FILE


def is_system_file(name: str) -> bool:
    """Whether a computer left the file there, not a person."""
    return name.startswith(SYSTEM_FILE_PREFIXES) or name.lower() in SYSTEM_FILES


def _is_system_folder(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def _source(root: str, path: str) -> str:
    below = path[len(root) :].lstrip("/") or "."
    return below.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
