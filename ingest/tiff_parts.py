"""Whether every part of a TIFF lies inside the file; most camera raw files are TIFFs inside."""

from __future__ import annotations

import struct
from collections.abc import Iterator

MOST_DIRECTORIES = 32
"""Of a TIFF that are followed: camera raw files have up to six."""


def has_all_strips(data: bytes) -> bool:
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
