"""Note which photos are on their way into the vault, so that a start removes a crash's leftovers.

The note of a claim is a small file in the home with the item's id as its name. Only noted files are
ever removed from the vault: another home, or a copy of this one, may use the same folder or bucket.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from consent_gate.errors import StorageFull
from consent_gate.home.home import Home
from consent_gate.vault.originals import vault_of

FOLDER = ".claims"


@contextmanager
def noted_claim(home: Home, item_id: str) -> Iterator[None]:
    """Note that a file of the vault has no row yet. The note stays if the file may have stayed.

    Raises:
        OSError: The home cannot be written.
    """
    note = home.root / FOLDER / item_id
    note.parent.mkdir(mode=0o700, exist_ok=True)
    with note.open("xb") as file:
        file.write(_identity(file.fileno()))
    try:
        yield
    except Exception:
        with suppress(OSError, StorageFull):
            if not vault_of(home).exists(item_id):
                note.unlink()
        raise
    note.unlink(missing_ok=True)


def left_claims(home: Home) -> list[str]:
    """Return the items whose claim was interrupted. Call while no program claims photos.

    A note in a copy of the home is passed over: the claim went on in the home it was copied from.
    """
    return [note.name for note in _notes(home) if _is_own(note)]


def forget_left_claims(home: Home) -> None:
    """Delete all notes. Call while no program claims photos."""
    for note in _notes(home):
        note.unlink(missing_ok=True)


def _notes(home: Home) -> list[Path]:
    folder = home.root / FOLDER
    return sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []


def _is_own(note: Path) -> bool:
    with note.open("rb") as file:
        return file.read(100) == _identity(file.fileno())


def _identity(descriptor: int) -> bytes:
    """The disk and the number of an open file. A copy has another number."""
    stat = os.fstat(descriptor)
    return f"{stat.st_dev}:{stat.st_ino}".encode()
