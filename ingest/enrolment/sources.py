"""Folders and ZIP files of enrolment photos. Listing them opens no photo."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from consent_gate.errors import ExportUnreadable
from consent_gate.home.filesystem import open_regular_file
from ingest.enrolment.zip_contents import (
    EXPORTS,
    MAX_MEMBERS,
    UNZIP_ERRORS,
    is_workbook,
    open_zip,
    zip_contents,
)

MAX_BYTES = 50 << 20
"""The largest file that is read as a portrait."""
_SYSTEM_NAMES = frozenset({"__macosx", "@eadir", "thumbs.db", "desktop.ini", "ehthumbs.db"})
"""Files and folders that macOS, Windows and network disks create, in lower case."""


class Photos(Protocol):
    """A folder or a ZIP of enrolment photos."""

    def names(self) -> list[str]:
        """Paths of all files that could be photos, with forward slashes."""
        ...

    def read(self, name: str) -> bytes:
        """The content of one file. Raises OSError."""
        ...


class FolderOfPhotos:
    """Enrolment photos in a folder and its sub-folders; links are not followed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Return the paths of the photos below the folder, with ``/``."""
        found = (path.relative_to(self.root).as_posix() for path in regular_files(self.root))
        return [name for name in found if _may_be_photo(name)][:MAX_MEMBERS]

    def read(self, name: str) -> bytes:
        """Return the bytes of one photo.

        Raises:
            OSError: It cannot be read, is too large, or lies outside the folder by a link.
        """
        path = self.root / name
        if not Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(self.root)):
            raise OSError("a link leads out of the folder")
        with open_regular_file(path) as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise OSError("too large")
        return data


def regular_files(root: Path) -> Iterator[Path]:
    """Regular files of a folder and its sub-folders, as listed. Follows no link, opens no file."""
    for folder, _, names in os.walk(root, followlinks=False):
        for name in names:
            path = Path(folder, name)
            try:
                is_regular = path.is_file() and not path.is_symlink()
            except OSError:  # the path is too long
                continue
            if is_regular:
                yield path


class ZipOfPhotos:
    """Enrolment photos in a ZIP, perhaps beside the export. Raises OSError if it is not a ZIP."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = open_zip(open_regular_file(path))
        except ExportUnreadable as error:
            raise OSError(f"{path.name} is not a ZIP that can be read.") from error

    def names(self) -> list[str]:
        """Return the names of the photos as the ZIP has them."""
        # Not member.is_dir(): zipfile's own fails on an empty name.
        names = [name for name in self._archive.namelist() if name and not name.endswith("/")]
        return [name for name in names if _may_be_photo(name)]

    def read(self, name: str) -> bytes:
        """Return the bytes of one photo.

        Raises:
            OSError: It is damaged, encrypted or too large.
        """
        try:
            if self._archive.getinfo(name).file_size > MAX_BYTES:
                raise OSError("too large")
            return self._archive.read(name)
        except UNZIP_ERRORS as error:
            raise OSError("damaged") from error


def photos_at(path: Path) -> Photos:
    """The photos in a folder or a ZIP."""
    return ZipOfPhotos(path) if zipfile.is_zipfile(path) else FolderOfPhotos(path)


def _may_be_photo(name: str) -> bool:
    """Whether the file is neither a system file nor a table, such as an export beside the
    photos."""
    path = PurePosixPath(name)
    if any(part.startswith(".") or part.casefold() in _SYSTEM_NAMES for part in path.parts):
        return False
    return path.suffix.lower() not in EXPORTS


@dataclass(frozen=True)
class DroppedContent:
    """What a file holds, by the names of its members."""

    export: bool
    """It is an export, or a ZIP with a table, or a ZIP that cannot be read."""
    photos: bool


def content_of(path: Path) -> DroppedContent:
    """Tell exports and ZIP files of photos apart. A file that is no ZIP counts as an export.

    Raises:
        OSError: The file cannot be opened or is not a regular file.
    """
    with open_regular_file(path) as file:
        if file.read(2) != b"PK":
            return DroppedContent(export=True, photos=False)
        try:
            with open_zip(file) as archive:
                if is_workbook(archive):
                    return DroppedContent(export=True, photos=False)
                contents = zip_contents(archive)
        except ExportUnreadable:
            return DroppedContent(export=True, photos=False)
    # A ZIP without photos counts as an export, so that a withdrawal in it is never put away unread.
    return DroppedContent(bool(contents.exports) or not contents.photos, bool(contents.photos))


def contains_photos(path: Path) -> bool:
    """Whether the file is a ZIP that contains photos, and not a workbook."""
    try:
        return content_of(path).photos
    except OSError:
        return False
