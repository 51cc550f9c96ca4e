"""Has all of a file arrived? Told from its bytes without decoding anything.

Pure and cheap: it decides only whether to wait a little longer. Whether a picture is whole enough
to be judged is asked again, more strictly, by ``decode`` in a worker.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ingest.formats import NotAPicture, sniff
from ingest.whole import is_whole

MOST_DIRECTORIES = 32
"""Of a TIFF that are followed: camera raw files have up to six."""


def has_arrived(data: bytes) -> bool:
    """False where the end of a picture or camera raw file cannot be there yet."""
    if not any(data[:64]) or _ends_in_zeros(data):
        return False  # a Windows PC reserves the whole length before it copies
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return _has_all_strips(data)
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


def _has_all_strips(data: bytes) -> bool:
    """TIFF, DNG, NEF, ARW and CR2: every strip and tile lies inside the file (TIFF 6.0)."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        return all(end <= len(data) for end in _ends_of_strips(data, order))
    except struct.error:
        return False


def _ends_of_strips(data: bytes, order: str) -> Iterator[int]:
    """Where the parts of each picture in the file end. Raises struct.error past the end."""
    to_visit, seen = [struct.unpack_from(order + "I", data, 4)[0]], set[int]()
    while to_visit and len(seen) < MOST_DIRECTORIES:
        at = to_visit.pop()
        if at == 0 or at in seen:
            continue
        seen.add(at)
        (count,) = struct.unpack_from(order + "H", data, at)
        tags = {
            tag: _values(data, order, at + 2 + 12 * i, min(entries, 4096), kind)
            for i in range(count)
            for tag, kind, entries in [struct.unpack_from(order + "HHI", data, at + 2 + 12 * i)]
            if tag in (273, 279, 324, 325, 330)
        }
        for offsets, sizes in ((273, 279), (324, 325)):
            pairs = zip(tags.get(offsets, ()), tags.get(sizes, ()), strict=False)
            yield from (offset + size for offset, size in pairs)
        to_visit += [
            *tags.get(330, ()),
            *struct.unpack_from(order + "I", data, at + 2 + 12 * count),
        ]


def _values(data: bytes, order: str, entry: int, count: int, kind: int) -> tuple[int, ...]:
    """The numbers of one entry: SHORT, LONG or IFD, in place where they fit into four bytes."""
    form = f"{order}{count}{'H' if kind == 3 else 'I'}"
    in_place = struct.calcsize(form) <= 4
    at = entry + 8 if in_place else struct.unpack_from(order + "I", data, entry + 8)[0]
    return tuple(struct.unpack_from(form, data, at))
