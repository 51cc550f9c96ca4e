"""Find the files of the drop folder that have stopped changing.

A file that cannot be read yet gets a note that says why.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from consent_gate.home.filesystem import is_disk_full, is_read_only, open_regular_file
from consent_gate.home.home import Home
from ingest.enrolment.zip_contents import EXPORTS, MAX_EXPORT
from sims_import.applying.drop_notes import note_waiting, put_aside

log = logging.getLogger(__name__)


_DOCUMENTS = frozenset({".doc", ".docx", ".odt", ".pdf", ".rtf"})
"""No exports: they wait with a note that says how to make one of them."""
WANTED = EXPORTS | _DOCUMENTS | {".zip"}


_SMALL = 8 << 20
"""Exports up to this size in bytes are imported first. A larger file may take minutes to read."""
_IN_USE = frozenset({errno.EBUSY, errno.ETXTBSY, errno.EDEADLK})
"""Errors of a file that another program uses."""
NO_FILE = (
    "This is a folder, a shortcut, a link or a device, not a file. The gate did not open it. Copy"
    " the export itself into the folder 'sims'."
)


LOCKED = (
    "The gate cannot read this file yet. Close other programs that use it, or give the gate's"
    " account permission to read it. The gate tries again by itself."
)


DISK_FULL = (
    "The gate's disk is full, so this file is not imported yet. Make room on the disk. The"
    " gate tries again by itself."
)


READ_ONLY = (
    "The gate's disk can only be read, not written, so this file is not imported yet. Tell your"
    " technician. The gate tries again by itself."
)


FAULTY = (
    "The disk or the network share reported a fault ({fault}), so this file is not imported yet."
    " Tell your technician if this note comes back. The gate tries again by itself."
)


@dataclass(frozen=True)
class DroppedFile:
    """A regular file of the drop folder that has stopped changing."""

    path: Path
    identity: tuple[int, ...]
    """Device, inode, size, modification time and change time."""
    sha256: str
    """Empty for a file larger than ``MAX_EXPORT``, such as a ZIP of photos, which is not hashed."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.identity[2]


def stable_files(home: Home) -> list[DroppedFile]:
    """Files that did not change during the settling time, small ones first."""
    first = list(_dropped_files(home))
    if not first:
        return []
    time.sleep(home.settings.inbox.settle_seconds)
    stable = [file for file in first if _observe(home, file.path) == file]
    return sorted(stable, key=lambda file: file.size > _SMALL)


def _dropped_files(home: Home) -> Iterator[DroppedFile]:
    """Files of the drop folder with a wanted suffix, by name, whether they still change or not."""
    if not home.sims.is_dir():
        return
    for path in sorted(home.sims.iterdir()):
        is_wanted = path.suffix.lower() in WANTED and not path.name.startswith((".", "~$"))
        if is_wanted and (file := _observe(home, path)) is not None:
            yield file


def _observe(home: Home, path: Path) -> DroppedFile | None:
    """Read identity, size, times and digest of a file. None if it is gone or cannot be read.

    Anything but a regular file is moved to ``waiting`` without being opened.
    """
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            put_aside(home, path, NO_FILE)
            return None
        with open_regular_file(path) as file:
            identity = file_identity(os.fstat(file.fileno()))
            data = file.read(MAX_EXPORT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        log_later(home, path, error)
        return None
    sha256 = hashlib.sha256(data).hexdigest() if len(data) <= MAX_EXPORT else ""
    return DroppedFile(path, identity, sha256)


def file_identity(info: os.stat_result) -> tuple[int, ...]:
    return info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns


def log_later(home: Home, path: Path, error: Exception) -> None:
    """Leave a file for the next time. The log names the kind of error only."""
    log.warning("A file in the drop folder is not imported yet (%s).", type(error).__name__)
    if isinstance(error, OSError):
        try:
            note_waiting(home, path, _why_later(error))
        except OSError as fault:
            log.warning("The note on it cannot be written. %s", _why_later(fault))


def _why_later(error: OSError) -> str:
    """The message for staff on a file that cannot be imported yet."""
    if is_disk_full(error):
        return DISK_FULL
    if is_read_only(error):
        return READ_ONLY
    if isinstance(error, PermissionError | BlockingIOError) or error.errno in _IN_USE:
        return LOCKED
    return FAULTY.format(fault=os.strerror(error.errno) if error.errno else type(error).__name__)
