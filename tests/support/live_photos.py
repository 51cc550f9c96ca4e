"""Live photos: a picture and a short film that share an identifier, as a phone writes them."""

from __future__ import annotations

import struct

from tests.support.images import jpeg, segment, with_segments

FIRST, SECOND = "6A1D2F3E-0B4C-4D5E-8F60-718293A4B5C6", "00000000-0B4C-4D5E-8F60-718293A4B5C6"
"""Identifiers of two live photos."""
KEY = b"com.apple.quicktime.content.identifier"


def exif_block(identifier: str) -> bytes:
    """TIFF with Apple's maker note, big-endian."""
    text = identifier.encode() + b"\0"
    note_head = b"Apple iOS\0\0\x01MM" + struct.pack(">H", 1)
    note = note_head + struct.pack(">HHII", 0x0011, 2, len(text), len(note_head) + 16)
    note += bytes(4) + text
    make = b"Apple\0"
    first = struct.pack(">H", 2) + struct.pack(">HHII", 0x010F, 2, len(make), 38)
    first += struct.pack(">HHII", 0x8769, 4, 1, 38 + len(make)) + bytes(4)
    start = 8 + len(first) + len(make) + 18
    inner = struct.pack(">H", 1) + struct.pack(">HHII", 0x927C, 7, len(note), start) + bytes(4)
    return b"MM\0*" + struct.pack(">I", 8) + first + make + inner + note


def live_picture(identifier: str = FIRST) -> bytes:
    """A JPEG with the identifier."""
    return with_segments(jpeg(), segment(0xE1, b"Exif\0\0" + exif_block(identifier)))


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def live_film(film: bytes, identifier: str = FIRST, *, version: bytes = b"") -> bytes:
    """The film with the identifier in its index, which must be the last box.

    ``version`` is four bytes for the form that MP4 has.
    """
    other = _box(b"mdta", b"com.apple.quicktime.make")
    keys = _box(b"keys", bytes(4) + struct.pack(">I", 2) + other + _box(b"mdta", KEY))
    flags = struct.pack(">II", 1, 0)
    values = [(1, b"Apple"), (2, identifier.encode())]
    ilst = b"".join(_box(struct.pack(">I", n), _box(b"data", flags + v)) for n, v in values)
    handler = _box(b"hdlr", bytes(8) + b"mdta" + bytes(13))
    meta = _box(b"meta", version + handler + keys + _box(b"ilst", ilst))
    at, length = film.rindex(b"moov") - 4, len(film) - film.rindex(b"moov") + 4
    return film[:at] + struct.pack(">I", length + len(meta)) + film[at + 4 :] + meta
