"""Seal a picture so that no page, worker or command shows it again.

The item's key is encrypted again under another context (associated data), so that the code that
opens ordinary pictures cannot decrypt it. The preview and the copies in the inbox are deleted.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from consent_gate.db.models import InboxSighting, Item
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.filesystem import path_from_text
from consent_gate.home.home import Home
from consent_gate.home.keys import decrypt, encrypt
from consent_gate.vault.originals import read_part, remove_staff_parts, vault_of


def seal_item(home: Home, item: Item) -> None:
    """Encrypt the item's key under the sealed context, and clear its title and description.

    An item without a key is left without one: nobody can open its original. The caller saves the
    row.

    Raises:
        DecryptionError: The item's key does not open.
    """
    if item.wrapped_key is not None:
        key = vault_of(home).unwrap(item.pk, bytes(item.wrapped_key))
        item.wrapped_key = encrypt(home.keys.vault, key, f"sealed:{item.pk}")
    item.title = item.alt = ""


def sealed_key(home: Home, item: Item) -> bytes:
    """The key of a sealed item, for a package that only the authorities can open.

    Raises:
        DecryptionError: The key does not open under the sealed context.
    """
    return decrypt(home.keys.vault, bytes(item.wrapped_key or b""), f"sealed:{item.pk}")


def is_intact(home: Home, item: Item) -> bool:
    """Whether the stored original still has the digest of the file that came in.

    Call before ``seal_item``: afterwards the original cannot be read.
    """
    try:
        return hashlib.sha256(read_part(home, item)).hexdigest() == item.sha256
    except (OSError, StorageFull, DecryptionError):
        return False


def remove_copies(home: Home, item: Item, *, intact: bool) -> None:
    """Delete the preview and, if the stored original is intact, the files the picture came from."""
    with suppress(StorageFull):  # the vault is not reachable; no page opens the preview any more
        remove_staff_parts(home, item.pk)
    if not intact:
        return  # the file in the inbox may be the only readable copy
    seen = InboxSighting.objects.filter(item=item).values_list("source", flat=True)
    for source in {item.source, *seen}:  # a later photo of the same name takes over the sighting
        for folder, path in _possible_copies(home, item, source):
            inside = path.resolve().is_relative_to(folder.resolve())
            if inside and os.path.isfile(path) and _digest(path.read_bytes()) == item.sha256:  # noqa: PTH113  Path raises where a name is too long
                path.unlink()


def _possible_copies(home: Home, item: Item, source: str) -> Iterator[tuple[Path, Path]]:
    """Folder and path of each copy: in the inbox, and where ``ingest.inbox.claim`` moves it."""
    done = home.root / "done"
    yield home.inbox, home.inbox / path_from_text(source)
    yield done, done / source
    yield done, (done / source).with_name(f"{item.pk}{Path(source).suffix}")


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
