"""Pictures that lie outside the gate: an old photo folder, the website's own folder, a bucket.

Nothing here writes. Links are not followed; what computers leave behind is passed over.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

import fsspec

from consent_gate.errors import GateError
from ingest.inbox.scanner import InboxUnavailable, is_system_file, scan_inbox

BUCKET = "s3://"


class ArchiveUnavailable(GateError):
    """The archive cannot be looked through."""

    exit_code = 35
    next_step: ClassVar[str] = (
        "Check the folder or address and that this account may read it, then run the same again."
    )


@dataclass(frozen=True)
class ArchiveFile:
    """A file of an archive, not yet opened."""

    path: str
    """Below the archive, with forward slashes; bytes that are no UTF-8 as ``\\xff``."""
    place: str
    """Where it is opened."""
    mark: str
    """Another one means another content."""
    size: int


class ArchiveSource(Protocol):
    """Where the pictures come from."""

    @property
    def location(self) -> str:
        """One name for one archive, wherever the command was typed."""
        ...

    def files(self) -> Iterator[ArchiveFile]:
        """Every file. Raises ArchiveUnavailable."""
        ...

    def read(self, stored_blob: ArchiveFile) -> bytes:
        """The whole file. Raises OSError."""
        ...


def open_archive(location: str) -> ArchiveSource:
    """The folder or bucket of this name. Raises ArchiveUnavailable where it can be neither."""
    if location.startswith(BUCKET):
        return _Bucket(location.rstrip("/"))
    if "://" in location:
        raise ArchiveUnavailable(
            f"'{location}' is neither a folder nor an address of the form {BUCKET}…"
        )
    return _Folder(Path(location).resolve())


def in_shard(shard: str, path: str) -> bool:
    """Whether a file belongs to this share (``2/4``) of the work; an empty share is everything."""
    if not shard:
        return True
    number, _, count = shard.partition("/")
    digest = hashlib.blake2b(path.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % int(count) == int(number) - 1


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.location = os.fspath(root)

    def files(self) -> Iterator[ArchiveFile]:
        try:
            scan = scan_inbox(self._root)
        except InboxUnavailable as error:
            raise ArchiveUnavailable(f"The folder {self._root} cannot be read.") from error
        for found in scan.files:
            mark = f"{found.stat.size}-{found.stat.modified_ns}"
            yield ArchiveFile(found.source, os.fspath(found.path), mark, found.stat.size)

    def read(self, stored_blob: ArchiveFile) -> bytes:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(stored_blob.place, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError("not a file")
            return file.read()


class _Bucket:
    """An S3-compatible store; key, secret and address as its own tools take them (``AWS_…``)."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._files, self._root = fsspec.core.url_to_fs(location)

    def files(self) -> Iterator[ArchiveFile]:
        try:
            for folder, _, files in self._files.walk(self._root, detail=True, on_error="raise"):
                for name, facts in sorted(files.items()):
                    if name and not is_system_file(name):
                        yield self._archive_file(folder, name, facts)
        except Exception as error:  # the store's client has dozens of errors of its own
            raise ArchiveUnavailable(f"{self.location} cannot be read ({error}).") from error

    def _archive_file(self, folder: str, name: str, facts: dict[str, Any]) -> ArchiveFile:
        place = f"{folder}/{name}"
        path = place[len(self._root) :].lstrip("/")
        mark = str(facts.get("ETag") or facts.get("LastModified")).strip('"')[:60]
        return ArchiveFile(path, place, f"{facts['size']}-{mark}"[:80], int(facts["size"]))

    def read(self, stored_blob: ArchiveFile) -> bytes:
        try:
            return bytes(self._files.cat_file(stored_blob.place))
        except OSError:
            raise
        except Exception as error:
            raise OSError(str(error)) from error
