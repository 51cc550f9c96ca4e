"""Read originals and write previews of items in the home's vault."""

from __future__ import annotations

from consent_gate.db.models import Item
from consent_gate.home.home import Home
from consent_gate.vault.bucket import BucketVault
from consent_gate.vault.folder import FolderVault
from consent_gate.vault.interface import PartReader, Vault, as_stream

STAFF_PARTS = ("preview", "film")
"""What staff see of an item: a JPEG; and of a film, the film and a strip of its faces."""

STORED_PARTS = ("original", *STAFF_PARTS)
"""Kinds of file that a backup has of an item."""

CHECKPOINT = "checkpoint"
"""How far the examination of a film is (``ingest.film.checkpoint``), until that has ended."""

ALL_PARTS = (*STORED_PARTS, CHECKPOINT)
"""Kinds of file that the vault stores of an item."""


def vault_of(home: Home) -> Vault:
    """Return the home's vault: its folder, or the bucket in the settings."""
    storage = home.settings.storage
    if storage.originals:
        return BucketVault(home.keys.vault, storage.originals, storage.endpoint)
    return FolderVault(home.keys.vault, home.vault)


def read_part(home: Home, item: Item, part: str = "original") -> bytes:
    """Return the decrypted bytes of a part of an item.

    Raises:
        DecryptionError: The key or the file was altered, or the item has no key any more.
        OSError: The file is missing or cannot be read.
        StoreUnavailable: The bucket does not answer.
    """
    vault, key = _vault_and_key(home, item)
    return vault.read(item.pk, key, part)


def open_original(home: Home, item: Item) -> PartReader:
    """Open the original of an item for reading in any order. Close it after use.

    Raises:
        DecryptionError: The key or the file was altered, or the item has no key any more.
        OSError: The file is missing or cannot be read.
        StoreUnavailable: The bucket does not answer.
    """
    vault, key = _vault_and_key(home, item)
    return vault.open_part(item.pk, key, item.size)


def open_film_view(home: Home, item: Item) -> PartReader:
    """Open what staff see of a film for reading in any order. Close it after use.

    Raises:
        DecryptionError: The key or the file was altered, or the item has no key any more.
        OSError: The file is missing or cannot be read.
        StoreUnavailable: The bucket does not answer.
    """
    vault, key = _vault_and_key(home, item)
    return vault.open_part(item.pk, key, None, "film")


def save_film_view(home: Home, item: Item, view: bytes) -> None:
    """Encrypt and store what staff see of a film (``ingest.film.staff_view``).

    Raises:
        DecryptionError: The key of the item was altered or destroyed.
        OSError: The file cannot be written.
        StoreUnavailable: The bucket does not answer.
    """
    _save_part(home, item, view, "film")


def save_checkpoint(home: Home, item: Item, checkpoint: bytes) -> None:
    """Encrypt and store how far the examination of a film is, in place of what was stored before.

    Raises:
        DecryptionError: The key of the item was altered or destroyed.
        OSError: The file cannot be written.
        StoreUnavailable: The bucket does not answer.
    """
    _save_part(home, item, checkpoint, CHECKPOINT)


def remove_checkpoint(home: Home, item_id: str) -> None:
    """Delete how far the examination of a film is.

    Raises:
        OSError: The file cannot be deleted.
        StoreUnavailable: The bucket does not answer.
    """
    vault_of(home).remove(item_id, CHECKPOINT)


def remove_staff_parts(home: Home, item_id: str) -> None:
    """Delete what staff see of an item, and how far its examination is.

    Raises:
        OSError: A file cannot be deleted.
        StoreUnavailable: The bucket does not answer.
    """
    for part in (*STAFF_PARTS, CHECKPOINT):
        vault_of(home).remove(item_id, part)


def save_preview(home: Home, item: Item, preview: bytes) -> None:
    """Encrypt and store the preview (JPEG bytes) that staff see of an item.

    Raises:
        DecryptionError: The key of the item was altered or destroyed.
        OSError: The file cannot be written.
        StoreUnavailable: The bucket does not answer.
    """
    _save_part(home, item, preview, "preview")


def _save_part(home: Home, item: Item, data: bytes, part: str) -> None:
    vault, key = _vault_and_key(home, item)
    vault.write(item.pk, key, as_stream(data), part)


def _vault_and_key(home: Home, item: Item) -> tuple[Vault, bytes]:
    """The home's vault, and the key of the item in it. Raises DecryptionError."""
    vault = vault_of(home)
    return vault, vault.unwrap(item.pk, bytes(item.wrapped_key or b""))
