"""The files of one publication: the JPEG, and what the channel wants beside it. One stem, and for
each format its ending."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from consent_gate.db.models import Publication
from publish.rendering.render import Kind


@dataclass(frozen=True)
class Part:
    """One file, as it was proven."""

    file: str
    """Below the channel's folder."""
    sha256: str
    size: int
    kind: Kind


def parts_of(row: Publication) -> list[Part]:
    """The files that belong in the folder while the publication is out; the JPEG first."""
    siblings = [
        Part(named(row.file, Kind(each["kind"])), each["sha256"], each["bytes"], Kind(each["kind"]))
        for each in row.siblings
    ]
    return [Part(row.file, row.sha256, row.size, Kind.JPEG), *siblings]


def names_of(row: Publication) -> list[str]:
    """Every name that a file of it can have: also one from before the settings were changed."""
    return [named(row.file, kind) for kind in Kind]


def named(file: str, kind: Kind) -> str:
    """The file's name in another format."""
    return PurePosixPath(file).with_suffix(kind.ending).as_posix()
