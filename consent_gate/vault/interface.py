"""``Vault``: storage of originals and previews, encrypted under one key per item.

The key of an item is in the database, encrypted under the home's key. Destroying the key erases the
item, wherever copies of its file may be. ``vault.folder`` and ``vault.bucket`` store the encrypted
files. In both, a file is complete or does not exist.

File format: ``CGV1``, an 8-byte random prefix, then chunks of 1 MiB. Each chunk is encrypted with
AES-256-GCM; its nonce is the prefix and a 4-byte counter. The associated data of a chunk is the
name of the file, the counter and whether it is the last chunk. So chunks cannot be reordered, cut
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
    """Digest and size of the unencrypted bytes that were written."""

    sha256: str
    size: int
    """In bytes."""


@dataclass(frozen=True)
class EncryptedFile:
    """Size and time of an encrypted file."""

    size: int
    """In bytes, encrypted."""
    modified_ns: int
    """Nanoseconds since 1970."""


@dataclass(frozen=True)
class Vault(ABC):
    """The private store of one home.

    ``item`` is the id of an item. ``part`` is ``original``, ``preview`` or another kind of file.
    """

    home_key: bytes
    """``Keys.vault``."""

    def new_key(self, item: str) -> tuple[bytes, bytes]:
        """Create a key for an item. Returns it in the clear and encrypted for the database."""
        key = secrets.token_bytes(KEY_BYTES)
        return key, encrypt(self.home_key, key, f"item:{item}")

    def unwrap(self, item: str, wrapped: bytes) -> bytes:
        """Decrypt the key of an item.

        Raises:
            DecryptionError: ``wrapped`` was altered, or belongs to another item or home.
        """
        return decrypt(self.home_key, wrapped, f"item:{item}")

    def write(self, item: str, key: bytes, source: BinaryIO, part: str = "original") -> StoredBlob:
        """Encrypt a stream and store it.

        Raises:
            OSError: ``source`` cannot be read, or the file cannot be written. Nothing is stored.
            StoreUnavailable: The bucket does not answer. Nothing is stored.
        """
        with self.create(item, part) as sink:
            return _encrypt(source, sink, key, _file_name(item, part))

    def read(self, item: str, key: bytes, part: str = "original") -> bytes:
        """Return the decrypted bytes.

        Raises:
            DecryptionError: The file was altered or cut short, or the key is wrong.
            OSError: The file is missing or cannot be read.
            StoreUnavailable: The bucket does not answer.
        """
        with self.open_encrypted(item, part) as source:
            return b"".join(_decrypt(source, key, _file_name(item, part)))

    def open_part(
        self, item: str, key: bytes, size: int | None, part: str = "original"
    ) -> PartReader:
        """Open a part for reading in any order. Close it after use.

        Args:
            item: The id of the item.
            key: The key of the item.
            size: How many bytes were stored. A file of another size is an error at once. None where
                nobody recorded it: then the last chunk proves that the file was not cut short.
            part: Which file of the item.

        Raises:
            DecryptionError: The file was altered or cut short.
            OSError: The file is missing or cannot be read.
            StoreUnavailable: The bucket does not answer.
        """
        return PartReader(self.open_encrypted(item, part), key, _file_name(item, part), size)

    @abstractmethod
    def create(self, item: str, part: str) -> AbstractContextManager[BinaryIO]:
        """Open a new file for encrypted bytes, as a context manager.

        The file exists, complete and synced, after the block ends without an error. After an error
        no file exists.

        Raises:
            OSError: The file cannot be written.
            StoreUnavailable: The bucket does not answer.
        """

    @abstractmethod
    def open_encrypted(self, item: str, part: str) -> BinaryIO:
        """Open the encrypted bytes of a part for reading.

        Raises:
            FileNotFoundError: There is no such part.
            OSError: The file cannot be read.
            StoreUnavailable: The bucket does not answer.
        """

    @abstractmethod
    def stat(self, item: str, part: str = "original") -> EncryptedFile | None:
        """Return the size and time of a part; None if it does not exist.

        Raises:
            OSError: The folder cannot be read.
            StoreUnavailable: The bucket does not answer.
        """

    @abstractmethod
    def remove(self, item: str, part: str = "original") -> None:
        """Delete a part, if it exists.

        Raises:
            OSError: The file cannot be deleted.
            StoreUnavailable: The bucket does not answer.
        """

    @abstractmethod
    def item_ids(self, part: str = "original") -> Iterator[str]:
        """Yield the ids of all items that have this part.

        Raises:
            OSError: The folder cannot be read.
            StoreUnavailable: The bucket does not answer.
        """

    @abstractmethod
    def remove_partials(self) -> int:
        """Delete incomplete files that a crash left behind. Returns how many."""

    @abstractmethod
    def free_bytes(self) -> int | None:
        """Return the free disk space in bytes; None for a bucket, where it is unknown."""

    def exists(self, item: str, part: str = "original") -> bool:
        """Whether a part exists.

        Raises:
            OSError: The folder cannot be read.
            StoreUnavailable: The bucket does not answer.
        """
        return self.stat(item, part) is not None


class PartReader:
    """Reads a part in any order, and decrypts only the chunks that are asked for."""

    def __init__(self, source: BinaryIO, key: bytes, name: bytes, size: int | None) -> None:
        """``source`` has the encrypted bytes, and ``size`` is that of the decrypted ones, if known.

        Raises:
            DecryptionError: The file has another size, was cut short, or is none of the vault.
        """
        self._source, self._cipher, self._name = source, AESGCM(key), name
        self._last: tuple[int, bytes] = (-1, b"")
        try:
            encrypted = source.seek(0, os.SEEK_END)
            source.seek(0)
            head = source.read(len(MAGIC) + PREFIX_BYTES)
            stored = encrypted - len(head)
            self._chunks = max(1, -(-stored // (CHUNK + TAG_BYTES)))
            self.size = stored - self._chunks * TAG_BYTES
            is_whole = self._chunks == max(1, -(-self.size // CHUNK))
            if head[:4] != MAGIC or not is_whole or size not in {None, self.size}:
                raise DecryptionError("A vault file was altered or cut short.")
            self._prefix = head[len(MAGIC) :]
            self.written = self._prefix.hex()  # another text whenever the file is written again
            if size is None:
                self._chunk(self._chunks - 1)
        except BaseException:
            source.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def read_at(self, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``offset``; fewer at the end alone.

        Raises:
            DecryptionError: A chunk was altered.
            OSError: The file cannot be read.
        """
        end = min(offset + length, self.size)
        parts = []
        while offset < end:
            number, start = divmod(offset, CHUNK)
            part = self._chunk(number)[start : start + end - offset]
            if not part:
                raise DecryptionError("A vault file was cut short.")
            parts.append(part)
            offset += len(part)
        return b"".join(parts)

    def _chunk(self, number: int) -> bytes:
        if self._last[0] != number:
            head = len(MAGIC) + PREFIX_BYTES
            self._source.seek(head + number * (CHUNK + TAG_BYTES))
            encrypted = self._source.read(CHUNK + TAG_BYTES)
            nonce = self._prefix + number.to_bytes(4, "big")
            last = number == self._chunks - 1
            try:
                chunk = self._cipher.decrypt(
                    nonce, encrypted, _associated(self._name, number, last)
                )
            except (InvalidTag, ValueError) as error:
                raise DecryptionError("A vault file was altered or cut short.") from error
            self._last = number, chunk
        return self._last[1]


def _file_name(item: str, part: str) -> bytes:
    """The name of a file in the associated data of its chunks."""
    return f"{part}:{item}".encode()


def _encrypt(source: BinaryIO, sink: BinaryIO, key: bytes, name: bytes) -> StoredBlob:
    cipher, digest, size = AESGCM(key), hashlib.sha256(), 0
    prefix = os.urandom(PREFIX_BYTES)
    sink.write(MAGIC + prefix)
    chunk, counter = source.read(CHUNK), 0
    while True:
        digest.update(chunk)
        size += len(chunk)
        following = source.read(CHUNK) if chunk else b""
        nonce = prefix + counter.to_bytes(4, "big")
        sink.write(cipher.encrypt(nonce, chunk, _associated(name, counter, not following)))
        if not following:
            return StoredBlob(digest.hexdigest(), size)
        chunk, counter = following, counter + 1


def _decrypt(source: BinaryIO, key: bytes, name: bytes) -> Iterator[bytes]:
    cipher = AESGCM(key)
    if source.read(len(MAGIC)) != MAGIC:
        raise DecryptionError("A vault file is damaged.")
    prefix = source.read(PREFIX_BYTES)
    chunk, counter = source.read(CHUNK + TAG_BYTES), 0
    while True:
        following = source.read(CHUNK + TAG_BYTES)
        nonce = prefix + counter.to_bytes(4, "big")
        try:
            yield cipher.decrypt(nonce, chunk, _associated(name, counter, not following))
        except (InvalidTag, ValueError) as error:
            raise DecryptionError("A vault file was altered or cut short.") from error
        if not following:
            return
        chunk, counter = following, counter + 1


def _associated(name: bytes, counter: int, last: bool) -> bytes:
    return name + counter.to_bytes(4, "big") + (b"last" if last else b"more")


def as_stream(data: bytes) -> BinaryIO:
    """Return the bytes as a stream, for ``Vault.write``."""
    return io.BytesIO(data)
