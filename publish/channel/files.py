"""Names of the files of one publication. They differ in the suffix alone.

A picture has a JPEG and its alternate formats. A film has an MP4, and a JPEG as its poster.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from consent_gate.db.models import Publication


class FileKind(StrEnum):
    """Kinds of published files."""

    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"
    MP4 = "mp4"

    @property
    def ending(self) -> str:
        """Suffix of the file name, with the dot."""
        return ".jpg" if self is FileKind.JPEG else f".{self.value}"

    @property
    def media_type(self) -> str:
        """IANA media type."""
        return "video/mp4" if self is FileKind.MP4 else f"image/{self.value}"


@dataclass(frozen=True)
class PublishedFile:
    """One verified file of a publication."""

    name: str
    """Path below the channel's folder: ``YYYY-MM/<random>.jpg``."""
    sha256: str
    size: int
    """In bytes."""
    kind: FileKind
    seconds: float | None = None
    """Duration of a film; None for a picture."""


def files_of(row: Publication) -> list[PublishedFile]:
    """The files that are in the folder while the publication is released; the JPEG first."""
    others = [
        PublishedFile(
            file_in_format(row.file, FileKind(sibling["kind"])),
            sibling["sha256"],
            sibling["bytes"],
            FileKind(sibling["kind"]),
            sibling.get("seconds"),
        )
        for sibling in row.siblings
    ]
    return [PublishedFile(row.file, row.sha256, row.size, FileKind.JPEG), *others]


def film_of(row: Publication) -> PublishedFile | None:
    """The film of a publication; None for a picture."""
    return next((file for file in files_of(row) if file.kind is FileKind.MP4), None)


def file_names_of(row: Publication) -> list[str]:
    """The names of all possible formats, including formats that the settings no longer ask for."""
    return [file_in_format(row.file, kind) for kind in FileKind]


def file_in_format(file: str, kind: FileKind) -> str:
    """The name ``file`` with the suffix of another format."""
    return PurePosixPath(file).with_suffix(kind.ending).as_posix()
