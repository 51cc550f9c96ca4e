"""Check a published WebP: it must consist of exactly three chunks.

The layout is that of RFC 9649: RIFF header, ``VP8X`` (canvas size; the profile flag is the only
flag set), ``ICCP`` (our sRGB profile), ``VP8 `` (one key frame; RFC 6386, 9.1). Any other chunk and
any further byte is a finding. The entropy-coded data is not searched, as in a JPEG.
"""

from __future__ import annotations

import struct

from publish.rendering.srgb import SRGB_PROFILE
from publish.verification.findings import FindingCode

CHUNKS = (b"VP8X", b"ICCP", b"VP8 ")

_ONLY_A_PROFILE = b"\x20\x00\x00\x00"
"""Flags of ``VP8X`` and its reserved bytes: no alpha, no EXIF, no XMP, no animation."""

Chunk = tuple[bytes, bytes]
"""Name and payload."""


def is_webp(data: bytes) -> bool:
    """Whether the first bytes are those of a WebP."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def webp_codes(data: bytes) -> list[FindingCode]:
    """Everything in the file that is not one plain picture.

    Args:
        data: The whole file; ``is_webp`` is true.
    """
    (claimed,) = struct.unpack_from("<I", data, 4)
    end = 8 + claimed
    if end > len(data) or claimed % 2:
        return [FindingCode.MALFORMED]
    codes = [FindingCode.DATA_AFTER_END] if end < len(data) else []
    chunks = _chunks(data[12:end])
    if chunks is None:
        return [*codes, FindingCode.MALFORMED]
    names = tuple(name for name, _ in chunks)
    if {b"ANIM", b"ANMF"} & set(names) or names.count(b"VP8 ") > 1:
        codes.append(FindingCode.SEVERAL_PICTURES)
    if names != CHUNKS:
        return [*codes, FindingCode.MARKER_NOT_ALLOWED]
    canvas, profile, frame = (payload for _, payload in chunks)
    if profile != SRGB_PROFILE:
        codes.append(FindingCode.PROFILE_NOT_OURS)
    if not _is_plain_frame(canvas, frame):
        codes.append(FindingCode.FRAME_NOT_OURS)
    return codes


def _chunks(body: bytes) -> list[Chunk] | None:
    """All chunks; None if the chunks and their zero padding do not fill the body exactly."""
    found, offset = [], 0
    while offset < len(body):
        if offset + 8 > len(body):
            return None
        name, size = struct.unpack_from("<4sI", body, offset)
        stop = offset + 8 + size
        if stop > len(body) or body[stop : stop + size % 2] != bytes(size % 2):
            return None
        found.append((name, body[offset + 8 : stop]))
        offset = stop + size % 2
    return found


def _is_plain_frame(canvas: bytes, frame: bytes) -> bool:
    """Whether ``frame`` is a shown, unscaled, complete key frame of the canvas's size."""
    if len(canvas) != 10 or len(frame) <= 10 or not canvas.startswith(_ONLY_A_PROFILE):
        return False
    tag = int.from_bytes(frame[:3], "little")
    is_shown_key_frame = tag & 1 == 0 and tag >> 4 & 1 == 1
    width, height = struct.unpack_from("<HH", frame, 6)
    size = (width - 1).to_bytes(3, "little", signed=True) + (height - 1).to_bytes(
        3, "little", signed=True
    )
    return (
        is_shown_key_frame
        and frame[3:6] == b"\x9d\x01\x2a"
        and max(width, height) < 1 << 14  # the two higher bits are the scaling factor
        and canvas[4:] == size
        and 10 + (tag >> 5) <= len(frame)
    )
