"""The vault in a bucket of an S3-compatible store.

Why a file here is whole or not there, as in a folder: a store shows an object only when all of it
has arrived (PUT, or the completion of a multipart upload, are atomic, and since December 2020 every
later reading sees it: Amazon S3 user guide, "data consistency model"), and answers only when it
lasts. Uploads are completed by ``commit`` alone; after an error they are given up, and what a crash
leaves is invisible parts, which the bucket's own rule for incomplete uploads removes
(docs/scaling.md). Names are random, so two writers never mean the same object.

A store that does not answer is ``StoreUnavailable``, never "the file is missing": nothing is held
or tidied away because a network was down.
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
    """The bucket with the originals does not answer, or not to us."""

    exit_code = 36
    next_step: ClassVar[str] = (
        "Check [storage] in consent-gate.toml, the AWS_… variables and the network;"
        " the gate goes on by itself."
    )


@dataclass(frozen=True)
class BucketVault(Vault):
    """Encrypted objects below one address."""

    location: str
    """``s3://bucket/folder``."""
    endpoint: str = ""
    """Address of the store where it is not Amazon's."""

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
            yield cast(BinaryIO, _Sink(file))
        except BaseException:
            with suppress(Exception):  # the error that ended it matters more
                file.discard()
            file.closed = True  # or else the collector would try to finish it
            raise
        with _store_errors():
            file.close()
            file.commit()

    def open_sealed(self, item: str, part: str) -> BinaryIO:
        with _store_errors():
            return cast(BinaryIO, self._store.open(self._key(item, part), "rb"))

    def stat(self, item: str, part: str = "original") -> EncryptedFile | None:
        try:
            with _store_errors():
                facts = self._store.info(self._key(item, part))
        except FileNotFoundError:
            return None
        return EncryptedFile(int(facts["size"]), int(facts["LastModified"].timestamp() * 1e9))

    def remove(self, item: str, part: str = "original") -> None:
        with _store_errors():
            if self.has(item, part):
                self._store.rm_file(self._key(item, part))

    def names(self, part: str = "original") -> Iterator[str]:
        with _store_errors():
            folder = self._key("", part).rstrip("/")
            found = self._store.find(folder) if self._store.exists(folder) else []
        for key in found:
            yield key.rpartition("/")[2]

    def remove_partials(self) -> int:
        return 0  # invisible, and perhaps another machine's: the bucket's own rule removes them

    def free_bytes(self) -> int | None:
        return None


class _Sink:
    """Takes encrypted bytes; tells the store's faults from those of whoever reads the photo."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: bytes) -> int:
        with _store_errors():
            return int(self._file.write(data))


@contextmanager
def _store_errors() -> Iterator[None]:
    """Whatever the store's client raises, as StoreUnavailable; a file that is not there stays
    that."""
    try:
        yield
    except (FileNotFoundError, StorageFull):
        raise
    except Exception as error:
        raise StoreUnavailable(f"The store of the originals does not answer ({error}).") from error
