"""Check the sound track of a published film: AAC of one or two channels, and nothing else.

Sources: ISO/IEC 14496-1 (descriptors), 14496-3 (AAC), 14496-12 (boxes).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from publish.verification.mp4_boxes import Chunk, Mp4Box, SampleIndex, children, require

RATE = 48_000
"""Samples a second, and time units a second of the track."""

FRAME = 1024
"""Samples of one packet of AAC."""

MAX_PACKET = 768
"""Bits of a packet divided by eight, for each channel: 6144 bits (14496-3, 4.5.3)."""

MAX_BIT_RATE = 1 << 20

_MATRIX = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
_HANDLER = bytes(8) + b"soun" + bytes(13)
_OWN_FILE = struct.pack(">II", 0, 1) + struct.pack(">I4sI", 12, b"url ", 1)
_LOW_COMPLEXITY = {1: b"\x11\x88\x56\xe5\x00", 2: b"\x11\x90\x56\xe5\x00"}
"""AudioSpecificConfig: AAC-LC, 48 000 samples a second, one or two channels, no extension."""
_FIRST_ELEMENT = {1: 0, 2: 1}
"""The kind of element with which a packet begins: one channel, or a pair."""


@dataclass(frozen=True)
class SoundTrack:
    """What the boxes of the sound say."""

    channels: int
    samples: int
    chunks: tuple[Chunk, ...]

    def check(self, data: bytes, start: int, end: int) -> None:
        """Check one packet."""
        require(0 < end - start <= MAX_PACKET * self.channels and end <= len(data))
        require(data[start] >> 5 == _FIRST_ELEMENT[self.channels])

    def packets_between(self, from_ms: int, to_ms: int) -> tuple[int, int] | None:
        """The bytes from the first to the last packet of a part of the film; None if it has none.

        Args:
            from_ms: Where the part begins, in milliseconds since the first frame.
            to_ms: Where it ends.
        """
        packets = [
            (chunk.offset + sum(chunk.sizes[:number]), size)
            for chunk in self.chunks
            for number, size in enumerate(chunk.sizes)
        ]
        first = from_ms * RATE // (1000 * FRAME)
        inside = packets[max(first, 0) : -(-to_ms * RATE // (1000 * FRAME))]
        return (inside[0][0], sum(inside[-1])) if inside else None


def sound_track(data: bytes, trak: Mp4Box, milliseconds: int) -> SoundTrack:
    """Parse the second track. ``milliseconds`` is the length of the film."""
    tkhd, mdia = children(data, trak.start, trak.end, [b"tkhd", b"mdia"])
    stated = _track_milliseconds(data[tkhd.start : tkhd.end])
    require(stated <= milliseconds)
    mdhd, hdlr, minf = children(data, mdia.start, mdia.end, [b"mdhd", b"hdlr", b"minf"])
    header = data[mdhd.start : mdhd.end]
    require(len(header) == 24 and header[:12] == bytes(12) and header[20:] == b"\x55\xc4\x00\x00")
    rate, ticks = struct.unpack_from(">II", header, 12)
    require(rate == RATE and stated == -(-1000 * ticks // RATE))
    require(data[hdlr.start : hdlr.end] == _HANDLER)
    smhd, dinf, stbl = children(data, minf.start, minf.end, [b"smhd", b"dinf", b"stbl"])
    require(data[smhd.start : smhd.end] == bytes(8))
    (dref,) = children(data, dinf.start, dinf.end, [b"dref"])
    require(data[dref.start : dref.end] == _OWN_FILE)
    kinds = [b"stsd", b"stts", b"stsc", b"stsz", b"stco"]
    stsd, *tables = children(data, stbl.start, stbl.end, kinds)
    index = SampleIndex(data, *tables)
    require(index.ticks == ticks)
    whole = index.durations if index.durations[-1][0] > 1 else index.durations[:-1]
    require(all(length == FRAME for _, length in whole))
    require(index.durations[-1][1] <= FRAME)
    channels = _channels(data, stsd)
    return SoundTrack(channels, index.ticks, tuple(index.chunks))


def _track_milliseconds(body: bytes) -> int:
    """The duration (``tkhd`` version 0): the second track, full volume, no dates, no size."""
    require(len(body) == 84)
    require(body[:16] == bytes((0, 0, 0, 3)) + bytes(8) + struct.pack(">I", 2))
    unused, milliseconds = struct.unpack_from(">II", body, 16)
    require(unused == 0)
    require(body[24:40] == bytes(8) + b"\x00\x00\x00\x01\x01\x00\x00\x00")
    require(body[40:] == _MATRIX + bytes(8))
    return int(milliseconds)


def _channels(data: bytes, stsd: Mp4Box) -> int:
    """The only kind of sample, ``mp4a``. Returns its number of channels."""
    require(data[stsd.start : stsd.start + 8] == struct.pack(">II", 0, 1))
    (mp4a,) = children(data, stsd.start + 8, stsd.end, [b"mp4a"])
    head = data[mp4a.start : mp4a.start + 28]
    channels = head[17]
    require(channels in _LOW_COMPLEXITY)
    plain = (
        bytes(6) + b"\x00\x01" + bytes(8) + struct.pack(">HH", channels, 16) + bytes(4)
        + struct.pack(">I", RATE << 16)
    )  # fmt: skip
    require(head == plain)
    (esds,) = children(data, mp4a.start + 28, mp4a.end, [b"esds"])
    config = _LOW_COMPLEXITY[channels]
    body = data[esds.start : esds.end]
    bit_rates = body[22:30]  # the largest and the mean
    require(all(rate < MAX_BIT_RATE for rate in struct.unpack(">II", bit_rates)))
    decoder = b"\x40\x15\x00\x00\x00" + bit_rates + b"\x05\x80\x80\x80\x05" + config
    require(
        body
        == bytes(4) + b"\x03\x80\x80\x80\x25\x00\x02\x00\x04\x80\x80\x80\x17" + decoder
        + b"\x06\x80\x80\x80\x01\x02"
    )  # fmt: skip
    return channels
