"""Check the H.264 picture of a published film: its parameters, and slices alone in each sample.

Sources: ITU-T H.264 table 7-1 (units), ISO/IEC 14496-15 (how an MP4 holds them).
"""

from __future__ import annotations

import struct

from publish.verification.mp4_boxes import require

_SLICE, _KEY_SLICE = 1, 5
_SEQUENCE, _PICTURE = 7, 8
_HIGH_PROFILES = frozenset({100, 110, 122, 244})


class H264:
    """The rules for H.264."""

    name = "h264"
    entry = b"avc1"
    """Kind of the description of the samples."""
    configuration = b"avcC"
    """Kind of the box in it that has the decoder's parameters."""
    brands = b"isom\x00\x00\x02\x00isomiso2avc1mp41"
    """Content of ``ftyp``."""

    @staticmethod
    def check_configuration(body: bytes, _: tuple[int, int]) -> None:
        """``avcC``: one sequence and one picture parameter set, and nothing after them."""
        require(body[0] == 1 and body[4] == 0xFF and body[5] == 0xE1)
        (length,) = struct.unpack_from(">H", body, 6)
        sequence = body[8 : 8 + length]
        at = 8 + length
        require(len(sequence) == length and length >= 4 and sequence[0] & 0x9F == _SEQUENCE)
        require(sequence[1:4] == body[1:4])
        require(body[at] == 1)
        (length,) = struct.unpack_from(">H", body, at + 1)
        picture = body[at + 3 : at + 3 + length]
        at += 3 + length
        require(len(picture) == length and length >= 1 and picture[0] & 0x9F == _PICTURE)
        require(max(len(sequence), len(picture)) <= 64)
        high = b"\xfd\xf8\xf8\x00" if body[1] in _HIGH_PROFILES else b""
        require(body[at:] == high)

    @staticmethod
    def check_sample(data: bytes, start: int, end: int, _: tuple[int, int]) -> bool:
        """Check a sample: units with a length of 4 bytes, each a slice of the picture.

        Returns:
            Whether it is a key frame.
        """
        is_key = data[start + 4] & 0x1F == _KEY_SLICE
        while start < end:
            (length,) = struct.unpack_from(">I", data, start)
            require(0 < length <= end - start - 4)
            require(data[start + 4] & 0x9F == (_KEY_SLICE if is_key else _SLICE))
            start += 4 + length
        return is_key
