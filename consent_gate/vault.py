"""Originals and previews, encrypted under a key per item.

The key of an item lies in the database, wrapped by the home's key: destroying it erases the item
wherever copies of the file may be. Files are written beside, synced and renamed, so that a file
with its final name is always whole.

Format: ``CGV1``, an 8-byte random prefix, then chunks of 1 MiB, each AES-256-GCM with nonce
prefix+counter; name, counter and "last" are associated data, so chunks cannot be reordered, cut
off or moved to another file (the STREAM construction, Hoang et al. 2015).
"""

from __future__ import annotations

import hashlib
import io
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from consent_gate.errors import Undecryptable
from consent_gate.filesystem import sync_folder
from consent_gate.keys import KEY_BYTES, seal, unseal

MAGIC = b"CGV1"
PREFIX_BYTES = 8
CHUNK = 1 << 20
TAG_BYTES = 16


@dataclass(frozen=True)
class Stored:
    """What was written: the measure of the plain bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Vault:
    """The private store of one home."""

    root: Path
    home_key: bytes

    def new_key(self, item: str) -> tuple[bytes, bytes]:
        """A fresh key for an item: plain, and wrapped for the database."""
        key = secrets.token_bytes(KEY_BYTES)
        return key, seal(self.home_key, key, f"item:{item}")

    def unwrap(self, item: str, wrapped: bytes) -> bytes:
        """The item's key. Raises Undecryptable."""
        return unseal(self.home_key, wrapped, f"item:{item}")

    def path(self, item: str, part: str = "original") -> Path:
        """Where a part of an item lies."""
        return self.root / f"{part}s" / item[:2] / item

    def write(self, item: str, key: bytes, source: BinaryIO, part: str = "original") -> Stored:
        """Encrypt a stream into its place. Raises OSError with nothing left behind."""
        target = self.path(item, part)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = target.with_suffix(f".{secrets.token_hex(4)}.partial")
        try:
            with temporary.open("xb") as sink:
                temporary.chmod(0o600)
                stored = _encrypt(source, sink, key, _place(item, part))
                sink.flush()
                os.fsync(sink.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(target.parent)
        return stored

    def read(self, item: str, key: bytes, part: str = "original") -> bytes:
        """The plain bytes. Raises Undecryptable when altered or cut, OSError when missing."""
        with self.path(item, part).open("rb") as source:
            return b"".join(_decrypt(source, key, _place(item, part)))

    def remove(self, item: str, part: str = "original") -> None:
        """Delete a part, if it is there."""
        self.path(item, part).unlink(missing_ok=True)

    def names(self, part: str = "original") -> Iterator[str]:
        """Items of which a part lies here."""
        for path in (self.root / f"{part}s").glob("*/*"):
            if path.suffix != ".partial":
                yield path.name

    def partials(self) -> Iterator[Path]:
        """Half-written files that a crash left behind."""
        return self.root.glob("*/*/*.partial")


def _place(item: str, part: str) -> bytes:
    return f"{part}:{item}".encode()


def _encrypt(source: BinaryIO, sink: BinaryIO, key: bytes, place: bytes) -> Stored:
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
            return Stored(digest.hexdigest(), size)
        chunk, counter = following, counter + 1


def _decrypt(source: BinaryIO, key: bytes, place: bytes) -> Iterator[bytes]:
    cipher = AESGCM(key)
    if source.read(len(MAGIC)) != MAGIC:
        raise Undecryptable("A vault file is damaged.")
    prefix = source.read(PREFIX_BYTES)
    chunk, counter = source.read(CHUNK + TAG_BYTES), 0
    while True:
        following = source.read(CHUNK + TAG_BYTES)
        nonce = prefix + counter.to_bytes(4, "big")
        try:
            yield cipher.decrypt(nonce, chunk, _associated(place, counter, not following))
        except (InvalidTag, ValueError) as error:
            raise Undecryptable("A vault file was altered or cut short.") from error
        if not following:
            return
        chunk, counter = following, counter + 1


def _associated(place: bytes, counter: int, last: bool) -> bytes:
    return place + counter.to_bytes(4, "big") + (b"last" if last else b"more")


def as_stream(data: bytes) -> BinaryIO:
    """Bytes as a stream, for ``Vault.write``."""
    return io.BytesIO(data)
