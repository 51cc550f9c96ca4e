"""Check the list of a feed before any part of it is used. The functions use no files or network.

A file name of the list becomes a path of the reader's machine, so a name has exactly the form of
docs/manifest.schema.json: no absolute name, no ``..``, no reserved name and no control character
has that form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from publish.pull.errors import FeedInvalid

SCHEMA = "consent-gate/manifest@1"

FILE_NAME = re.compile(r"[0-9]{4}-[0-9]{2}/[a-z2-7]{26}\.(jpg|webp|avif|mp4)")
PICTURE_ID = re.compile(r"[a-z2-7]{26}")
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half a character: JSON can name one, but no file can hold it."""
SHA256 = re.compile(r"[0-9a-f]{64}")

MAX_FILE_BYTES = 256 << 20
"""A published picture has a few megabytes, a film at most 200."""
MAX_PIXELS = 65535
"""The longest side that a JPEG can have."""
MAX_SECONDS = 86_400
"""The longest film."""
MAX_TEXT = 1000
"""Characters of a title, a description or an album's name."""


@dataclass(frozen=True)
class ListedFile:
    """One file of a listed picture."""

    name: str
    """Path below the folder: ``YYYY-MM/<random>.jpg``."""
    sha256: str
    size: int
    """In bytes."""
    picture: str
    """Id of the picture. Several files, of different formats, may belong to one."""


@dataclass(frozen=True)
class FeedList:
    """What may be shown now, and what was withdrawn."""

    files: dict[str, ListedFile]
    """By file name."""
    entries: tuple[dict[str, Any], ...]
    """The pictures with their titles and descriptions, as the feed sent them."""
    withdrawn: frozenset[str]
    """Ids of withdrawn pictures."""


def parse(data: bytes, channel: str) -> FeedList:
    """Read and check a feed's list.

    Args:
        data: The JSON document.
        channel: The channel that was asked for.

    Raises:
        FeedInvalid: It is no list of this channel, or an entry does not have the contract's form.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FeedInvalid("The feed's answer is not a list of pictures.") from error
    _require(isinstance(document, dict) and document.get("schema") == SCHEMA, "its schema")
    _require(document.get("channel") == channel, "its channel")
    entries, withdrawn = document.get("items"), document.get("withdrawn")
    _require(isinstance(entries, list) and isinstance(withdrawn, list), "'items' or 'withdrawn'")
    files: dict[str, ListedFile] = {}
    for file in (file for entry in entries for file in _files_of(entry)):
        _require(file.name not in files, f"the file {file.name} twice")
        files[file.name] = file
    ids = frozenset(_text(entry, "id", PICTURE_ID) for entry in withdrawn)
    return FeedList(files, tuple(entries), ids)


def _files_of(entry: Any) -> Iterator[ListedFile]:
    """The files of one entry: the JPEG, or a film and its poster, first."""
    picture = _text(entry, "id", PICTURE_ID)
    for key in ("title", "alt", "album"):
        text = entry.get(key, "")
        _require(isinstance(text, str) and len(text) <= MAX_TEXT, f"'{key}'")
        _require(not _SURROGATE.search(text), f"'{key}'")
    for key in ("width", "height"):
        pixels = entry.get(key, 1)
        _require(type(pixels) is int and 0 < pixels <= MAX_PIXELS, f"'{key}'")
    siblings = entry.get("siblings", [])
    _require(isinstance(siblings, list), "'siblings'")
    posters = _posters_of(entry)
    for part in (entry, *siblings, *posters):
        name, digest = _text(part, "file", FILE_NAME), _text(part, "sha256", SHA256)
        size = part.get("bytes")
        _require(type(size) is int and 0 < size <= MAX_FILE_BYTES, f"the size of {name}")
        yield ListedFile(name, digest, size, picture)


def _posters_of(entry: Any) -> list[Any]:
    """The poster of a film; nothing for a picture. A film has an MP4, a poster and a duration."""
    is_film = "kind" in entry
    _require(entry.get("kind", "film") == "film", "'kind'")
    _require(_text(entry, "file", FILE_NAME).endswith(".mp4") == is_film, "'file' or 'kind'")
    _require(("poster" in entry) == is_film, "'poster'")
    _require(entry.get("sound", True) is True and (is_film or "sound" not in entry), "'sound'")
    if not is_film:
        return []
    seconds = entry.get("duration")
    _require(type(seconds) in {int, float} and 0 < seconds <= MAX_SECONDS, "'duration'")
    _require(_text(entry["poster"], "file", FILE_NAME).endswith(".jpg"), "'poster'")
    return [entry["poster"]]


def _text(entry: Any, key: str, form: re.Pattern[str]) -> str:
    value = entry.get(key) if isinstance(entry, dict) else None
    _require(isinstance(value, str) and form.fullmatch(value) is not None, f"'{key}': {value!r}")
    return str(value)


def _require(condition: bool, subject: str) -> None:
    if not condition:
        raise FeedInvalid(f"The feed's list cannot be used because of {subject[:120]}.")
