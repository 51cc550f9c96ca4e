"""The format of a backup folder, and the check that it is complete and unaltered.

``backup.json`` is the header with an HMAC under the home's audit key. It holds the digest of
``files.jsonl``, which lists every other file with its size and SHA-256. A byte changed without the
key is therefore detected.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from consent_gate.errors import GateError

SCHEMA = "consent-gate/backup@1"
PREFIX = "consent-gate-"
"""Beginning of the name of a backup folder."""

HEADER, LIST, DATABASE = "backup.json", "files.jsonl", "gate.sqlite3"


class BackupDamaged(GateError):
    """A backup is incomplete, was altered, or belongs to other keys."""

    exit_code = 24
    next_step = "Use another backup, or the keys that belong to this one."


@dataclass(frozen=True)
class FileEntry:
    """One file of a backup."""

    path: str
    """Path below the backup's folder, with forward slashes."""
    size: int
    sha256: str
    modified_ns: int


@dataclass(frozen=True)
class Backup:
    """The header of a backup."""

    made_at: str
    """UTC, ISO 8601."""
    version: str
    audit_sequence: int
    audit_mac: str
    files: int
    size: int
    """Bytes of all files together."""
    missing: int
    """Number of originals that the database names and the vault did not hold."""
    list_sha256: str


def newest(place: Path) -> Path | None:
    """Folder of the newest complete backup at a place; None when there is none."""
    return max(backups(place), default=None)


def backups(place: Path) -> list[Path]:
    """Folders of all complete backups at a place, oldest first."""
    return sorted(p for p in place.glob(f"{PREFIX}*") if (p / HEADER).is_file())


def read_header(folder: Path, key: bytes) -> Backup:
    """Read and authenticate the header of a backup.

    Raises:
        BackupDamaged: The header is missing, was altered or was signed with another key.
    """
    try:
        header, signature = json.loads((folder / HEADER).read_bytes())
        authentic = (
            hmac.compare_digest(_signature(key, header), signature)
            and header.pop("schema") == SCHEMA
        )
        listed = hashlib.sha256((folder / LIST).read_bytes()).hexdigest()
        backup = Backup(**header)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise BackupDamaged(f"{folder.name} is not a complete backup.") from error
    if not authentic or listed != backup.list_sha256:
        raise BackupDamaged(f"{folder.name} was altered, or the keys belong to another home.")
    return backup


def verify(folder: Path, key: bytes, *, thorough: bool = True) -> Backup:
    """Compare a backup with its own list of files, and return its header.

    ``thorough`` reads every byte. Without it only sizes are compared, which is enough right after
    the files were hashed.

    Raises:
        BackupDamaged: A file is missing or differs.
    """
    backup = read_header(folder, key)
    for file in files_of(folder):
        path = folder / file.path
        same = path.is_file() and path.stat().st_size == file.size
        if not same or (thorough and digest(path) != file.sha256):
            raise BackupDamaged(f"A file of {folder.name} is missing or was altered.")
    return backup


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_of(folder: Path) -> Iterator[FileEntry]:
    """The files of a backup, in the order they were listed."""
    with (folder / LIST).open(encoding="utf-8") as lines:
        for line in lines:
            yield FileEntry(**json.loads(line))


def signed_header(key: bytes, header: Backup) -> bytes:
    """The content of the header file, with its HMAC under the audit key."""
    body = {"schema": SCHEMA, **asdict(header)}
    return json.dumps([body, _signature(key, body)], indent=1).encode()


def _signature(key: bytes, body: dict[str, object]) -> str:
    text = json.dumps(body, sort_keys=True)
    return hmac.new(key, b"backup:" + text.encode(), hashlib.sha256).hexdigest()
