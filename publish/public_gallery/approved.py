"""Read what may be shown now from a channel's approved folder, at each request.

The manifest alone says what is shown. A file that it does not list is not found, and a file whose
bytes are not the listed ones is not sent. A manifest that is missing, damaged or older than a limit
shows nothing: a withdrawal may have been missed.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from consent_gate.home.filesystem import open_regular_file
from publish.feed.byte_ranges import ByteRange
from publish.feed.file_parts import FilePart, WholeFiles
from publish.pull.errors import FeedInvalid
from publish.pull.manifest import parse

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 128 << 20
MAX_AHEAD = timedelta(minutes=10)
"""A manifest with a time further in the future is refused, because it would be shown for too long.
The clocks of two machines differ by less."""


class NothingToShow(Exception):
    """The manifest cannot be read, or is too old. The message is for the log."""


@dataclass(frozen=True)
class ListedFilm:
    """The film of which a listed picture is the poster."""

    file: str
    """Path below the folder."""
    sha256: str
    size: int
    """In bytes."""
    seconds: float
    has_sound: bool = False


@dataclass(frozen=True)
class Picture:
    """One listed picture, or the poster of a listed film."""

    id: str
    file: str
    """Path below the folder."""
    sha256: str
    size: int
    """In bytes."""
    width: int
    height: int
    """In pixels."""
    title: str
    alt: str
    album: str
    released_at: str
    """ISO time in UTC."""
    film: ListedFilm | None = None


class ApprovedFolder:
    """One channel's folder."""

    def __init__(
        self, channel: str, folder: Path, max_age: timedelta, clock: Callable[[], datetime]
    ) -> None:
        self._channel, self._folder, self._max_age, self._clock = channel, folder, max_age, clock
        self._films = WholeFiles()
        self._parsed: tuple[object, datetime, dict[str, Picture]] | None = None
        """Identity of the manifest's file, its time, and its pictures."""

    def pictures(self) -> dict[str, Picture]:
        """The pictures of the manifest as it is now, by id, newest first.

        Raises:
            NothingToShow: The manifest cannot be read or used, is too old, or is from the future.
        """
        generated_at, pictures = self._read_manifest()
        if not -MAX_AHEAD <= self._clock() - generated_at <= self._max_age:
            raise NothingToShow(f"The manifest of '{self._channel}' is from {generated_at}.")
        return pictures

    def read(self, picture: Picture) -> bytes | None:
        """The picture's bytes; None if the file is missing, a link, or was changed."""
        path = self._folder / picture.file
        try:
            if path.parent.is_symlink():
                return None
            with open_regular_file(path) as file:
                data = file.read(picture.size + 1)
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == picture.sha256 else None

    def open_film(self, film: ListedFilm) -> FilePart | None:
        """The open film; None if the file is missing, a link, or was changed."""
        path = self._folder / film.file
        found = self._films.open(path, film.sha256)
        return None if found is None else FilePart(found, path, ByteRange(0, film.size))

    def _read_manifest(self) -> tuple[datetime, dict[str, Picture]]:
        """Open the manifest, and parse it again if the file is another one than before."""
        try:
            with open_regular_file(self._folder / MANIFEST) as file:
                found = os.fstat(file.fileno())
                identity = (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
                if self._parsed is not None and self._parsed[0] == (*identity, found.st_size):
                    return self._parsed[1:]
                data = file.read(MAX_MANIFEST_BYTES + 1)
            document = json.loads(data)
            generated_at = datetime.fromisoformat(document["generated_at"])
            listed = parse(data, self._channel).entries
            entries = [_picture(entry) for entry in listed]
            ordered = sorted(entries, key=lambda p: (p.released_at, p.id), reverse=True)
            is_aware = generated_at.tzinfo is not None
        except OSError as error:
            raise NothingToShow(f"The manifest cannot be read: {error.strerror}.") from error
        except (ValueError, TypeError, KeyError, RecursionError, FeedInvalid) as error:
            raise NothingToShow(f"The manifest of '{self._channel}' is damaged.") from error
        if not is_aware:
            raise NothingToShow(f"The manifest of '{self._channel}' is damaged.")
        pictures = {picture.id: picture for picture in ordered}
        self._parsed = (*identity, found.st_size), generated_at, pictures
        return generated_at, pictures


def _picture(entry: dict[str, Any]) -> Picture:
    film, shown = None, entry
    if entry.get("kind") == "film":
        seconds = float(entry["duration"])
        with_sound = "sound" in entry
        film = ListedFilm(entry["file"], entry["sha256"], entry["bytes"], seconds, with_sound)
        shown = entry["poster"]
    return Picture(
        id=entry["id"],
        file=shown["file"],
        sha256=shown["sha256"],
        size=shown["bytes"],
        width=max(1, int(entry["width"])),
        height=max(1, int(entry["height"])),
        title=entry["title"],
        alt=entry["alt"],
        album=entry.get("album") or "",
        released_at=str(entry["released_at"]),
        film=film,
    )
