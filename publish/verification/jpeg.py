"""Take a JPEG apart into its segments (ITU T.81 annex B), down to the last byte.

Written for checking, not for decoding, and independent of the library that writes our pictures:
every byte of the file belongs to a segment, or the file is malformed.
"""

from __future__ import annotations

from dataclasses import dataclass

SOI, EOI, SOS, DQT, DHT, DRI, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE
SOF0, SOF2, APP0, APP2 = 0xC0, 0xC2, 0xE0, 0xE2

_STANDALONE = frozenset({SOI, EOI, 0x01, *range(0xD0, 0xD8)})
"""Markers without a length (T.81 table B.1)."""


class MalformedJpeg(ValueError):
    """The bytes do not follow T.81; the message says where."""


@dataclass(frozen=True)
class Segment:
    """One marker and what belongs to it."""

    marker: int
    """Second byte of the marker, e.g. ``0xE1`` for APP1."""
    offset: int
    """Of the marker's first byte in the file."""
    payload: bytes
    """What follows the length field; empty for SOI and EOI."""


@dataclass(frozen=True)
class Jpeg:
    """One whole JPEG, SOI to EOI, and whatever follows it."""

    segments: tuple[Segment, ...]
    trailer: bytes
    """Bytes after EOI."""

    def named(self, marker: int) -> list[Segment]:
        """All segments with that marker, in order."""
        return [s for s in self.segments if s.marker == marker]


def parse(data: bytes) -> Jpeg:
    """Split ``data``, which starts with SOI, at its first EOI. Raises ``MalformedJpeg``.

    Stricter than decoders: fill bytes before markers, which T.81 allows, are malformed here, as
    they can hide data and no encoder we use writes them.
    """
    if data[:2] != b"\xff\xd8":
        raise MalformedJpeg("does not start with SOI")
    segments = [Segment(SOI, 0, b"")]
    offset = 2
    while True:
        segment, offset = _segment(data, offset)
        segments.append(segment)
        if segment.marker == EOI:
            return Jpeg(tuple(segments), data[offset:])


def _segment(data: bytes, offset: int) -> tuple[Segment, int]:
    """The segment at ``offset`` and the offset behind it."""
    if len(data) < offset + 2:
        raise MalformedJpeg("ends without EOI")
    if data[offset] != 0xFF or data[offset + 1] in (0x00, 0xFF):
        raise MalformedJpeg(f"no marker at byte {offset}")
    marker = data[offset + 1]
    if marker == EOI:
        return Segment(EOI, offset, b""), offset + 2
    if marker in _STANDALONE:
        raise MalformedJpeg(f"stray marker at byte {offset}")
    length = int.from_bytes(data[offset + 2 : offset + 4], "big")
    end = offset + 2 + length
    if length < 2 or end > len(data):
        raise MalformedJpeg(f"segment at byte {offset} runs past the end")
    payload = data[offset + 4 : end]
    behind = _entropy_end(data, end) if marker == SOS else end
    return Segment(marker, offset, payload), behind


def _entropy_end(data: bytes, start: int) -> int:
    """Offset of the first marker after ``start`` that is neither stuffing nor a restart."""
    offset = start
    while True:
        offset = data.find(b"\xff", offset)
        if offset < 0 or offset + 1 >= len(data):
            raise MalformedJpeg("ends inside a scan")
        following = data[offset + 1]
        if following != 0x00 and not 0xD0 <= following <= 0xD7:
            return offset
        offset += 2
