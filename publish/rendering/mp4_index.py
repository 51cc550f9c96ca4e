"""Move the index of an MP4 of libavformat before the pictures, and leave out what it adds."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_DROPPED = frozenset({b"udta", b"free", b"edts", b"sgpd", b"sbgp"})
"""Boxes that libavformat adds and a published film does not have."""


def index_first(film: memoryview) -> bytes:
    """The MP4 with its index before the pictures, without the boxes that the muxer adds.

    libavformat can do this for files on disk alone. The pictures are copied once only.
    """
    boxes = dict(_boxes(film, 0, len(film)))
    moov, media = _without_extras(film, *boxes[b"moov"]), boxes[b"mdat"]
    start = boxes[b"ftyp"]
    ftyp = film[start[0] : start[1]]
    shift = len(ftyp) + len(moov) - media[0]
    return b"".join((ftyp, _with_offsets(moov, shift), film[media[0] : media[1]]))


def _boxes(
    data: bytes | memoryview, start: int, end: int
) -> Iterator[tuple[bytes, tuple[int, int]]]:
    """Kind, beginning and end of each box in a part of the file that this program wrote."""
    while start < end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, start + 8)
        yield kind, (start, start + size)
        start += size


_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})


def _without_extras(data: memoryview, start: int, end: int) -> bytes:
    """A box without the boxes of ``_DROPPED`` in it."""
    kept: list[bytes | memoryview] = []
    for kind, (first, last) in _boxes(data, start + 8, end):
        if kind in _DROPPED:
            continue
        inner = kind in _CONTAINERS
        kept.append(_without_extras(data, first, last) if inner else data[first:last])
    body = b"".join(kept)
    return struct.pack(">I4s", 8 + len(body), bytes(data[start + 4 : start + 8])) + body


def _with_offsets(moov: bytes, shift: int) -> bytes:
    """The index, after the pictures and the sound moved by ``shift`` bytes."""
    changed = bytearray(moov)
    for kind, track in _boxes(moov, 8, len(moov)):
        if kind == b"trak":
            _shift_offsets(moov, changed, track, shift)
    return bytes(changed)


def _shift_offsets(moov: bytes, changed: bytearray, track: tuple[int, int], shift: int) -> None:
    """Write the offsets of one track anew."""
    start, end = track
    for kind in (b"mdia", b"minf", b"stbl", b"stco"):
        start, end = dict(_boxes(moov, start + 8, end))[kind]
    (count,) = struct.unpack_from(">I", moov, start + 12)
    for number in range(count):
        place = start + 16 + 4 * number
        (offset,) = struct.unpack_from(">I", moov, place)
        struct.pack_into(">I", changed, place, offset + shift)
