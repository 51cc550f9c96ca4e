"""Read the identifier that the two halves of a live photo share: the picture and its short film.

A phone writes a new random identifier (a UUID) into both files. In the picture it is the tag 0x0011
of Apple's maker note; ``ingest.film.live_photo`` reads that of the film. Only a digest of it is
kept. Metadata that are missing or damaged give no identifier, and never an error.
"""

from __future__ import annotations

import hashlib
import re
import struct
from contextlib import suppress

_MAKER_NOTE = b"Apple iOS\0"
_TAG, _ASCII = 0x0011, 2
_MAX_NOTES, _MAX_NOTE, _MAX_TAGS, _LONGEST = 16, 64 << 10, 200, 64
"""Notes of one file, bytes of a note, tags in it, and bytes of an identifier that are read."""
_UUID = re.compile(r"[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12}")


def identifier_of_picture(data: bytes) -> str:
    """Return the digest of a picture's identifier; empty where it has none.

    ``data`` is the whole file: EXIF is not compressed in JPEG, HEIC and other formats.
    """
    at = -1
    for _ in range(_MAX_NOTES):
        at = data.find(_MAKER_NOTE, at + 1)
        if at < 0:
            break
        found = digest_of(_identifier_in_note(data[at : at + _MAX_NOTE]))
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


def digest_of(identifier: str) -> str:
    """Return the SHA-256 of an identifier; empty if it is none."""
    text = identifier.strip("\0 ").upper()
    return hashlib.sha256(text.encode()).hexdigest() if _UUID.fullmatch(text) else ""
