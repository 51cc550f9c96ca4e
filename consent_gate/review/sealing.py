"""Locking a picture away so that no page, worker or command shows it again.

The item's key is wrapped anew for another place: whatever opens an item's key in the ordinary way
fails to decrypt it. The preview goes, and so do copies that still lie where people look.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from consent_gate.db.models import InboxSighting, Item
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.home import Home
from consent_gate.home.keys import decrypt, encrypt
from consent_gate.vault.originals import read_part, vault_of


def seal_item(home: Home, item: Item) -> None:
    """Wrap the item's key for the sealed place and forget what was written about the picture.

    Without a key nobody can open the original ever again. The row is not saved here. Raises
    Undecryptable.
    """
    if item.wrapped_key is not None:
        key = vault_of(home).unwrap(item.pk, bytes(item.wrapped_key))
        item.wrapped_key = encrypt(home.keys.vault, key, f"sealed:{item.pk}")
    item.title = item.alt = ""


def sealed_key(home: Home, item: Item) -> bytes:
    """The item's key, for a package that only the authorities open. Raises Undecryptable."""
    return decrypt(home.keys.vault, bytes(item.wrapped_key or b""), f"sealed:{item.pk}")


def is_intact(home: Home, item: Item) -> bool:
    """Whether the safe copy is seen to hold the bytes that came in. Ask before locking away."""
    try:
        return hashlib.sha256(read_part(home, item)).hexdigest() == item.sha256
    except (OSError, StorageFull, DecryptionError):
        return False


def remove_copies(home: Home, item: Item, *, intact: bool) -> None:
    """Take away the preview and, where the safe copy is intact, the files it came from."""
    with suppress(StorageFull):  # the store is away; no page opens it any more
        vault_of(home).remove(item.pk, "preview")
    if not intact:
        return  # the file in the inbox may then be the only one there is
    for source in InboxSighting.objects.filter(item=item).values_list("source", flat=True):
        for folder, path in _where_it_may_lie(home, item, source):
            inside = path.resolve().is_relative_to(folder.resolve())
            if inside and path.is_file() and _digest(path.read_bytes()) == item.sha256:
                path.unlink()


def _where_it_may_lie(home: Home, item: Item, source: str) -> Iterator[tuple[Path, Path]]:
    """Folder and file: where it was dropped, and where ``ingest.inbox.claim`` puts it away."""
    done = home.root / "done"
    yield home.inbox, home.inbox / source
    yield done, done / source
    yield done, (done / source).with_name(f"{item.pk}{Path(source).suffix}")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
