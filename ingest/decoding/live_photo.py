"""Read the identifier that the two halves of a live photo share: the picture and its short film.

A phone writes a new random identifier (a UUID) into both files. In the picture it is in Apple's
maker note, in the film among QuickTime's metadata. Only a digest of it is kept. Metadata that are
missing or damaged give no identifier, and never an error.

Sources: Apple's QuickTime File Format (metadata atoms), and the tag 0x0011 of Apple's maker notes.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.film.libav import SeekableFile

_MAKER_NOTE = b"Apple iOS\0"
_TAG, _ASCII = 0x0011, 2
_MAX_NOTES, _MAX_NOTE, _MAX_TAGS, _LONGEST = 16, 64 << 10, 200, 64
"""Notes of one file, bytes of a note, tags in it, and bytes of an identifier that are read."""
_KEY = b"com.apple.quicktime.content.identifier"
_UUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")
_MAX_INDEX = 8 << 20
"""Bytes of a film's index that are searched. That of a live photo has some kilobytes."""
_MAX_BOXES = 10_000
"""Boxes of one level that are passed over."""


def identifier_of_picture(data: bytes) -> str:
    """Return the digest of a picture's identifier; empty where it has none.

    ``data`` is the whole file: EXIF is not compressed in JPEG, HEIC and other formats.
    """
    at = -1
    for _ in range(_MAX_NOTES):
        at = data.find(_MAKER_NOTE, at + 1)
        if at < 0:
            break
        found = _digest(_identifier_in_note(data[at : at + _MAX_NOTE]))
        if found:
            return found
    return ""


def _identifier_in_note(note: bytes) -> str:
    """The value of tag 0x0011 of one maker note. Its offsets count from the note's beginning."""
    order = "<" if note[12:14] == b"II" else ">"
    with suppress(struct.error):
        (count,) = struct.unpack_from(order + "H", note, 14)
        for number in range(min(count, _MAX_TAGS)):
            entry = struct.unpack_from(order + "HHII", note, 16 + 12 * number)
            tag, kind, length, offset = entry
            if (tag, kind) == (_TAG, _ASCII) and length <= _LONGEST:
                return note[offset : offset + length].decode("ascii", "replace")
    return ""


def identifier_of_film(file: SeekableFile) -> str:
    """Return the digest of a film's identifier; empty where it has none.

    Leaves the position at the beginning. Only MOV and MP4 have identifiers.
    """
    found = ""
    with suppress(ValueError, OSError):
        found = _identifier_in_index(_index_of(file))
    file.seek(0)
    return _digest(found)


def _digest(identifier: str) -> str:
    text = identifier.strip("\0 ").upper()
    return hashlib.sha256(text.encode()).hexdigest() if _UUID.fullmatch(text) else ""


def _index_of(file: SeekableFile) -> bytes:
    """The content of the box ``moov``; empty where there is none, or a very large one."""
    size, offset = file.seek(0, io.SEEK_END), 0
    for _ in range(_MAX_BOXES):
        file.seek(offset)
        head = file.read(16)
        if len(head) < 8:
            break
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        start = offset + 8
        if length == 1:
            length, start = int.from_bytes(head[8:16], "big"), offset + 16
        end = offset + length if length else size
        if end <= start:
            break
        if kind == b"moov":
            file.seek(start)
            return file.read(end - start) if end - start <= _MAX_INDEX else b""
        offset = end
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each box."""
    offset = 0
    for _ in range(_MAX_BOXES):
        length = int.from_bytes(data[offset : offset + 4], "big")
        if not 8 <= length <= len(data) - offset:
            return
        yield data[offset + 4 : offset + 8], data[offset + 8 : offset + length]
        offset += length


def _identifier_in_index(index: bytes) -> str:
    """The value of ``_KEY`` in ``moov/meta``, whose lists ``keys`` and ``ilst`` belong together."""
    for meta in (content for kind, content in _boxes(index) if kind == b"meta"):
        # In QuickTime the box has no version, in MP4 it has one of four bytes.
        inside = dict(_boxes(meta)) or dict(_boxes(meta[4:]))
        keys = [content for _, content in _boxes(inside.get(b"keys", b"")[8:])]
        if _KEY not in keys:
            continue
        number = (keys.index(_KEY) + 1).to_bytes(4, "big")
        for kind, item in _boxes(inside.get(b"ilst", b"")):
            value = dict(_boxes(item)).get(b"data", b"")
            if kind == number and value:
                return value[8:].decode("ascii", "replace")
    return ""
