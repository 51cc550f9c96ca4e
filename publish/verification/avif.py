"""Check a published AVIF: build the header that it must have and compare it byte for byte.

The header is the 275 bytes of ``ftyp``, ``meta`` and the start of ``mdat`` (ISO/IEC 14496-12 and
23008-12, AV1 Image File Format 1.1). In our files only the picture size, two bytes of ``av1C`` and
the length of the data can differ; these are read from the file. An equal header has no room for
Exif, XMP, a thumbnail, an alpha channel or a second item. After it come one temporal delimiter, one
sequence header and one frame (AV1 5.3), without metadata or padding. ``nclx`` says that the colours
are sRGB, so the file has no ICC profile.
"""

from __future__ import annotations

import struct

from publish.verification.findings import FindingCode

HEAD = 275
"""Length of the header in bytes; the coded picture follows."""

_BRANDS = b"avif" + bytes(4) + b"avifmif1miafMA1B"
_ITEM = 1
_SRGB = b"nclx" + struct.pack(">HHHB", 1, 13, 6, 0x80)
"""Primaries of BT.709, sRGB curve, BT.601 matrix, full range (ITU-T H.273)."""

_WIDTH_AT, _AV1C_AT, _LENGTH_AT = 189, 221, 267
"""Offsets of the three values that differ between files."""

_DELIMITER, _SEQUENCE, _FRAME = 2, 1, 6
"""OBU types (AV1 6.2.2)."""


def is_avif(data: bytes) -> bool:
    """Whether the first bytes are those of an AVIF."""
    return data[4:12] == b"ftypavif"


def avif_codes(data: bytes) -> list[FindingCode]:
    """Everything in the file that is not one plain picture. Never raises."""
    if len(data) <= HEAD:
        return [FindingCode.MALFORMED]
    width, height = struct.unpack_from(">II", data, _WIDTH_AT)
    config = data[_AV1C_AT : _AV1C_AT + 4]
    length = struct.unpack_from(">I", data, _LENGTH_AT)[0] - 8
    if not _is_plain_config(config) or not 0 < length < 1 << 31:
        return [FindingCode.MARKER_NOT_ALLOWED]
    if data[:HEAD] != expected_head(width, height, config, length):
        return [FindingCode.MARKER_NOT_ALLOWED]
    picture, trailer = data[HEAD : HEAD + length], data[HEAD + length :]
    codes = [FindingCode.DATA_AFTER_END] if trailer else []
    if len(picture) < length:
        return [FindingCode.MALFORMED]
    return codes + _bitstream_codes(picture, config[1])


def expected_head(width: int, height: int, config: bytes, length: int) -> bytes:
    """The ``HEAD`` bytes that must precede the coded picture.

    Args:
        width: In pixels.
        height: In pixels.
        config: The four bytes of ``av1C``.
        length: Of the coded picture in bytes.
    """
    location = struct.pack(">BBHHHHII", 0x44, 0, 1, _ITEM, 0, 1, HEAD, length)
    entry = _full_box(b"infe", 2, struct.pack(">HH", _ITEM, 0) + b"av01" + b"Color\x00")
    properties = (
        _full_box(b"ispe", 0, struct.pack(">II", width, height))
        + _full_box(b"pixi", 0, b"\x03\x08\x08\x08")
        + _box(b"av1C", config)
        + _box(b"colr", _SRGB)
    )
    associations = struct.pack(">IHB", 1, _ITEM, 4) + b"\x01\x02\x83\x04"
    meta = (
        _full_box(b"hdlr", 0, bytes(4) + b"pict" + bytes(13))
        + _full_box(b"pitm", 0, struct.pack(">H", _ITEM))
        + _full_box(b"iloc", 0, location)
        + _full_box(b"iinf", 0, struct.pack(">H", 1) + entry)
        + _box(b"iprp", _box(b"ipco", properties) + _full_box(b"ipma", 0, associations))
    )
    mdat = struct.pack(">I", 8 + length) + b"mdat"
    return _box(b"ftyp", _BRANDS) + _full_box(b"meta", 0, meta) + mdat


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", 8 + len(payload)) + kind + payload


def _full_box(kind: bytes, version: int, payload: bytes) -> bytes:
    """A box with version and flags."""
    return _box(kind, bytes([version, 0, 0, 0]) + payload)


def _is_plain_config(config: bytes) -> bool:
    """Main profile of any level, eight bits, three planes, chroma 4:2:0."""
    return config[0] == 0x81 and config[1] >> 5 == 0 and config[2:] == b"\x0c\x00"


def _bitstream_codes(picture: bytes, level: int) -> list[FindingCode]:
    units = _split_obus(picture)
    if units is None:
        return [FindingCode.MALFORMED]
    kinds = [kind for kind, _ in units]
    if kinds.count(_FRAME) > 1 or kinds.count(_SEQUENCE) > 1:
        return [FindingCode.SEVERAL_PICTURES]
    plain = kinds == [_DELIMITER, _SEQUENCE, _FRAME] and not units[0][1]
    return [] if plain and _is_still(units[1][1], level) else [FindingCode.MARKER_NOT_ALLOWED]


def _is_still(header: bytes, level: int) -> bool:
    """Whether the header is a reduced one of a still picture, with ``av1C``'s level (AV1 5.5.1)."""
    start = int.from_bytes(header[:2], "big")
    return len(header) > 2 and start >> 11 == 0b00011 and start >> 6 & 31 == level


def _split_obus(picture: bytes) -> list[tuple[int, bytes]] | None:
    """Type and payload of each OBU; None if the OBUs do not fill the data exactly."""
    found, offset = [], 0
    while offset < len(picture):
        head = picture[offset]
        # Forbidden bit, extension flag and reserved bit must be 0, the size flag 1 (AV1 5.3.2).
        if head & 0b1000_0111 != 0b10:
            return None
        size, offset = _leb128(picture, offset + 1)
        if size < 0 or offset + size > len(picture):
            return None
        found.append((head >> 3, picture[offset : offset + size]))
        offset += size
    return found


def _leb128(data: bytes, offset: int) -> tuple[int, int]:
    """The number and the offset after it; -1 if it is cut short or longer than four bytes."""
    value = 0
    for position, byte in enumerate(data[offset : offset + 4]):
        value |= (byte & 0x7F) << (7 * position)
        if byte < 0x80:
            return value, offset + position + 1
    return -1, offset
