"""Read pictures outside the gate: an old photo folder, a website's folder or a bucket.

Nothing is written, and no link is followed. Files that operating systems create are skipped.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Protocol

import fsspec

from consent_gate.errors import GateError
from ingest.inbox.scanner import InboxUnavailable, is_system_file, scan_inbox

BUCKET = "s3://"


class ArchiveUnavailable(GateError):
    """The archive cannot be read."""

    exit_code = 35
    next_step: ClassVar[str] = (
        "Check the folder or address, and that this account may read it. "
        "Then run the command again."
    )


@dataclass(frozen=True)
class ArchiveFile:
    """A file of an archive, not yet opened."""

    path: str
    """Path below the archive, with forward slashes; bytes that are not UTF-8 as ``\\xff``."""
    address: str
    """Absolute path, or path in the bucket, under which it is opened."""
    mark: str
    """Changes when the content changes: size with time or ETag."""
    size: int
    """Bytes."""


class ArchiveSource(Protocol):
    """A folder or bucket of pictures."""

    @property
    def location(self) -> str:
        """Absolute path or address, the same wherever the command is started."""
        ...

    def files(self) -> Iterator[ArchiveFile]:
        """Every file.

        Raises:
            ArchiveUnavailable: The folder or bucket cannot be read.
        """
        ...

    def read(self, file: ArchiveFile) -> bytes:
        """The content of a file. Raises OSError."""
        ...

    def read_at(self, file: ArchiveFile, offset: int, length: int) -> bytes:
        """Up to ``length`` bytes of a file from an offset. Raises OSError."""
        ...


def open_archive(location: str) -> ArchiveSource:
    """The folder or bucket with this path or address.

    Raises:
        ArchiveUnavailable: ``location`` is neither.
    """
    if location.startswith(BUCKET):
        return _Bucket(location.rstrip("/"))
    if "://" in location:
        raise ArchiveUnavailable(
            f"'{location}' is neither a folder nor an address of the form {BUCKET}…"
        )
    return _Folder(Path(location).resolve())


def in_shard(shard: str, path: str) -> bool:
    """Whether a path belongs to this share (``2/4``) of the work; an empty share has every path."""
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

    def read(self, file: ArchiveFile) -> bytes:
        with self._opened(file) as stream:
            return stream.read()

    def read_at(self, file: ArchiveFile, offset: int, length: int) -> bytes:
        with self._opened(file) as stream:
            stream.seek(offset)
            return stream.read(length)

    @contextmanager
    def _opened(self, file: ArchiveFile) -> Iterator[BinaryIO]:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(file.address, flags), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise OSError("not a file")
            yield stream


class _Bucket:
    """An S3-compatible store; key, secret and address come from the usual ``AWS_…`` variables."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._files, self._root = fsspec.core.url_to_fs(location)

    def files(self) -> Iterator[ArchiveFile]:
        try:
            for folder, _, files in self._files.walk(self._root, detail=True, on_error="raise"):
                for name, info in sorted(files.items()):
                    if name and not is_system_file(name):
                        yield self._archive_file(folder, name, info)
        except Exception as error:  # the store's client has dozens of errors of its own
            raise ArchiveUnavailable(f"{self.location} cannot be read ({error}).") from error

    def _archive_file(self, folder: str, name: str, info: dict[str, Any]) -> ArchiveFile:
        address = f"{folder}/{name}"
        path = address[len(self._root) :].lstrip("/")
        mark = str(info.get("ETag") or info.get("LastModified")).strip('"')[:60]
        return ArchiveFile(path, address, f"{info['size']}-{mark}"[:80], int(info["size"]))

    def read(self, file: ArchiveFile) -> bytes:
        return self._content(file, None, None)

    def read_at(self, file: ArchiveFile, offset: int, length: int) -> bytes:
        return self._content(file, offset, min(offset + length, file.size))

    def _content(self, file: ArchiveFile, start: int | None, end: int | None) -> bytes:
        try:
            return bytes(self._files.cat_file(file.address, start=start, end=end))
        except OSError:
            raise
        except Exception as error:
            raise OSError(str(error)) from error
