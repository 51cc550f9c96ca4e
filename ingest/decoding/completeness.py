"""Detect incomplete picture files that their decoder would accept.

An interrupted copy leaves a short file, or, from a Windows PC, a file of full length that ends in
zeros. Many decoders fill in the missing part: libjpeg with mid-grey (in a progressive file with a
blurred picture), libwebp and libde265 with a guess. A machine may miss a cut or blurred face that a
person still recognises, so such files are refused. The checks for each format were found by cutting
files at 150 places (``tests/unit/ingest/decoding/test_decode.py``).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ingest.decoding.formats import Format, UnsupportedFile, sniff


def is_strictly_complete(data: bytes, fmt: Format) -> bool:
    """Whether the container of the file is complete; the pixels are not examined.

    Used before decoding. ``data`` is the whole file, ``fmt`` its format by ``formats.sniff``.
    """
    match fmt:
        case Format.JPEG:
            return _has_all_scans(data)
        case Format.PNG:
            return _has_all_chunks(data)
        case Format.HEIF | Format.AVIF:
            return _has_whole_boxes(data) and not _ends_in_zeros(data, 64)
        case Format.WEBP:
            return not _ends_in_zeros(data, 64)
        case Format.TIFF | Format.BMP:
            return not _ends_in_zeros(data, 4096)  # an uncompressed black area also ends in zeros
        case Format.RAW:
            are_parts_whole = _has_all_strips if data[:2] in (b"II", b"MM") else _has_whole_boxes
            return are_parts_whole(data) and not _ends_in_zeros(data, 4096)
        case Format.GIF:
            return True  # Pillow refuses a cut GIF


def is_complete(data: bytes) -> bool:
    """Whether the file in the inbox may be complete; False where its end is certainly missing.

    A cheap check that only decides whether to wait longer; ``decode`` calls
    ``is_strictly_complete`` later. Unlike that function, it accepts films and files that are no
    pictures, and allows no data after the last box of a HEIF, AVIF or CR3 file.
    """
    if not any(data[:64]) or _ends_in_zeros(data, 65_536):
        return False  # Windows reserves the whole length before it copies
    if data[:4] in (b"II*\x00", b"MM\x00*"):
        return _has_all_strips(data)
    if data[:4] == b"RIFF" and len(data) >= 8:
        return bool(struct.unpack_from("<I", data, 4)[0] + 8 <= len(data))
    if data[:4] == b"GIF8":
        return data.rstrip(b"\x00").endswith(b";")
    if data[4:8] == b"ftyp":
        return _has_all_boxes(data)
    found = sniff(data)
    return isinstance(found, UnsupportedFile) or is_strictly_complete(data, found)


def _ends_in_zeros(data: bytes, count: int) -> bool:
    return len(data) > count and not any(data[-count:])


# --- JPEG (ITU T.81) -----------------------------------------------------------------------

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_EOI, _SOS = 0xD9, 0xDA
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length field (table B.1)."""


@dataclass
class _Scans:
    """Which coefficients the scans read so far have delivered."""

    progressive: bool = False
    missing_bits: dict[int, list[int]] = field(default_factory=dict)
    """By component, for each of its 64 coefficients, the number of low bits not yet sent; 99 where
    no bit was sent (G.1.1.1.2)."""

    def start_frame(self, marker: int, payload: bytes) -> None:
        self.progressive = marker in _PROGRESSIVE
        self.missing_bits = {payload[6 + 3 * i]: [99] * 64 for i in range(payload[5])}

    def add(self, payload: bytes) -> None:
        count = payload[0]
        first, last, precision = payload[1 + 2 * count : 4 + 2 * count]
        if not self.progressive:
            first, last, precision = 0, 63, 0
        for i in range(count):
            coefficients = self.missing_bits[payload[1 + 2 * i]]
            coefficients[first : last + 1] = [precision & 15] * (last + 1 - first)

    def complete(self) -> bool:
        return bool(self.missing_bits) and not any(map(any, self.missing_bits.values()))


def _has_all_scans(data: bytes) -> bool:
    """Whether the first picture in ``data`` contains every bit of every coefficient."""
    scans, offset = _Scans(), 2
    try:
        while True:
            offset = _next_marker(data, offset)
            marker = data[offset + 1]
            if marker == _EOI:
                return scans.complete()
            offset += 2
            if marker in _WITHOUT_LENGTH:
                continue
            length = int.from_bytes(data[offset : offset + 2], "big")
            payload = data[offset + 2 : offset + length]
            if marker in _FRAMES:
                scans.start_frame(marker, payload)
            elif marker == _SOS:
                scans.add(payload)
            offset += max(2, length)
    except (IndexError, KeyError, ValueError):
        return False


def _next_marker(data: bytes, offset: int) -> int:
    """Offset of the next marker; skips entropy-coded data, fill bytes and unknown data."""
    while True:
        offset = data.index(b"\xff", offset)
        if data[offset + 1] not in (0x00, 0xFF):
            return offset
        offset += 1


_TAIL = 64, 16
"""Columns and rows at the bottom right: at least four coding units, which no photo fills with
exactly one shade of grey."""


def ends_in_padding(image: Image.Image) -> bool:
    """Whether a JPEG's last coding units are the grey that libjpeg writes for missing data.

    ``image`` is loaded and as stored: not rotated, and without its colour profile applied.
    """
    right, bottom = image.size
    tail = image.crop((max(0, right - _TAIL[0]), max(0, bottom - _TAIL[1]), right, bottom))
    return bool((np.asarray(tail) == 128).all())


_UNDECODED = (77, 84, 89, 94, 135, 136)
"""Green of a pixel whose luma and chroma are all zero, with the matrices and ranges of HEIF. Red
and blue are zero. No camera stores such a pixel: it is outside of RGB."""

_UNIT = 16


def has_undecoded_part(image: Image.Image) -> bool:
    """Whether a HEIF has a square of 16 x 16 pixels that libde265 left at zero after an error.

    ``image`` is without its colour profile applied.
    """
    rgb = np.asarray(image.convert("RGB"))
    middles = rgb[_UNIT // 2 :: _UNIT, _UNIT // 2 :: _UNIT]
    is_left = (middles[..., ::2] == 0).all(axis=-1) & np.isin(middles[..., 1], _UNDECODED)
    for row, column in np.argwhere(is_left):
        top, left = row * _UNIT, column * _UNIT
        unit = rgb[top : top + _UNIT, left : left + _UNIT]
        if (unit == middles[row, column]).all():
            return True
    return False


# --- PNG (ISO 15948) -----------------------------------------------------------------------


def _has_all_chunks(data: bytes) -> bool:
    """Whether every critical chunk up to IEND is present with a correct checksum.

    Pillow does not check the last IDAT chunk.
    """
    offset = 8
    while offset + 12 <= len(data):
        length, kind = (
            int.from_bytes(data[offset : offset + 4], "big"),
            data[offset + 4 : offset + 8],
        )
        end = offset + 8 + length
        is_critical = not kind[0] & 32
        if (
            is_critical
            and zlib.crc32(data[offset + 4 : end]).to_bytes(4, "big") != data[end : end + 4]
        ):
            return False
        if kind == b"IEND":
            return True
        offset = end + 4
    return False


# --- HEIF and AVIF (ISO 14496-12) ----------------------------------------------------------


def _has_whole_boxes(data: bytes) -> bool:
    """Whether every ``meta`` and ``mdat`` box ends inside the file.

    Data after the last known box are ignored, because phones append films there.
    """
    offset = 0
    while offset + 16 <= len(data):
        size, kind = int.from_bytes(data[offset : offset + 4], "big"), data[offset + 4 : offset + 8]
        if size == 1:
            size = int.from_bytes(data[offset + 8 : offset + 16], "big")
        if offset + size > len(data) and kind in (b"meta", b"mdat"):
            return False
        if size < 8:
            return True  # 0 is "to the end of the file"
        offset += size
    return True


def _has_all_boxes(data: bytes) -> bool:
    """Whether all boxes end inside the file; HEIF, AVIF, CR3 and films consist of boxes."""
    offset = 0
    while offset + 8 <= len(data):
        size = struct.unpack_from(">I", data, offset)[0]
        if size == 1 and offset + 16 <= len(data):
            size = struct.unpack_from(">Q", data, offset + 8)[0]
        if size < 8:
            return True  # 0 is "to the end of the file"
        offset += size
    return offset <= len(data)


# --- TIFF 6.0; most camera raw files are TIFFs inside ----------------------------------------

MAX_DIRECTORIES = 32
"""The most directories of a TIFF that are read; camera raw files have up to six."""


def _has_all_strips(data: bytes) -> bool:
    """Whether every strip and tile lies inside the file: TIFF, DNG, NEF, ARW and CR2."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        return all(end <= len(data) for end in _ends_of_strips(data, order))
    except struct.error:
        return False


def _ends_of_strips(data: bytes, order: str) -> Iterator[int]:
    """The end offset of every strip and tile. Raises struct.error where a directory is missing."""
    to_visit, seen = [struct.unpack_from(order + "I", data, 4)[0]], set[int]()
    while to_visit and len(seen) < MAX_DIRECTORIES:
        start = to_visit.pop()
        if start == 0 or start in seen:
            continue
        seen.add(start)
        (count,) = struct.unpack_from(order + "H", data, start)
        tags = {
            tag: _entry_values(data, order, start + 2 + 12 * i, min(entries, 4096), kind)
            for i in range(count)
            for tag, kind, entries in [struct.unpack_from(order + "HHI", data, start + 2 + 12 * i)]
            if tag in (273, 279, 324, 325, 330)
        }
        for offsets, sizes in ((273, 279), (324, 325)):
            pairs = zip(tags.get(offsets, ()), tags.get(sizes, ()), strict=False)
            yield from (offset + size for offset, size in pairs)
        to_visit += [
            *tags.get(330, ()),
            *struct.unpack_from(order + "I", data, start + 2 + 12 * count),
        ]


def _entry_values(data: bytes, order: str, entry: int, count: int, kind: int) -> tuple[int, ...]:
    """The values of one entry (SHORT, LONG or IFD), which are stored in place up to four bytes."""
    form = f"{order}{count}{'H' if kind == 3 else 'I'}"
    in_place = struct.calcsize(form) <= 4
    offset = entry + 8 if in_place else struct.unpack_from(order + "I", data, entry + 8)[0]
    return tuple(struct.unpack_from(form, data, offset))
