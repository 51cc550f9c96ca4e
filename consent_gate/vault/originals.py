"""The encrypted originals of items."""

from __future__ import annotations

from consent_gate.db.models import Item
from consent_gate.home.home import Home
from consent_gate.vault.bucket import BucketVault
from consent_gate.vault.folder import FolderVault
from consent_gate.vault.interface import Vault, as_stream


def vault_of(home: Home) -> Vault:
    """The home's vault: the folder, or the bucket that the settings name."""
    storage = home.settings.storage
    if storage.originals:
        return BucketVault(home.keys.vault, storage.originals, storage.endpoint)
    return FolderVault(home.keys.vault, home.vault)


def read_part(home: Home, item: Item, part: str = "original") -> bytes:
    """A part of an item in the clear. Raises Undecryptable or OSError."""
    vault = vault_of(home)
    return vault.read(item.pk, vault.unwrap(item.pk, bytes(item.wrapped_key or b"")), part)


def save_preview(home: Home, item: Item, preview: bytes) -> None:
    """Store what staff see of an item. Raises OSError."""
    vault = vault_of(home)
    key = vault.unwrap(item.pk, bytes(item.wrapped_key or b""))
    vault.write(item.pk, key, as_stream(preview), "preview")
