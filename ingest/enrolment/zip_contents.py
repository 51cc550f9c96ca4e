"""List the tables and photos in a ZIP by the names of its members, within limits.

All limits are checked on the sizes that the archive declares, before a member is read. ``zipfile``
never returns more bytes of a member than it declares.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

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

EXPORTS = frozenset(
    {".csv", ".htm", ".html", ".json", ".ods", ".tsv", ".txt", ".xls", ".xlsm", ".xlsx", ".xml"}
)
PHOTOS = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".heic", ".heif", ".webp", ".tif", ".tiff", ".bmp"}
)
MAX_EXPORT = 64 * 2**20
"""The largest export that is read, in bytes; also for the sum of the tables in a ZIP.

An export of 25 000 pupils as XML has about 25 MB.
"""
MAX_MEMBERS = 20_000
"""Most files in a ZIP. A school has 200 to 700 pupils, and a few photos of each."""
MAX_DIRECTORY = 8 << 20
"""Largest list of members in a ZIP, in bytes: ``zipfile`` reads all of it at once."""
MAX_UNPACKED = 16 << 30
"""Largest sum of all members of a ZIP, in bytes: portraits of 700 pupils have 1 to 7 GB."""
MAX_RATIO = 250
"""Most bytes of a ZIP's members for each byte of the ZIP. Tables reach 50; photos 1."""
_SMALL_ENOUGH = 32 << 20
"""Archives that unpack to no more than this, in bytes, may have any ratio."""

_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_TAIL = (1 << 16) + 200
"""Bytes at the end of a ZIP that hold its end records and its comment (APPNOTE 4.3.14-16)."""


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


def open_zip(file: IO[bytes]) -> zipfile.ZipFile:
    """Open an archive after its sizes were checked.

    Raises:
        ExportUnreadable: The archive is damaged, or larger than any school's.
    """
    try:
        if _directory_size(file) > MAX_DIRECTORY:
            raise ExportUnreadable(_TOO_MANY)
        archive = zipfile.ZipFile(file)
    except UNZIP_ERRORS as error:
        raise ExportUnreadable("This ZIP or Excel file is damaged.") from error
    members = archive.infolist()
    total = sum(member.file_size for member in members)
    if len(members) > MAX_MEMBERS:
        raise ExportUnreadable(_TOO_MANY)
    packed = max(1, file.seek(0, os.SEEK_END))
    if total > MAX_UNPACKED or (total > _SMALL_ENOUGH and total > MAX_RATIO * packed):
        raise ExportUnreadable("The files in this ZIP are far larger than a school's.")
    return archive


_TOO_MANY = f"This ZIP holds more than {MAX_MEMBERS} files. Put fewer files into one ZIP."


def _directory_size(file: IO[bytes]) -> int:
    """The largest size that an end record near the end of the file declares for the directory."""
    size = file.seek(0, os.SEEK_END)
    start = file.seek(max(0, size - _TAIL))
    tail = file.read(size - start)
    sizes = [int.from_bytes(tail[at + 40 : at + 48], "little") for at in _found(tail, _END_64)]
    for at in _found(tail, _END):
        declared = int.from_bytes(tail[at + 12 : at + 16], "little")
        if declared != 0xFFFFFFFF or not sizes:
            sizes.append(declared)
    return max(sizes, default=0)


def _found(data: bytes, mark: bytes) -> list[int]:
    """Positions of a mark."""
    places, at = [], data.find(mark)
    while at >= 0:
        places.append(at)
        at = data.find(mark, at + 1)
    return places


def read_tables(file: IO[bytes]) -> bytes:
    """Read an export, or pack the tables of a large ZIP with photos into a ZIP without photos.

    Args:
        file: An open regular file or upload.

    Returns:
        At most about ``MAX_EXPORT`` bytes, for ``sims_import.readers``.

    Raises:
        ExportUnreadable: The file is larger than an export, and no ZIP with tables; or it is a
            damaged or far too large ZIP.
        OSError: The file cannot be read.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    is_zip = file.read(4) == b"PK\x03\x04"
    if is_zip:
        open_zip(file).close()  # its limits hold for small files as well
    file.seek(0)
    if size <= MAX_EXPORT:
        return file.read(MAX_EXPORT)
    if not is_zip:
        raise ExportUnreadable(_TOO_LARGE)
    packed = io.BytesIO()
    with open_zip(file) as archive, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as tables:
        names = () if is_workbook(archive) else zip_contents(archive).exports
        if not names:
            raise ExportUnreadable(_TOO_LARGE)
        for name in names:
            tables.writestr(zipfile.ZipInfo(name), read_member(archive, name))
    return packed.getvalue()


_TOO_LARGE = "This file is far larger than a school's export. Save the report again."


def read_member(archive: zipfile.ZipFile, name: str, limit: int = MAX_EXPORT) -> bytes:
    """The bytes of one member.

    Raises:
        ExportUnreadable: The member is damaged, encrypted or larger than ``limit`` bytes, or all
            tables of the archive together are larger.
    """
    try:
        tables = sum(archive.getinfo(table).file_size for table in zip_contents(archive).exports)
        if max(tables, archive.getinfo(name).file_size) > limit:
            raise ExportUnreadable("The tables in this ZIP are far larger than a school's export.")
        return archive.read(name)
    except UNZIP_ERRORS as error:
        raise ExportUnreadable("A file in this ZIP is damaged or protected.") from error
