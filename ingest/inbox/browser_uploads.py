"""Photos that staff upload in a browser, piece by piece, into a folder of the inbox.

A photo that is not complete lies in a hidden folder of the inbox, which no scan enters. Its name is
made from who uploads it and what the browser says of the file. So the same file goes on where a
lost connection stopped it. A complete photo gets its name in the folder of the event. From then on
it is a file of the inbox like any other.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
import shutil
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from consent_gate.db.models import Item, ItemState
from consent_gate.errors import GateError
from consent_gate.home.filesystem import set_modified, sync_folder
from consent_gate.home.home import Home
from ingest.inbox.claim import ARCHIVES, RESERVED_BYTES, is_copy_readable
from ingest.inbox.scanner import EVENT_LIST, PARTIAL_SUFFIXES, SYSTEM_FOLDERS, is_system_file

UNFINISHED = ".uploads"
"""Folder of the inbox for photos that are not complete. Scans leave out hidden folders."""

MAX_AGE_SECONDS = 24 * 3600
"""A photo that is not complete is deleted so long after its last piece."""

MAX_UNFINISHED = 20
"""Photos of one person that are not complete. The page uploads two at a time."""

MAX_UNFINISHED_BYTES = 8 << 30
"""All photos together that are not complete."""

MAX_PIECE_BYTES = 768 << 10
"""Largest piece; a larger request needs the right to import (``web.staff_connections``)."""

MAX_NAME, MAX_NAME_BYTES = 120, 200
"""Characters, and bytes in UTF-8, of the name of an event or a file. File systems allow 255 bytes,
and a number may be added."""

MAX_SUFFIX = 10
"""Characters of a suffix that is kept when a longer name is cut."""

_OWNER_LETTERS = 12
_CHUNK = 1 << 20
_MOST_COPIES = 99


class UploadRefused(GateError):
    """The file or its piece is not taken."""

    next_step = ""


class UploadState(StrEnum):
    """What became of a file after its last piece."""

    UNFINISHED = "unfinished"
    TAKEN = "taken"
    """It is in the folder of the event."""
    KNOWN = "known"
    """The same photo is in the gate, or in the folder, already."""


@dataclass(frozen=True)
class OfferedFile:
    """A file as a browser names it."""

    event: str
    """Folder below the inbox, from ``event_folder``."""
    name: str
    size: int
    """Bytes."""
    modified: str
    """Time of the last change, as the browser says it."""


@dataclass(frozen=True)
class Progress:
    """How much of a file has arrived."""

    received: int
    """Bytes."""
    state: UploadState


def event_folder(name: str, day: str = "") -> str:
    """Return the name of an event's folder: the day and the name, without what a path could use.

    Raises:
        UploadRefused: The name is empty or reserved.
    """
    text = _plain(name)
    if not text:
        raise UploadRefused("Please give the event a name.")
    folder = _plain(f"{day} {text}")
    if folder.casefold() in {*SYSTEM_FOLDERS, ARCHIVES}:
        raise UploadRefused("Please choose another name for the event.")
    return folder


def _plain(text: str) -> str:
    """The text in one line, without signs that are special in a path on Linux or Windows."""
    kept = (
        " " if unicodedata.category(sign)[0] in "CZ" or sign in '/\\:*?"<>|' else sign
        for sign in unicodedata.normalize("NFC", text)
    )
    line = " ".join("".join(kept).split())[:MAX_NAME]
    return line.encode()[:MAX_NAME_BYTES].decode(errors="ignore").strip(" .~$")


def begin(home: Home, owner: str, file: OfferedFile) -> Progress:
    """Say how much of a file is there already, before its first or next piece.

    Raises:
        UploadRefused: The file is too large, or too many are not complete.
    """
    remove_expired(home)
    part = _part(home, owner, file)
    if part.exists():
        received = _size(part)
        if received < file.size:
            return Progress(received, UploadState.UNFINISHED)
        return _complete(home, file, part)  # its last request failed after the last byte
    waiting = list(part.parent.glob("*")) if part.parent.is_dir() else []
    if sum(path.name.startswith(_letters(home, owner)) for path in waiting) >= MAX_UNFINISHED:
        raise UploadRefused("Too many of your photos are not complete. Try again tomorrow.")
    if sum(_size(path) for path in waiting) + file.size > MAX_UNFINISHED_BYTES:
        raise UploadRefused("Too many photos are being uploaded. Try again in a while.")
    if shutil.disk_usage(home.inbox).free < file.size + RESERVED_BYTES:
        raise UploadRefused("The disk has no room for more photos. Tell your technician.")
    return Progress(0, UploadState.UNFINISHED)


def append(home: Home, owner: str, file: OfferedFile, offset: int, piece: bytes) -> Progress:
    """Add a piece. A piece that does not start where the file ends so far changes nothing.

    Args:
        home: The installation.
        owner: Log-in name of the person who uploads.
        file: The file that the piece belongs to.
        offset: Where the piece starts, in bytes.
        piece: At most ``MAX_PIECE_BYTES``.

    Returns:
        How much is there now. Where that is not ``offset`` and the piece, the browser goes on from
        there.

    Raises:
        OSError: The inbox cannot be written.
        UploadRefused: The piece or the file is too large.
    """
    begun = begin(home, owner, file)
    if begun.state is not UploadState.UNFINISHED:
        return begun
    if len(piece) > MAX_PIECE_BYTES or offset + len(piece) > file.size:
        raise UploadRefused(f"{file.name} is not as long as the browser said. Choose it again.")
    part = _part(home, owner, file)
    part.parent.mkdir(exist_ok=True)
    if part.parent.is_symlink() or (home.inbox / file.event).is_symlink():
        raise UploadRefused("The photo folder has a link where photos would go. Remove the link.")
    with part.open("ab") as target:
        fcntl.flock(target, fcntl.LOCK_EX)
        if _gone(part, target):
            return begun  # another request has completed it
        received = target.seek(0, os.SEEK_END)
        if received == offset:
            target.write(piece)
            target.flush()
            received += len(piece)
            set_modified(part, home.clock())
        if received < file.size:
            return Progress(received, UploadState.UNFINISHED)
        os.fsync(target.fileno())
        return Progress(received, _finish(home, file, part))


def _complete(home: Home, file: OfferedFile, part: Path) -> Progress:
    """Give a file its name of which all bytes are there."""
    with part.open("ab") as target:
        fcntl.flock(target, fcntl.LOCK_EX)
        if _gone(part, target):
            return Progress(0, UploadState.UNFINISHED)  # another request has completed it
        os.fsync(target.fileno())
        return Progress(file.size, _finish(home, file, part))


def remove_expired(home: Home) -> int:
    """Delete what is older than ``MAX_AGE_SECONDS``. Returns how many files."""
    oldest, count = home.clock().timestamp() - MAX_AGE_SECONDS, 0
    for path in (home.inbox / UNFINISHED).glob("*"):
        try:
            if path.lstat().st_mtime < oldest:
                path.unlink()
                count += 1
        except OSError:
            continue  # it was completed meanwhile
    return count


def _finish(home: Home, file: OfferedFile, part: Path) -> UploadState:
    """Give a complete file its name in the event's folder, unless the photo is there already."""
    digest = _sha256(part)
    known = Item.objects.filter(sha256=digest).exclude(state=ItemState.ERASED)
    folder = home.inbox / file.event
    folder.mkdir(exist_ok=True)
    if any(is_copy_readable(home, item) for item in known):
        part.unlink()
        return UploadState.KNOWN
    for target in _free_names(folder, file.name):
        try:
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644))
        except FileExistsError:
            if not target.is_symlink() and _size(target) == file.size and _sha256(target) == digest:
                part.unlink()
                return UploadState.KNOWN
            continue
        part.chmod(0o644)
        part.replace(target)
        sync_folder(folder)
        return UploadState.TAKEN
    raise UploadRefused(f"There are too many photos called {file.name} in this event.")


def _free_names(folder: Path, name: str) -> list[Path]:
    stem, suffix = Path(name).stem, Path(name).suffix
    return [folder / name, *(folder / f"{stem} ({n}){suffix}" for n in range(2, _MOST_COPIES))]


def _part(home: Home, owner: str, file: OfferedFile) -> Path:
    """Where a file is collected.

    Raises:
        UploadRefused: The file's name or size is not allowed.
    """
    limit = home.settings.analysis.max_megabytes << 20
    if not 0 < file.size <= limit:
        raise UploadRefused(f"{file.name} is empty, or larger than {limit >> 20} MB.")
    unusable = is_system_file(file.name) or file.name.lower().endswith(PARTIAL_SUFFIXES)
    if _plain(file.name) != file.name or unusable:
        raise UploadRefused("This name of a file cannot be used. Give the photo another name.")
    if file.name.casefold() == EVENT_LIST:
        raise UploadRefused("Tick the classes on the page of the event instead.")
    if file.event != _plain(file.event) or not file.event:
        raise UploadRefused("This event does not exist.")
    said = "\n".join((owner, file.event, file.name, str(file.size), file.modified))
    name = hmac.new(home.keys.web, f"photo:{said}".encode(), "sha256").hexdigest()[:40]
    return home.inbox / UNFINISHED / (_letters(home, owner) + name)


def _letters(home: Home, owner: str) -> str:
    """Letters and digits that stand for a person and do not tell the name."""
    digest = hmac.new(home.keys.web, f"photos:{owner}".encode(), "sha256").hexdigest()
    return digest[:_OWNER_LETTERS]


def file_name(name: str) -> str:
    """Return the name under which a browser's file is kept: its last part, in one plain line."""
    last = name.replace("\\", "/").rpartition("/")[2]
    suffix = Path(last).suffix
    if _plain(last).endswith(suffix) or len(suffix) > MAX_SUFFIX:
        return _plain(last)
    stem = _plain(last)[: MAX_NAME - MAX_SUFFIX].encode()[: MAX_NAME_BYTES - MAX_SUFFIX]
    return _plain(stem.decode(errors="ignore") + suffix)


def _gone(part: Path, target: BinaryIO) -> bool:
    try:
        return part.stat().st_ino != os.fstat(target.fileno()).st_ino
    except OSError:
        return True


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_CHUNK):
            digest.update(block)
    return digest.hexdigest()
