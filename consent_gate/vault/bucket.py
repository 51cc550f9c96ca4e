"""The vault in a bucket of an S3-compatible store.

As in a folder, a file is complete or does not exist. A store shows an object only after all of it
has arrived: PUT and the completion of a multipart upload are atomic, and since December 2020 every
later read sees the object (Amazon S3 user guide, "data consistency model"). Only ``commit``
completes an upload; after an error the upload is discarded. A crash leaves invisible parts, which
the bucket's rule for incomplete uploads removes (docs/scaling.md). Names are random, so two writers
never write the same object.

If the store does not answer, methods raise ``StoreUnavailable`` and not FileNotFoundError, so that
nothing is held or deleted because of a network failure.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, ClassVar, cast

import fsspec

from consent_gate.errors import StorageFull
from consent_gate.vault.interface import EncryptedFile, Vault


class StoreUnavailable(StorageFull):
    """The bucket with the originals does not answer, or refuses access."""

    exit_code = 36
    next_step: ClassVar[str] = (
        "Check [storage] in consent-gate.toml, the AWS_… variables and the network;"
        " the gate continues by itself."
    )


@dataclass(frozen=True)
class BucketVault(Vault):
    """A vault of encrypted objects below one ``s3://`` address."""

    location: str
    """``s3://bucket/folder``."""
    endpoint: str = ""
    """URL of the store; empty means Amazon S3."""

    @cached_property
    def _store(self) -> Any:  # fsspec has no types
        options = {"endpoint_url": self.endpoint} if self.endpoint else {}
        return fsspec.filesystem("s3", use_listings_cache=False, **options)

    def _key(self, item: str, part: str) -> str:
        return f"{self.location.removeprefix('s3://').rstrip('/')}/{part}s/{item[:2]}/{item}"

    @contextmanager
    def create(self, item: str, part: str) -> Iterator[BinaryIO]:
        with _store_errors():
            file = self._store.open(self._key(item, part), "wb", autocommit=False)
        try:
            yield cast(BinaryIO, _StoreWriter(file))
        except BaseException:
            with suppress(Exception):  # keep the error that ended the upload
                file.discard()
            file.closed = True  # else the garbage collector would complete the upload
            raise
        with _store_errors():
            file.close()
            file.commit()

    def open_encrypted(self, item: str, part: str) -> BinaryIO:
        with _store_errors():
            return cast(BinaryIO, self._store.open(self._key(item, part), "rb"))

    def stat(self, item: str, part: str = "original") -> EncryptedFile | None:
        try:
            with _store_errors():
                info = self._store.info(self._key(item, part))
        except FileNotFoundError:
            return None
        return EncryptedFile(int(info["size"]), int(info["LastModified"].timestamp() * 1e9))

    def remove(self, item: str, part: str = "original") -> None:
        with _store_errors():
            if self.exists(item, part):
                self._store.rm_file(self._key(item, part))

    def item_ids(self, part: str = "original") -> Iterator[str]:
        with _store_errors():
            folder = self._key("", part).rstrip("/")
            found = self._store.find(folder) if self._store.exists(folder) else []
        for key in found:
            yield key.rpartition("/")[2]

    def remove_partials(self) -> int:
        return 0  # they may be another machine's; the bucket's own rule removes old ones

    def free_bytes(self) -> int | None:
        return None


class _StoreWriter:
    """Writes encrypted bytes; raises StoreUnavailable, unlike an error of reading the photo."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        with _store_errors():
            return int(self._file.write(data))


@contextmanager
def _store_errors() -> Iterator[None]:
    """Turn every error of the store's client, except FileNotFoundError, into StoreUnavailable."""
    try:
        yield
    except (FileNotFoundError, StorageFull):
        raise
    except Exception as error:
        raise StoreUnavailable(f"The store of the originals does not answer ({error}).") from error
