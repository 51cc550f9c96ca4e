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
from ingest.inbox.scanner import InboxAway, is_left_behind, look_through

BUCKET = "s3://"


class ArchiveAway(GateError):
    """The archive cannot be looked through."""

    exit_code = 35
    next_step: ClassVar[str] = (
        "Check the folder or address and that this account may read it, then run the same again."
    )


@dataclass(frozen=True)
class Stored:
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

    def stored(self) -> Iterator[Stored]:
        """Every file. Raises ArchiveAway."""
        ...

    def read(self, one: Stored) -> bytes:
        """The whole file. Raises OSError."""
        ...


def open_archive(location: str) -> ArchiveSource:
    """The folder or bucket of this name. Raises ArchiveAway where it can be neither."""
    if location.startswith(BUCKET):
        return _Bucket(location.rstrip("/"))
    if "://" in location:
        raise ArchiveAway(f"'{location}' is neither a folder nor an address of the form {BUCKET}…")
    return _Folder(Path(location).resolve())


def falls_to(part: str, path: str) -> bool:
    """Whether a file belongs to this share (``2/4``) of the work; an empty share is everything."""
    if not part:
        return True
    number, _, count = part.partition("/")
    digest = hashlib.blake2b(path.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % int(count) == int(number) - 1


class _Folder:
    def __init__(self, root: Path) -> None:
        self._root = root
        self.location = os.fspath(root)

    def stored(self) -> Iterator[Stored]:
        try:
            contents = look_through(self._root)
        except InboxAway as error:
            raise ArchiveAway(f"The folder {self._root} cannot be read.") from error
        for found in contents.files:
            mark = f"{found.look.size}-{found.look.modified_ns}"
            yield Stored(found.source, os.fspath(found.path), mark, found.look.size)

    def read(self, one: Stored) -> bytes:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(one.place, flags), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise OSError("not a file")
            return file.read()


class _Bucket:
    """An S3-compatible store; key, secret and address as its own tools take them (``AWS_…``)."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._files, self._root = fsspec.core.url_to_fs(location)

    def stored(self) -> Iterator[Stored]:
        try:
            for folder, _, files in self._files.walk(self._root, detail=True, on_error="raise"):
                for name, facts in sorted(files.items()):
                    if name and not is_left_behind(name):
                        yield self._one(folder, name, facts)
        except Exception as error:  # the store's client has dozens of errors of its own
            raise ArchiveAway(f"{self.location} cannot be read ({error}).") from error

    def _one(self, folder: str, name: str, facts: dict[str, Any]) -> Stored:
        place = f"{folder}/{name}"
        path = place[len(self._root) :].lstrip("/")
        mark = str(facts.get("ETag") or facts.get("LastModified")).strip('"')[:60]
        return Stored(path, place, f"{facts['size']}-{mark}"[:80], int(facts["size"]))

    def read(self, one: Stored) -> bytes:
        try:
            return bytes(self._files.cat_file(one.place))
        except OSError:
            raise
        except Exception as error:
            raise OSError(str(error)) from error
