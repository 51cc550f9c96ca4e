"""Was the file written to its end, where its decoder would not say so?

A copy that stalls leaves a short file, or, from a Windows PC, one of full length whose end is
zeros. Many decoders make something up for what is missing: libjpeg mid-grey (or, in a progressive
file, a blur), libwebp and libde265 a guess. Half a face, or a blurred one, is missed by a machine
before it is unrecognisable to a person, so such files are refused. Which formats need which check
was found by cutting files of each at 150 places
(tests/unit/ingest/decoding/test_truncated_files.py).
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
    """False where the file cannot be complete. Looks at the container, not at the pixels."""
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
            return not _ends_in_zeros(data, 4096)  # uncompressed black ends in zeros as well
        case Format.RAW:
            parts = _has_all_strips if data[:2] in (b"II", b"MM") else _has_whole_boxes
            return parts(data) and not _ends_in_zeros(data, 4096)
        case Format.GIF:
            return True  # Pillow refuses a cut GIF


def is_complete(data: bytes) -> bool:
    """False where the end of a picture or camera raw file cannot be there yet.

    Cheap: it decides only whether to wait a little longer. ``is_strictly_complete`` is asked again
    by ``decode``. It knows films and files of no picture kind as well, and allows nothing behind
    the end of a HEIF, AVIF or CR3 file.
    """
    if not any(data[:64]) or _ends_in_zeros(data, 65_536):
        return False  # a Windows PC reserves the whole length before it copies
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
"""Markers by table B.1."""


@dataclass
class _Scans:
    """What the scans so far have delivered."""

    progressive: bool = False
    missing_bits: dict[int, list[int]] = field(default_factory=dict)
    """Component to the number of low bits not yet sent of each of its 64 coefficients; 99 where
    nothing was sent (G.1.1.1.2)."""

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
    """True where the first picture in ``data`` sends every coefficient to its last bit."""
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
    """Offset of the next marker; entropy-coded data, fill bytes and junk are skipped."""
    while True:
        offset = data.index(b"\xff", offset)
        if data[offset + 1] not in (0x00, 0xFF):
            return offset
        offset += 1


_TAIL = 64, 16
"""Columns and rows at the bottom right: at least four coding units, which no photo fills with
exactly one grey."""


def ends_in_padding(image: Image.Image) -> bool:
    """True where a JPEG's last coding units are the grey that libjpeg puts in for missing data.

    ``image``: loaded, as stored: not yet turned, no profile applied.
    """
    right, bottom = image.size
    tail = image.crop((max(0, right - _TAIL[0]), max(0, bottom - _TAIL[1]), right, bottom))
    return bool((np.asarray(tail) == 128).all())


# --- PNG (ISO 15948) -----------------------------------------------------------------------


def _has_all_chunks(data: bytes) -> bool:
    """True where every critical chunk up to IEND is there with its right checksum.

    Pillow does not check the last IDAT.
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
    """True where no ``meta`` or ``mdat`` box runs past the end of the file.

    Junk behind the last known box is left alone: phones append films there.
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
    """HEIF, AVIF, CR3 and film are boxes one behind the other (ISO 14496-12)."""
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
"""Of a TIFF that are followed: camera raw files have up to six."""


def _has_all_strips(data: bytes) -> bool:
    """TIFF, DNG, NEF, ARW and CR2: every strip and tile lies inside the file (TIFF 6.0)."""
    order = "<" if data[:2] == b"II" else ">"
    try:
        return all(end <= len(data) for end in _ends_of_strips(data, order))
    except struct.error:
        return False


def _ends_of_strips(data: bytes, order: str) -> Iterator[int]:
    """Where the parts of each picture in the file end. Raises struct.error past the end."""
    to_visit, seen = [struct.unpack_from(order + "I", data, 4)[0]], set[int]()
    while to_visit and len(seen) < MAX_DIRECTORIES:
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
    offset = entry + 8 if in_place else struct.unpack_from(order + "I", data, entry + 8)[0]
    return tuple(struct.unpack_from(form, data, offset))
