"""Files of a channel's folder before they have their final names.

A picture is written under a temporary name. Only a later step of ``release``, which asks for
consent again, renames it. Readers of the folder leave the temporary names out.
"""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from consent_gate.db.models import Publication
from consent_gate.home.filesystem import atomic_file, sync_folder
from consent_gate.ids import new_id
from publish.recall.withdraw import PARTIAL


def staging_name(publication: Publication, sha256: str) -> str:
    """Temporary name of a written picture in its channel's folder.

    The name contains the digest, so that two programs that run at once cannot swap files.
    """
    return f"{PARTIAL}{publication.pk}-{sha256[:16]}"


def write_staged(folder: Path, publication: Publication, data: bytes) -> None:
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
    """Rename ``staged`` to ``final``, whose folder must not be a link. Raises OSError."""
    if final.parent.is_symlink():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    final.parent.mkdir(exist_ok=True)
    staged.replace(final)
    sync_folder(final.parent)
    sync_folder(final.parent.parent)
