"""Find what may be about a pupil and is not in the register yet: files, and photos to be examined.

An export in the drop folder lists every pupil. A photo that nobody has looked at may show anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from consent_gate.db.models import Item, ItemState
from consent_gate.home.home import Home
from ingest.enrolment.zip_contents import EXPORTS

PLACES = ("", "waiting", "done", "uploads", "photos")
"""Folders of the drop folder in which exports and portraits lie."""


@dataclass(frozen=True)
class WaitingData:
    """Counts of what may be about a pupil."""

    exports_not_imported: int
    """Exports and ZIPs that lie in the drop folder itself. They are imported next."""
    exports_waiting: int
    """Exports that wait for a person, in the drop folder or uploaded."""
    exports_done: int
    """Exports that were imported and are kept."""
    portraits: int
    """Files of portraits in the drop folder and ZIPs of portraits."""
    photos_not_examined: int
    """Photos that were taken in and not examined yet."""
    files_in_inbox: int
    """Files in the inbox, taken in or not."""


def waiting_data(home: Home) -> WaitingData:
    """Count the files and photos. No file is opened."""
    in_folder = {place: list(_files(home.sims / place, place)) for place in PLACES}
    uploaded = list(_files(home.vault / "uploads", "uploads"))
    return WaitingData(
        exports_not_imported=sum(_is_export(path) for path in in_folder[""]),
        exports_waiting=sum(
            _is_export(path) and path.suffix != ".txt" for path in in_folder["waiting"]
        )
        + len(uploaded),
        exports_done=sum(_is_export(path) and path.suffix != ".txt" for path in in_folder["done"]),
        portraits=len(in_folder["photos"]) + len(in_folder["uploads"]),
        photos_not_examined=Item.objects.filter(state=ItemState.RECEIVED).count(),
        files_in_inbox=sum(1 for _ in _files(home.inbox, "photos")),
    )


def _files(folder: Path, place: str) -> Iterator[Path]:
    """The files of a folder; those of ``photos`` with the folders inside it."""
    if not folder.is_dir():
        return
    for path in folder.rglob("*") if place == "photos" else folder.iterdir():
        if not path.is_symlink() and path.is_file():
            yield path


def _is_export(path: Path) -> bool:
    return path.suffix.lower() in EXPORTS | {".zip"}
