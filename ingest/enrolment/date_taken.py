"""Read from a portrait file the day on which it was taken.

Reads one tag of a JPEG's EXIF block, DateTimeOriginal (CIPA DC-008 "Exif 2.32", tag 0x9003), in
pure Python and with a fixed limit of work. So it may be called outside the analysis workers.
"""

from __future__ import annotations

import re
import struct
from datetime import date

_APP1, _START_OF_SCAN = 0xE1, 0xDA
_EXIF_IFD, _DATE_TIME_ORIGINAL = 0x8769, 0x9003
_MAX_SEGMENTS = 64
_MAX_ENTRIES = 512
_OLDEST_YEAR = 2000
"""Earlier years come from camera clocks that were never set."""


def taken_on(data: bytes) -> date | None:
    """The day in the EXIF block of a JPEG; None where there is none. Never raises."""
    tiff = _exif_block(data)
    if tiff is None:
        return None
    try:
        order = {b"II": "<", b"MM": ">"}[tiff[:2]]
        exif_offset = _read_value(
            tiff, order, struct.unpack_from(order + "I", tiff, 4)[0], _EXIF_IFD
        )
        text_offset = _read_value(tiff, order, exif_offset, _DATE_TIME_ORIGINAL)
    except (KeyError, struct.error):
        return None
    found = re.match(rb"(\d{4}):(\d{2}):(\d{2})", tiff[text_offset : text_offset + 10])
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def plausible(day: date | None, born_on: date | None, today: date) -> date | None:
    """``day`` where a portrait of this pupil can have been taken on it; otherwise None."""
    if day is None or day > today or day.year < _OLDEST_YEAR:
        return None
    return None if born_on is not None and day < born_on else day


def _exif_block(data: bytes) -> bytes | None:
    """The TIFF structure in the first EXIF segment; None where there is none."""
    offset = 2 if data[:2] == b"\xff\xd8" else len(data)
    for _ in range(_MAX_SEGMENTS):
        head = data[offset : offset + 4]
        if len(head) < 4 or head[0] != 0xFF or head[1] == _START_OF_SCAN:
            return None
        length = int.from_bytes(head[2:], "big")
        body = data[offset + 4 : offset + 2 + length]
        if head[1] == _APP1 and body[:6] == b"Exif\0\0":
            return body[6:]
        offset += 2 + max(length, 2)
    return None


def _read_value(tiff: bytes, order: str, directory: int, wanted: int) -> int:
    """The four value bytes of a tag, read as an offset. Raises KeyError or struct.error."""
    (count,) = struct.unpack_from(order + "H", tiff, directory)
    for index in range(min(count, _MAX_ENTRIES)):
        tag, _, _, value = struct.unpack_from(order + "HHII", tiff, directory + 2 + 12 * index)
        if tag == wanted:
            return int(value)
    raise KeyError(wanted)
