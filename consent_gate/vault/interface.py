"""Originals and previews, encrypted under a key per item.

The key of an item lies in the database, wrapped by the home's key: destroying it erases the item
wherever copies of the file may be. Where the encrypted files lie, in a folder or in a bucket, is
``vault_folder``'s and ``vault_bucket``'s business; both show a file whole or not at all.

Format: ``CGV1``, an 8-byte random prefix, then chunks of 1 MiB, each AES-256-GCM with nonce
prefix+counter; name, counter and "last" are associated data, so chunks cannot be reordered, cut
off or moved to another file (the STREAM construction, Hoang et al. 2015).
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent_gate.errors import DecryptionError
from consent_gate.home.keys import KEY_BYTES, decrypt, encrypt

MAGIC = b"CGV1"
PREFIX_BYTES = 8
CHUNK = 1 << 20
TAG_BYTES = 16


@dataclass(frozen=True)
class StoredBlob:
    """What was written: the measure of the plain bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class EncryptedFile:
    """An encrypted file, not opened."""

    size: int
    modified_ns: int


@dataclass(frozen=True)
class Vault(ABC):
    """The private store of one home."""

    home_key: bytes

    def new_key(self, item: str) -> tuple[bytes, bytes]:
        """A fresh key for an item: plain, and wrapped for the database."""
        key = secrets.token_bytes(KEY_BYTES)
        return key, encrypt(self.home_key, key, f"item:{item}")

    def unwrap(self, item: str, wrapped: bytes) -> bytes:
        """The item's key. Raises Undecryptable."""
        return decrypt(self.home_key, wrapped, f"item:{item}")

    def write(self, item: str, key: bytes, source: BinaryIO, part: str = "original") -> StoredBlob:
        """Encrypt a stream into its place. Raises OSError with nothing left behind."""
        with self.create(item, part) as sink:
            return _encrypt(source, sink, key, _place(item, part))

    def read(self, item: str, key: bytes, part: str = "original") -> bytes:
        """The plain bytes. Raises Undecryptable when altered or cut, OSError when missing."""
        with self.open_sealed(item, part) as source:
            return b"".join(_decrypt(source, key, _place(item, part)))

    @abstractmethod
    def create(self, item: str, part: str) -> AbstractContextManager[BinaryIO]:
        """A sink for encrypted bytes. They are there, whole and lasting, once the block is left
        without an error; after an error nothing is. Raises OSError or StoreUnavailable."""

    @abstractmethod
    def open_sealed(self, item: str, part: str) -> BinaryIO:
        """The encrypted bytes. Raises FileNotFoundError, OSError or StoreUnavailable."""

    @abstractmethod
    def stat(self, item: str, part: str = "original") -> EncryptedFile | None:
        """Size and time of a part; None where it is not there. Raises OSError or
        StoreUnavailable."""

    @abstractmethod
    def remove(self, item: str, part: str = "original") -> None:
        """Delete a part, if it is there. Raises OSError or StoreUnavailable."""

    @abstractmethod
    def names(self, part: str = "original") -> Iterator[str]:
        """Items of which a part lies here. Raises OSError or StoreUnavailable."""

    @abstractmethod
    def remove_partials(self) -> int:
        """Remove what a crash left half-written. Returns how many."""

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Room for more; None where nobody can say."""

    def has(self, item: str, part: str = "original") -> bool:
        """Whether a part is there. Raises OSError or StoreUnavailable."""
        return self.stat(item, part) is not None


def _place(item: str, part: str) -> bytes:
    return f"{part}:{item}".encode()


def _encrypt(source: BinaryIO, sink: BinaryIO, key: bytes, place: bytes) -> StoredBlob:
    cipher, digest, size = AESGCM(key), hashlib.sha256(), 0
    prefix = os.urandom(PREFIX_BYTES)
    sink.write(MAGIC + prefix)
    chunk, counter = source.read(CHUNK), 0
    while True:
        digest.update(chunk)
        size += len(chunk)
        following = source.read(CHUNK) if chunk else b""
        nonce = prefix + counter.to_bytes(4, "big")
        sink.write(cipher.encrypt(nonce, chunk, _associated(place, counter, not following)))
        if not following:
            return StoredBlob(digest.hexdigest(), size)
        chunk, counter = following, counter + 1


def _decrypt(source: BinaryIO, key: bytes, place: bytes) -> Iterator[bytes]:
    cipher = AESGCM(key)
    if source.read(len(MAGIC)) != MAGIC:
        raise DecryptionError("A vault file is damaged.")
    prefix = source.read(PREFIX_BYTES)
    chunk, counter = source.read(CHUNK + TAG_BYTES), 0
    while True:
        following = source.read(CHUNK + TAG_BYTES)
        nonce = prefix + counter.to_bytes(4, "big")
        try:
            yield cipher.decrypt(nonce, chunk, _associated(place, counter, not following))
        except (InvalidTag, ValueError) as error:
            raise DecryptionError("A vault file was altered or cut short.") from error
        if not following:
            return
        chunk, counter = following, counter + 1


def _associated(place: bytes, counter: int, last: bool) -> bytes:
    return place + counter.to_bytes(4, "big") + (b"last" if last else b"more")


def as_stream(data: bytes) -> BinaryIO:
    """Bytes as a stream, for ``Vault.write``."""
    return io.BytesIO(data)
