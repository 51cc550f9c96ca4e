"""Copy files into a backup: link unchanged files, and read new ones back after writing."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from consent_gate.home.home import Home
from consent_gate.operations.backup.backup_format import BackupDamaged, digest
from consent_gate.vault.interface import EncryptedFile
from consent_gate.vault.originals import STORED_PARTS, vault_of

BLOCK = 1 << 20
"""Bytes read at a time."""

Progress = Callable[[int, int], None]
"""Called with the number of files done and the number of files to do."""


def copy_vault(
    home: Home, work: Path, items: list[str], before: Path | None, progress: Progress
) -> int:
    """Copy or link the vault files of these items into the work folder, and delete others there.

    ``before`` is the folder of the last backup, whose files are linked where they are the same.
    Returns how many originals are missing in the vault.
    """
    wanted, missing, vault = set(), 0, vault_of(home)
    for number, item in enumerate(items, 1):
        for part in STORED_PARTS:
            name = f"vault/{part}s/{item[:2]}/{item}"
            try:
                to_copy = _reuse_or_link(
                    vault.stat(item, part), work / name, before / name if before else None
                )
                if to_copy is not None:
                    with vault.open_encrypted(item, part) as source:
                        _copy_stream(source, work / name, to_copy.modified_ns)
                wanted.add(work / name)
            except FileNotFoundError:
                missing += part == "original"
        progress(number, len(items))
    for path in (work / "vault").rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()  # left by an interrupted backup; its item was erased since
    return missing


def _reuse_or_link(
    stored: EncryptedFile | None, target: Path, linked: Path | None
) -> EncryptedFile | None:
    """Reuse the target, or link it to the last backup. Returns ``stored`` if it must be copied.

    Raises:
        FileNotFoundError: The vault does not hold the file.
    """
    if stored is None:
        raise FileNotFoundError
    if _is_same(target, stored):
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    if linked is not None and _is_same(linked, stored):
        target.unlink(missing_ok=True)
        try:
            os.link(linked, target)
        except OSError:  # a file system without hard links, or another one
            pass
        else:
            return None
    return stored


def _is_same(path: Path, stored: EncryptedFile) -> bool:
    """Whether a file has the size and the modification time of the stored one."""
    try:
        stat = path.stat()
    except OSError:
        return False
    return (stat.st_size, stat.st_mtime_ns) == (stored.size, stored.modified_ns)


def copy_verified(source: Path, target: Path) -> None:
    """Copy a file with its modification time, and compare what the disk gives back.

    Raises:
        BackupDamaged: The disk gives back something else.
    """
    with source.open("rb") as reader:
        _copy_stream(reader, target, os.fstat(reader.fileno()).st_mtime_ns)


def _copy_stream(reader: BinaryIO, target: Path, modified_ns: int) -> None:
    """Copy to a temporary name, sync, read back, compare, and rename."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(target.name + ".copying")
    with temporary.open("wb") as writer:
        temporary.chmod(0o600)
        expected = hashlib.sha256()
        while block := reader.read(BLOCK):
            writer.write(block)
            expected.update(block)
        writer.flush()
        os.fsync(writer.fileno())
    if digest(temporary) != expected.hexdigest():
        raise BackupDamaged(f"The disk of {target.parent} does not give back what was written.")
    os.utime(temporary, ns=(modified_ns, modified_ns))
    temporary.replace(target)
