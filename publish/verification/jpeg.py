"""Split a JPEG into its segments (ITU T.81 annex B), for verification.

The parser does not decode, and shares no code with the library that writes our pictures. A file
with a byte that belongs to no segment is malformed.
"""

from __future__ import annotations

from dataclasses import dataclass

SOI, EOI, SOS, DQT, DHT, DRI, COM = 0xD8, 0xD9, 0xDA, 0xDB, 0xC4, 0xDD, 0xFE
SOF0, SOF2, APP0, APP2 = 0xC0, 0xC2, 0xE0, 0xE2

_STANDALONE = frozenset({SOI, EOI, 0x01, *range(0xD0, 0xD8)})
"""Markers that have no length field (T.81 table B.1)."""


class MalformedJpeg(ValueError):
    """The bytes do not follow T.81. The message says at which offset."""


@dataclass(frozen=True)
class Segment:
    """One marker and its payload."""

    marker: int
    """Second byte of the marker, e.g. ``0xE1`` for APP1."""
    offset: int
    """Offset of the marker's first byte in the file."""
    payload: bytes
    """The bytes after the length field, without entropy-coded data; empty for SOI and EOI."""


@dataclass(frozen=True)
class Jpeg:
    """One JPEG, from SOI to EOI, and the bytes after it."""

    segments: tuple[Segment, ...]
    trailer: bytes
    """Bytes after EOI."""

    def with_marker(self, marker: int) -> list[Segment]:
        """All segments with this marker, in order."""
        return [s for s in self.segments if s.marker == marker]


def parse(data: bytes) -> Jpeg:
    """Split ``data`` into segments, up to the first EOI.

    Stricter than decoders: fill bytes before a marker, which T.81 allows, are malformed, because
    they can hide data and our encoder does not write them.

    Raises:
        MalformedJpeg: The bytes do not follow T.81.
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
    """The segment at ``offset`` and the offset after it."""
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
    next_offset = _entropy_end(data, end) if marker == SOS else end
    return Segment(marker, offset, payload), next_offset


def _entropy_end(data: bytes, start: int) -> int:
    """Offset of the first marker after ``start`` that is neither stuffing nor a restart marker."""
    offset = start
    while True:
        offset = data.find(b"\xff", offset)
        if offset < 0 or offset + 1 >= len(data):
            raise MalformedJpeg("ends inside a scan")
        following = data[offset + 1]
        if following != 0x00 and not 0xD0 <= following <= 0xD7:
            return offset
        offset += 2
