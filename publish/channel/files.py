"""The files of one publication: the JPEG, and what the channel wants beside it. One stem, and for
each format its ending."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from consent_gate.db.models import Publication
from publish.rendering.render import ImageFormat


@dataclass(frozen=True)
class PublishedFile:
    """One file, as it was proven."""

    file: str
    """Below the channel's folder."""
    sha256: str
    size: int
    kind: ImageFormat


def files_of(row: Publication) -> list[PublishedFile]:
    """The files that belong in the folder while the publication is out; the JPEG first."""
    siblings = [
        PublishedFile(
            named(row.file, ImageFormat(sibling["kind"])),
            sibling["sha256"],
            sibling["bytes"],
            ImageFormat(sibling["kind"]),
        )
        for sibling in row.siblings
    ]
    return [PublishedFile(row.file, row.sha256, row.size, ImageFormat.JPEG), *siblings]


def file_names_of(row: Publication) -> list[str]:
    """Every name that a file of it can have: also one from before the settings were changed."""
    return [named(row.file, kind) for kind in ImageFormat]


def named(file: str, kind: ImageFormat) -> str:
    """The file's name in another format."""
    return PurePosixPath(file).with_suffix(kind.ending).as_posix()
