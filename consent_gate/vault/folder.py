"""The vault in a folder: of this machine, or on a share that all machines see.

Files are written beside, synced and renamed, so that a file with its final name is always whole.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from consent_gate.home.filesystem import sync_folder, whole_file
from consent_gate.vault.interface import EncryptedFile, Vault


@dataclass(frozen=True)
class FolderVault(Vault):
    """Encrypted files below one folder."""

    root: Path

    def path(self, item: str, part: str = "original") -> Path:
        """Where a part of an item lies."""
        return self.root / f"{part}s" / item[:2] / item

    @contextmanager
    def create(self, item: str, part: str) -> Iterator[BinaryIO]:
        target = self.path(item, part)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = target.with_suffix(f".{secrets.token_hex(4)}.partial")
        with whole_file(target, 0o600, beside) as sink:
            yield sink
        sync_folder(target.parent)

    def open_sealed(self, item: str, part: str) -> BinaryIO:
        return self.path(item, part).open("rb")

    def stat(self, item: str, part: str = "original") -> EncryptedFile | None:
        try:
            facts = self.path(item, part).stat()
        except FileNotFoundError:
            return None
        return EncryptedFile(facts.st_size, facts.st_mtime_ns)

    def remove(self, item: str, part: str = "original") -> None:
        self.path(item, part).unlink(missing_ok=True)

    def names(self, part: str = "original") -> Iterator[str]:
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
