"""Where enrolment photos lie: a folder or a ZIP. Listing them opens none."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath
from typing import Protocol

from ingest.enrolment.zip_contents import EXPORTS, UNZIP_ERRORS, is_workbook, zip_contents

MAX_BYTES = 50 << 20
"""A portrait larger than this is not a portrait."""
_LITTER = frozenset({"__macosx", "@eadir", "thumbs.db", "desktop.ini", "ehthumbs.db"})
"""What Macs, Windows and network disks leave lying about."""


class Photos(Protocol):
    """A folder or a ZIP of enrolment photos."""

    def names(self) -> list[str]:
        """All files in it that could be photos, with forward slashes."""
        ...

    def read(self, name: str) -> bytes:
        """One file. Raises OSError."""
        ...


class FolderOfPhotos:
    """Enrolment photos in a folder and its sub-folders; links are not followed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        files = (p for p in self.root.rglob("*") if p.is_file() and not p.is_symlink())
        return [n for p in files if _could_be(n := p.relative_to(self.root).as_posix())]

    def read(self, name: str) -> bytes:
        path = self.root / name
        if path.stat().st_size > MAX_BYTES:
            raise OSError("too large")
        return path.read_bytes()


class ZipOfPhotos:
    """Enrolment photos in a ZIP, perhaps next to the export. Raises OSError if it is no ZIP."""

    def __init__(self, path: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(path)
        except UNZIP_ERRORS as error:
            raise OSError(f"{path.name} is not a ZIP that can be read.") from error

    def names(self) -> list[str]:
        members = self._archive.infolist()
        return [m.filename for m in members if not m.is_dir() and _could_be(m.filename)]

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


def _could_be(name: str) -> bool:
    """Not litter, and not a table: exports and lists of photos lie next to photos."""
    path = PurePosixPath(name)
    if any(part.startswith(".") or part.casefold() in _LITTER for part in path.parts):
        return False
    return path.suffix.lower() not in EXPORTS


def holds_photos(path: Path) -> bool:
    """Whether the file is a ZIP with photos in it, and no workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return not is_workbook(archive) and bool(zip_contents(archive).photos)
    except UNZIP_ERRORS:
        return False


def holds_an_export(path: Path) -> bool:
    """Whether the file is an export, or a ZIP with a table in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return is_workbook(archive) or bool(zip_contents(archive).exports)
    except UNZIP_ERRORS:
        return True
