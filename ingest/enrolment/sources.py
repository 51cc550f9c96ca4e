"""Folders and ZIP files of enrolment photos. Listing them opens no photo."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import Protocol

from ingest.enrolment.zip_contents import EXPORTS, UNZIP_ERRORS, is_workbook, zip_contents

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
        files = (p for p in self.root.rglob("*") if p.is_file() and not p.is_symlink())
        return [n for p in files if _may_be_photo(n := p.relative_to(self.root).as_posix())]

    def read(self, name: str) -> bytes:
        path = self.root / name
        if path.stat().st_size > MAX_BYTES:
            raise OSError("too large")
        return path.read_bytes()


class ZipOfPhotos:
    """Enrolment photos in a ZIP, perhaps beside the export. Raises OSError if it is not a ZIP."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except UNZIP_ERRORS as error:
            raise OSError(f"{path.name} is not a ZIP that can be read.") from error

    def names(self) -> list[str]:
        members = self._archive.infolist()
        return [m.filename for m in members if not m.is_dir() and _may_be_photo(m.filename)]

    def read(self, name: str) -> bytes:
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


def contains_photos(path: Path) -> bool:
    """Whether the file is a ZIP that contains photos, and not a workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return not is_workbook(archive) and bool(zip_contents(archive).photos)
    except UNZIP_ERRORS:
        return False


def contains_export(path: Path) -> bool:
    """Whether the file is an export, or a ZIP that contains a table."""
    try:
        with zipfile.ZipFile(path) as archive:
            return is_workbook(archive) or bool(zip_contents(archive).exports)
    except UNZIP_ERRORS:
        return True
