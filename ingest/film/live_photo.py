"""Read the identifier of a live photo from its film (``ingest.decoding.live_photo``).

Source: Apple's QuickTime File Format, metadata atoms.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress

from ingest.decoding.live_photo import digest_of
from ingest.film.libav import SeekableFile

_KEY = b"com.apple.quicktime.content.identifier"
_MAX_INDEX = 8 << 20
"""Bytes of a film's index that are searched. That of a live photo has some kilobytes."""
_MAX_BOXES = 10_000
"""Boxes of one level that are passed over."""


def identifier_of_film(file: SeekableFile) -> str:
    """Return the digest of a film's identifier; empty where it has none.

    Leaves the position at the beginning. Only MOV and MP4 have identifiers.
    """
    found = ""
    with suppress(ValueError, OSError):
        found = _identifier_in_index(_index_of(file))
    file.seek(0)
    return digest_of(found)


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
        if end < start:  # an empty box, such as "wide", is allowed
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
