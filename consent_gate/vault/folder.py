"""The vault in a folder on this machine, or on a network share that all machines use.

A file is written under another name, synced and renamed, so a file with its final name is complete.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from consent_gate.home.filesystem import atomic_file, sync_folder
from consent_gate.vault.interface import EncryptedFile, Vault


@dataclass(frozen=True)
class FolderVault(Vault):
    """A vault of encrypted files below one folder."""

    root: Path

    def path(self, item: str, part: str = "original") -> Path:
        """Return the path of a part of an item, whether or not it exists."""
        return self.root / f"{part}s" / item[:2] / item

    @contextmanager
    def create(self, item: str, part: str) -> Iterator[BinaryIO]:
        target = self.path(item, part)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = target.with_suffix(f".{secrets.token_hex(4)}.partial")
        with atomic_file(target, 0o600, partial) as sink:
            yield sink
        sync_folder(target.parent)

    def open_encrypted(self, item: str, part: str) -> BinaryIO:
        return self.path(item, part).open("rb")

    def stat(self, item: str, part: str = "original") -> EncryptedFile | None:
        try:
            stat = self.path(item, part).stat()
        except FileNotFoundError:
            return None
        return EncryptedFile(stat.st_size, stat.st_mtime_ns)

    def remove(self, item: str, part: str = "original") -> None:
        self.path(item, part).unlink(missing_ok=True)

    def item_ids(self, part: str = "original") -> Iterator[str]:
        for path in (self.root / f"{part}s").glob("*/*"):
            if path.suffix != ".partial":
                yield path.name

    def remove_partials(self) -> int:
        partials = list(self.root.glob("*/*/*.partial"))
        for path in partials:
            path.unlink(missing_ok=True)
        return len(partials)

    def free_bytes(self) -> int | None:
        return shutil.disk_usage(self.root).free
