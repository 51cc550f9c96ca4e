"""Reads the folder ``HOME/sims/photos`` and tells whether it holds new enrolment photos."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from consent_gate.errors import ExportUnreadable
from consent_gate.home.filesystem import open_regular_file, printable_name, replace_with
from consent_gate.home.home import Home
from ingest.enrolment.enrol import PhotoBatch
from ingest.enrolment.plan import ListedPhoto
from ingest.enrolment.sources import FolderOfPhotos, ZipOfPhotos, contains_photos, regular_files
from ingest.enrolment.zip_contents import read_tables
from sims_import.applying.apply import photo_listing_file
from sims_import.readers.dispatch import read_table
from sims_import.readers.photo_list import read_photo_list


def photos_for(home: Home, path: Path) -> PhotoBatch:
    """The photos of the photo folder and of the ZIP that holds the export."""
    batch, _ = photo_folder(home)
    if not contains_photos(path):
        return batch
    return PhotoBatch([*batch.sources, ZipOfPhotos(path)], batch.listed)


def photo_folder(home: Home) -> tuple[PhotoBatch, list[dict[str, Any]]]:
    """The photos of the folder ``photos``, and a warning for each list that cannot be read."""
    root = home.sims / "photos"
    if not root.is_dir():
        return PhotoBatch(), []
    listed: dict[str, ListedPhoto] = {}
    warnings: list[dict[str, Any]] = []
    for path in sorted(root.glob("*.csv")):
        name = printable_name(path.name)
        try:
            with open_regular_file(path) as file:
                listed |= read_photo_list(read_table(read_tables(file), name))
        except (ExportUnreadable, OSError):
            message = f"The list {name} in the folder 'photos' cannot be read, so it was left out."
            warnings.append({"row": 0, "column": "", "message": message})
    return PhotoBatch([FolderOfPhotos(root)], listed), warnings


def photos_are_new(home: Home) -> bool:
    """Whether the photo folder has changed since its photos were last enrolled."""
    listing = _listing(home)
    return bool(listing) and listing != _saved_listing(home)


def _listing(home: Home) -> str:
    """A digest of the photos' names, sizes and times; empty without photos. Opens no photo."""
    root, listed = home.sims / "photos", []
    for path in sorted(regular_files(root)):
        try:
            info = path.lstat()
        except OSError:
            continue
        listed.append((path.relative_to(root).as_posix(), info.st_size, info.st_mtime_ns))
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest() if listed else ""


def _saved_listing(home: Home) -> str:
    path = photo_listing_file(home)
    return path.read_text("utf-8") if path.exists() else ""


def remember_photos(home: Home) -> None:
    """Save the digest of the photo folder, so that its photos are enrolled only once."""
    replace_with(photo_listing_file(home), _listing(home).encode(), 0o600)
