"""Names of the files of one publication: the JPEG and the alternate formats, which differ from it
only in the suffix."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from consent_gate.db.models import Publication
from publish.rendering.render import ImageFormat


@dataclass(frozen=True)
class PublishedFile:
    """One verified file of a publication."""

    name: str
    """Path below the channel's folder: ``YYYY-MM/<random>.jpg``."""
    sha256: str
    size: int
    """In bytes."""
    kind: ImageFormat


def files_of(row: Publication) -> list[PublishedFile]:
    """The files that are in the folder while the publication is released; the JPEG first."""
    alternates = [
        PublishedFile(
            file_in_format(row.file, ImageFormat(sibling["kind"])),
            sibling["sha256"],
            sibling["bytes"],
            ImageFormat(sibling["kind"]),
        )
        for sibling in row.siblings
    ]
    return [PublishedFile(row.file, row.sha256, row.size, ImageFormat.JPEG), *alternates]


def file_names_of(row: Publication) -> list[str]:
    """The names of all possible formats, including formats that the settings no longer ask for."""
    return [file_in_format(row.file, kind) for kind in ImageFormat]


def file_in_format(file: str, kind: ImageFormat) -> str:
    """The name ``file`` with the suffix of another format."""
    return PurePosixPath(file).with_suffix(kind.ending).as_posix()
