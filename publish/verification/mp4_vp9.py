"""Check the VP9 picture of a published film: one shown frame in each sample, and nothing hidden.

The header of each frame is read bit by bit. A published film has no superframes, no hidden frames
and no frame that only repeats another one, so each sample shows one picture. What the arithmetic
coder wrote is not decoded here. So a second frame that follows the last tile without an index is
not found. libvpx shows it, and libavcodec does not. The encoder of the program never writes one.

Sources: "VP9 Bitstream & Decoding Process Specification", version 0.6, section 6.2 and annex B;
"VP Codec ISO Media File Format Binding", version 1.0 (``vp09`` and ``vpcC``).
"""

from __future__ import annotations

import struct

from publish.verification.mp4_boxes import require

_LEVELS = frozenset({10, 11, 20, 21, 30, 31, 40, 41, 50, 51, 52, 60, 61, 62})
_PARAMETERS = b"\x82\x01\x01\x01\x00\x00"
"""8 bits, 4:2:0, limited range; BT.709 three times; no data for the decoder."""
_BT709 = 2
"""``color_space`` of the frame header."""
_SYNC = 0x498342
_MAX_HEADER = 256
"""Bytes of the uncompressed header at most."""
_FEATURES = ((8, True), (6, True), (2, False), (0, False))
"""Bits of the value of each feature of a segment, and whether a sign follows."""


class Vp9:
    """The rules for VP9."""

    name = "vp9"
    entry = b"vp09"
    """Kind of the description of the samples."""
    configuration = b"vpcC"
    """Kind of the box in it that has the decoder's parameters."""
    brands = b"isom\x00\x00\x02\x00isomiso2mp41"
    """Content of ``ftyp``."""

    @staticmethod
    def check_configuration(body: bytes, _: tuple[int, int]) -> None:
        """``vpcC`` version 1: profile 0, and nothing that this film does not need."""
        require(len(body) == 12 and body[:5] == b"\x01\x00\x00\x00\x00")
        require(body[5] in _LEVELS and body[6:] == _PARAMETERS)

    @staticmethod
    def check_sample(data: bytes, start: int, end: int, size: tuple[int, int]) -> bool:
        """Check a sample: one frame of this size that is shown, and no index of a superframe.

        Returns:
            Whether it is a key frame.
        """
        require(data[end - 1] & 0xE0 != 0xC0)
        header = _Bits(data[start : min(end, start + _MAX_HEADER)])
        is_key = _frame_type(header, size)
        _filters_and_segments(header)
        tile_columns, tile_rows = _tiles(header, size[0])
        compressed = header.read(16)
        require(compressed > 0)
        at = start + header.end() + compressed
        for _ in range(tile_columns * tile_rows - 1):
            require(at + 4 < end)
            (length,) = struct.unpack_from(">I", data, at)
            require(length > 0)
            at += 4 + length
        require(at < end)
        return is_key


class _Bits:
    """Reads numbers from the beginning of a frame, the highest bit first."""

    def __init__(self, data: bytes) -> None:
        self._number, self._length, self._at = int.from_bytes(data, "big"), 8 * len(data), 0

    def read(self, bits: int) -> int:
        """The next number."""
        self._at += bits
        require(self._at <= self._length)
        return (self._number >> (self._length - self._at)) & ((1 << bits) - 1)

    def skip_optional(self, bits: int) -> None:
        """Read a bit that says whether a number of ``bits`` follows, and the number."""
        if self.read(1):
            self.read(bits)

    def end(self) -> int:
        """The length of the header in bytes. The bits up to there must be zero."""
        require(self.read(-self._at % 8) == 0)
        return self._at // 8


def _frame_type(header: _Bits, size: tuple[int, int]) -> bool:
    """Read up to the filter of an inter frame. Returns whether the frame is a key frame."""
    require(header.read(5) == 0b10000)  # the marker, profile 0, not the repetition of a frame
    is_key = header.read(1) == 0
    require(header.read(1) == 1)  # it is shown
    is_resilient = header.read(1) == 1
    if is_key:
        require(header.read(24) == _SYNC)
        require(header.read(3) == _BT709 and header.read(1) == 0)
        _check_size(header, size)
    else:
        if not is_resilient:
            header.read(2)  # which context is reset
        header.read(8)  # what it replaces
        for _ in range(3):
            header.read(4)  # what it refers to
        if not any(header.read(1) for _ in range(3)):
            _check_size(header, size)
        else:
            require(header.read(1) == 0)
        header.read(1)  # precision of vectors
        if not header.read(1):
            header.read(2)  # filter of parts of pixels
    if not is_resilient:
        header.read(2)
    header.read(2)  # number of the context
    return is_key


def _check_size(header: _Bits, size: tuple[int, int]) -> None:
    """Width and height are those of the film, and the frame is shown at this size."""
    require((header.read(16) + 1, header.read(16) + 1) == size)
    require(header.read(1) == 0)


def _filters_and_segments(header: _Bits) -> None:
    """Read the loop filter, the quantizer and the segments."""
    header.read(9)
    if header.read(1) and header.read(1):
        for _ in range(6):
            header.skip_optional(7)
    header.read(8)
    for _ in range(3):
        header.skip_optional(5)
    if header.read(1):
        _segments(header)


def _segments(header: _Bits) -> None:
    if header.read(1):
        for _ in range(7):
            header.skip_optional(8)
        if header.read(1):
            for _ in range(3):
                header.skip_optional(8)
    if header.read(1):
        header.read(1)
        for _ in range(8):
            for bits, is_signed in _FEATURES:
                header.skip_optional(bits + is_signed)


def _tiles(header: _Bits, width: int) -> tuple[int, int]:
    """Columns and rows of the tiles. A tile is 4 to 64 blocks of 64 pixels wide."""
    blocks = -(-width // 64)
    columns = 0
    while (64 << columns) < blocks:
        columns += 1
    while (blocks >> (columns + 1)) >= 4 and header.read(1):
        columns += 1
    rows = header.read(1)
    if rows:
        rows += header.read(1)
    return 1 << columns, 1 << rows
