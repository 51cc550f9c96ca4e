"""Files of a channel's folder before they have their final names.

A picture is written under a temporary name. Only a later step of ``release``, which asks for
consent again, renames it. Readers of the folder leave the temporary names out.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from consent_gate.db.models import Publication
from consent_gate.home.filesystem import atomic_file, sync_folder
from consent_gate.home.ids import new_id
from consent_gate.publication import Write
from publish.channel.folder import require_space
from publish.recall.withdraw import PARTIAL
from publish.renditions.rendition import Rendition


def staging_name(publication: Publication, sha256: str) -> str:
    """Temporary name of a written picture in its channel's folder.

    The name contains the digest, so that two programs that run at once cannot swap files.
    """
    return f"{PARTIAL}{publication.pk}-{sha256[:16]}"


def write_rendition(folder: Path, publication: Publication, made: Rendition) -> Write:
    """Write all files of a rendition under their temporary names.

    Returns:
        The step that records the files in the ledger. The caller applies it.

    Raises:
        OSError: The folder cannot be written.
        StorageFull: There is no room, or the folder is not there.
    """
    contents = [made.data, *(alternate.data for alternate in made.alternates)]
    contents += [made.film.data] if made.film else []
    require_space(folder, sum(len(data) for data in contents))
    for data in contents:
        _write_staged(folder, publication, data)
    sync_folder(folder)
    siblings: tuple[Mapping[str, str | int | float], ...] = tuple(
        {
            "kind": alternate.kind.value,
            "sha256": sha256_of(alternate.data),
            "bytes": len(alternate.data),
        }
        for alternate in made.alternates
    ) + _film_entries(made)
    return Write(sha256_of(made.data), len(made.data), made.width, made.height, siblings)


def _film_entries(made: Rendition) -> tuple[Mapping[str, str | int | float], ...]:
    """The film of a rendition, as the ledger lists it beside its poster."""
    film = made.film
    if film is None:
        return ()
    digest, seconds = sha256_of(film.data), round(film.seconds, 3)
    return ({"kind": "mp4", "sha256": digest, "bytes": len(film.data), "seconds": seconds},)


def _write_staged(folder: Path, publication: Publication, data: bytes) -> None:
    """Write a file of a picture under its temporary name. Raises OSError."""
    staged = folder / staging_name(publication, sha256_of(data))
    beside = staged.with_name(f"{PARTIAL}{publication.pk}-{new_id()}")
    with atomic_file(staged, partial=beside) as file:
        file.write(data)


def sha256_of(data: bytes) -> str:
    """Digest as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def has_content(path: Path, sha256: str) -> bool:
    """Whether ``path`` is a file, not a link, with exactly this content."""
    try:
        return not path.is_symlink() and sha256_of(path.read_bytes()) == sha256
    except OSError:
        return False


def move_into_place(staged: Path, final: Path) -> None:
    """Rename ``staged`` to ``final``.

    Raises:
        OSError: It cannot be renamed, or the folder of ``final`` is a link.
    """
    if final.parent.is_symlink():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    final.parent.mkdir(exist_ok=True)
    staged.replace(final)
    sync_folder(final.parent)
    sync_folder(final.parent.parent)
