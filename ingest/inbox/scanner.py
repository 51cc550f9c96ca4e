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
from ingest.inbox.stability import Look, Why

LEFT_BEHIND = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db"})
"""Files that Windows leaves in folders; those of macOS start with a full stop."""
LEFT_BEHIND_PREFIXES = (".", "~$")
STILL_COPYING = (".part", ".filepart", ".crdownload", ".tmp", ".download", ".partial")
SYSTEM_FOLDERS = frozenset(
    {"@eadir", "__macosx", "$recycle.bin", "lost+found", "system volume information"}
)


class InboxAway(GateError):
    """The inbox cannot be looked through: its share is not there, or not readable."""

    next_step: ClassVar[str] = (
        "Bring the folder or its network share back; the gate goes on by itself."
    )


@dataclass(frozen=True)
class Candidate:
    """A file in the inbox as it was at one look."""

    path: Path
    source: str
    """Below the inbox, with forward slashes; bytes that are no UTF-8 as ``\\xff``."""
    look: Look


@dataclass
class Contents:
    """All that one look found, apart from what computers leave behind."""

    files: list[Candidate] = field(default_factory=list)
    oddities: dict[str, Why] = field(default_factory=dict)
    """What is there but cannot be taken as it is, by source."""


def look_through(inbox: Path) -> Contents:
    """Every regular file of the inbox. Raises InboxAway."""
    contents, root = Contents(), os.fspath(inbox)
    try:
        with os.scandir(root):
            pass
    except OSError as error:
        raise InboxAway(f"The inbox cannot be read ({os.strerror(error.errno or 0)}).") from error

    def cannot_enter(error: OSError) -> None:
        contents.oddities[_source(root, str(error.filename))] = why_unreadable(error)

    for folder, folders, names in os.walk(root, onerror=cannot_enter, followlinks=False):
        contents.oddities.update(_linked_folders(root, folder, folders))
        folders[:] = [name for name in folders if not _is_system_folder(name)]
        for name in names:
            if not is_left_behind(name):
                _look_at(root, f"{folder}/{name}", contents)
    return contents


def look_again(candidate: Candidate) -> bool:
    """Whether the file is still exactly as it was."""
    try:
        return look_of(candidate.path.lstat()) == candidate.look
    except OSError:
        return False


def look_of(facts: os.stat_result) -> Look:
    """What is told of a file by its directory entry."""
    return Look(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


def why_unreadable(error: OSError) -> Why:
    """What to tell staff of an error."""
    if error.errno in (errno.EACCES, errno.EPERM):
        return Why.NO_PERMISSION
    if error.errno == errno.ENAMETOOLONG:
        return Why.PATH_TOO_LONG
    return Why.CANNOT_BE_READ


def _look_at(root: str, path: str, contents: Contents) -> None:
    try:
        facts = os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as error:
        contents.oddities[_source(root, path)] = why_unreadable(error)
        return
    if not stat.S_ISREG(facts.st_mode):
        contents.oddities[_source(root, path)] = Why.NOT_A_FILE
    elif path.lower().endswith(STILL_COPYING):
        contents.oddities[_source(root, path)] = Why.COPYING
    else:
        contents.files.append(Candidate(Path(path), _source(root, path), look_of(facts)))


def _linked_folders(root: str, folder: str, names: list[str]) -> Iterator[tuple[str, Why]]:
    for name in names:
        path = f"{folder}/{name}"
        if not _is_system_folder(name) and os.path.islink(path):  # noqa: PTH114  Path raises where the path is too long
            yield _source(root, path), Why.NOT_A_FILE


def is_left_behind(name: str) -> bool:
    """Whether a computer left the file there, not a person."""
    return name.startswith(LEFT_BEHIND_PREFIXES) or name.lower() in LEFT_BEHIND


def _is_system_folder(name: str) -> bool:
    return name.startswith(".") or name.lower() in SYSTEM_FOLDERS


def _source(root: str, path: str) -> str:
    below = path[len(root) :].lstrip("/") or "."
    return below.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
