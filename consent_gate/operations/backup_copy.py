"""Copying files into a backup: what is there already is linked, what is new is read back."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from consent_gate.home.home import Home
from consent_gate.operations.backup_format import BackupDamaged, digest
from consent_gate.vault.interface import EncryptedFile
from consent_gate.vault.originals import vault_of

PARTS = ("original", "preview")
BLOCK = 1 << 20

Progress = Callable[[int, int], None]
"""Called with how many files are done, and of how many."""


def copy_vault(
    home: Home, work: Path, items: list[str], before: Path | None, progress: Progress
) -> int:
    """Bring the vault files of these items, and no others. Returns how many originals lack."""
    wanted, missing, vault = set(), 0, vault_of(home)
    for number, item in enumerate(items, 1):
        for part in PARTS:
            name = f"vault/{part}s/{item[:2]}/{item}"
            try:
                known = _have(
                    vault.stat(item, part), work / name, before / name if before else None
                )
                if known is not None:
                    with vault.open_encrypted(item, part) as source:
                        _copy_stream(source, work / name, known.modified_ns)
                wanted.add(work / name)
            except FileNotFoundError:
                missing += part == "original"
        progress(number, len(items))
    for path in (work / "vault").rglob("*"):
        if path.is_file() and path not in wanted:
            path.unlink()  # of an item erased since an interrupted backup
    return missing


def _have(there: EncryptedFile | None, target: Path, linked: Path | None) -> EncryptedFile | None:
    """Have the same file at the target, as it is or linked. What is still to be copied, or None.

    Raises FileNotFoundError.
    """
    if there is None:
        raise FileNotFoundError
    if _looks_like(target, there):
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    if linked is not None and _looks_like(linked, there):
        target.unlink(missing_ok=True)
        try:
            os.link(linked, target)
        except OSError:  # a file system without hard links, or another one
            pass
        else:
            return None
    return there


def _looks_like(path: Path, there: EncryptedFile) -> bool:
    try:
        facts = path.stat()
    except OSError:
        return False
    return (facts.st_size, facts.st_mtime_ns) == (there.size, there.modified_ns)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file; the time is the source's, so that it is known again. Raises BackupDamaged."""
    with source.open("rb") as here:
        _copy_stream(here, target, os.fstat(here.fileno()).st_mtime_ns)


def _copy_stream(here: BinaryIO, target: Path, modified_ns: int) -> None:
    """Copy beside, sync, read back and compare, rename. Raises BackupDamaged when the disk gives
    back something else."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(target.name + ".copying")
    with temporary.open("wb") as there:
        temporary.chmod(0o600)
        read = hashlib.sha256()
        while block := here.read(BLOCK):
            there.write(block)
            read.update(block)
        there.flush()
        os.fsync(there.fileno())
    if digest(temporary) != read.hexdigest():
        raise BackupDamaged(f"The disk of {target.parent} does not give back what was written.")
    os.utime(temporary, ns=(modified_ns, modified_ns))
    temporary.replace(target)
