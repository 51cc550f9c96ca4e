"""List the tables and photos in a ZIP by the names of its members."""

from __future__ import annotations

import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from consent_gate.errors import ExportUnreadable

UNZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    OverflowError,
    LookupError,
    struct.error,
)
"""Errors that ``zipfile`` raises for damaged, encrypted or unusual archives."""

EXPORTS = frozenset({".csv", ".txt", ".tsv", ".xml", ".xls", ".xlsx", ".xlsm", ".ods"})
PHOTOS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".heic", ".heif", ".webp", ".tif", ".tiff", ".bmp"}
)
MAX_EXPORT = 256 * 2**20
"""The largest export that is read, in bytes: about ten times the largest export of a trust."""


@dataclass(frozen=True)
class ZipContents:
    """Members of an archive, without files that operating systems create."""

    exports: tuple[str, ...]
    """Tables: the export, and perhaps a list of photo files."""
    photos: tuple[str, ...]


def is_workbook(archive: zipfile.ZipFile) -> bool:
    """Whether the ZIP is itself an Excel or OpenDocument file."""
    names = set(archive.namelist())
    return "[Content_Types].xml" in names or {"mimetype", "content.xml"} <= names


def zip_contents(archive: zipfile.ZipFile) -> ZipContents:
    """The tables and photos of an archive."""
    # Not member.is_dir(): zipfile's own fails on an empty name.
    names = [name for name in archive.namelist() if name and not name.endswith("/")]
    wanted = [name for name in names if not _is_system_file(PurePosixPath(name))]
    return ZipContents(
        exports=tuple(n for n in wanted if PurePosixPath(n).suffix.lower() in EXPORTS),
        photos=tuple(n for n in wanted if PurePosixPath(n).suffix.lower() in PHOTOS),
    )


def _is_system_file(path: PurePosixPath) -> bool:
    return path.name.startswith(".") or path.parts[:1] in {("__MACOSX",), ("@eaDir",)}


def read_member(archive: zipfile.ZipFile, name: str, limit: int = MAX_EXPORT) -> bytes:
    """The bytes of one member.

    Raises:
        ExportUnreadable: The member is damaged, encrypted or larger than ``limit`` bytes.
    """
    try:
        if archive.getinfo(name).file_size > limit:
            raise ExportUnreadable("A file in this ZIP is far larger than a school's export.")
        return archive.read(name)
    except UNZIP_ERRORS as error:
        raise ExportUnreadable("A file in this ZIP is damaged or protected.") from error
