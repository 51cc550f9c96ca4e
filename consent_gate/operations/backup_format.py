"""What a backup folder looks like, and proving that it is whole.

``backup.json`` is the header with a seal under the home's audit key; it names the digest of
``files.jsonl``, which names every other file with its size and SHA-256. Whoever changes a byte
without the key is found out.
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
HEADER, LIST, DATABASE = "backup.json", "files.jsonl", "gate.sqlite3"


class BackupDamaged(GateError):
    """A backup is not whole, was altered, or belongs to other keys."""

    exit_code = 24
    next_step = "Take another backup, or the keys that belong to this one."


@dataclass(frozen=True)
class File:
    """One file of a backup."""

    path: str
    """Below the backup's folder, with forward slashes."""
    size: int
    sha256: str
    modified_ns: int


@dataclass(frozen=True)
class Backup:
    """What a backup says of itself."""

    made_at: str
    """UTC, ISO 8601."""
    version: str
    audit_sequence: int
    audit_mac: str
    files: int
    size: int
    """Bytes of all files together."""
    missing: int
    """Originals that the ledger names and the vault did not hold."""
    list_sha256: str


def newest(place: Path) -> Path | None:
    """The last whole backup at a place."""
    return max(backups(place), default=None)


def backups(place: Path) -> list[Path]:
    """All whole backups at a place, oldest first."""
    return sorted(p for p in place.glob(f"{PREFIX}*") if (p / HEADER).is_file())


def read_header(folder: Path, key: bytes) -> Backup:
    """What the backup says of itself, authenticated. Raises BackupDamaged."""
    try:
        header, seal = json.loads((folder / HEADER).read_bytes())
        whole = (
            hmac.compare_digest(_signature(key, header), seal) and header.pop("schema") == SCHEMA
        )
        listed = hashlib.sha256((folder / LIST).read_bytes()).hexdigest()
        backup = Backup(**header)
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise BackupDamaged(f"{folder.name} is not a whole backup.") from error
    if not whole or listed != backup.list_sha256:
        raise BackupDamaged(f"{folder.name} was altered, or the keys belong to another home.")
    return backup


def verify(folder: Path, key: bytes, *, thorough: bool = True) -> Backup:
    """Compare a backup with its own list. Raises BackupDamaged.

    ``thorough`` reads every byte again; without it sizes alone are compared, which is what a
    backup does of files that it hashed a moment ago.
    """
    backup = read_header(folder, key)
    for file in files_of(folder):
        path = folder / file.path
        same = path.is_file() and path.stat().st_size == file.size
        if not same or (thorough and digest(path) != file.sha256):
            raise BackupDamaged(f"A file of {folder.name} is missing or was altered.")
    return backup


def digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_of(folder: Path) -> Iterator[File]:
    """The files of a backup, in the order they were listed."""
    with (folder / LIST).open(encoding="utf-8") as lines:
        for line in lines:
            yield File(**json.loads(line))


def signed_header(key: bytes, header: Backup) -> bytes:
    """The header file's content."""
    body = {"schema": SCHEMA, **asdict(header)}
    return json.dumps([body, _signature(key, body)], indent=1).encode()


def _signature(key: bytes, body: dict[str, object]) -> str:
    text = json.dumps(body, sort_keys=True)
    return hmac.new(key, b"backup:" + text.encode(), hashlib.sha256).hexdigest()
