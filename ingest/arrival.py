"""Has all of a file arrived? Told from its bytes without decoding anything.

Pure and cheap: it decides only whether to wait a little longer. Whether a picture is whole enough
to be judged is asked again, more strictly, by ``decode`` in a worker.
"""

from __future__ import annotations

import struct

from ingest.formats import NotAPicture, sniff
from ingest.tiff_parts import has_all_strips
from ingest.whole import is_whole


def has_arrived(data: bytes) -> bool:
    """False where the end of a picture or camera raw file cannot be there yet."""
    if not any(data[:64]) or _ends_in_zeros(data):
        return False  # a Windows PC reserves the whole length before it copies
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return has_all_strips(data)
    if data[:4] == b"RIFF" and len(data) >= 8:
        return bool(struct.unpack_from("<I", data, 4)[0] + 8 <= len(data))
    if data[:4] == b"GIF8":
        return data.rstrip(b"\x00").endswith(b";")
    if data[4:8] == b"ftyp":
        return _has_all_boxes(data)
    found = sniff(data)
    return isinstance(found, NotAPicture) or is_whole(data, found)


def _ends_in_zeros(data: bytes) -> bool:
    return len(data) > 65_536 and not any(data[-65_536:])


def _has_all_boxes(data: bytes) -> bool:
    """HEIF, AVIF, CR3 and film are boxes one behind the other (ISO 14496-12)."""
    at = 0
    while at + 8 <= len(data):
        size = struct.unpack_from(">I", data, at)[0]
        if size == 1 and at + 16 <= len(data):
            size = struct.unpack_from(">Q", data, at + 8)[0]
        if size < 8:
            return True  # 0 is "to the end of the file"
        at += size
    return at <= len(data)
