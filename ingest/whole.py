"""Was the file written to its end, where its decoder would not say so?

A copy that stalls leaves a short file, or, from a Windows PC, one of full length whose end is
zeros. Many decoders make something up for what is missing: libjpeg mid-grey (or, in a progressive
file, a blur), libwebp and libde265 a guess. Half a face, or a blurred one, is missed by a machine
before it is unrecognisable to a person, so such files are refused. Which formats need which check
was found by cutting files of each at 150 places (tests/unit/test_decode_cut_short.py).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ingest.formats import Format
from ingest.tiff_parts import has_all_strips


def is_whole(data: bytes, fmt: Format) -> bool:
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
            parts = has_all_strips if data[:2] in (b"II", b"MM") else _has_whole_boxes
            return parts(data) and not _ends_in_zeros(data, 4096)
        case Format.GIF:
            return True  # Pillow refuses a cut GIF


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
    scans, at = _Scans(), 2
    try:
        while True:
            at = _next_marker(data, at)
            marker = data[at + 1]
            if marker == _EOI:
                return scans.complete()
            at += 2
            if marker in _WITHOUT_LENGTH:
                continue
            length = int.from_bytes(data[at : at + 2], "big")
            payload = data[at + 2 : at + length]
            if marker in _FRAMES:
                scans.start_frame(marker, payload)
            elif marker == _SOS:
                scans.add(payload)
            at += max(2, length)
    except (IndexError, KeyError, ValueError):
        return False


def _next_marker(data: bytes, at: int) -> int:
    """Offset of the next marker; entropy-coded data, fill bytes and junk are skipped."""
    while True:
        at = data.index(b"\xff", at)
        if data[at + 1] not in (0x00, 0xFF):
            return at
        at += 1


_TAIL = 64, 16
"""Columns and rows at the bottom right: at least four coding units, which no photo fills with
exactly one grey."""


def ends_in_filler(image: Image.Image) -> bool:
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
    at = 8
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 8 + length
        is_critical = not kind[0] & 32
        if is_critical and zlib.crc32(data[at + 4 : end]).to_bytes(4, "big") != data[end : end + 4]:
            return False
        if kind == b"IEND":
            return True
        at = end + 4
    return False


# --- HEIF and AVIF (ISO 14496-12) ----------------------------------------------------------


def _has_whole_boxes(data: bytes) -> bool:
    """True where no ``meta`` or ``mdat`` box runs past the end of the file.

    Junk behind the last known box is left alone: phones append films there.
    """
    at = 0
    while at + 16 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if at + size > len(data) and kind in (b"meta", b"mdat"):
            return False
        if size < 8:
            return True  # 0 is "to the end of the file"
        at += size
    return True
