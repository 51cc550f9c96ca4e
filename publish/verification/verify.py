"""Prove that a picture about to be published holds the judged picture and nothing else.

Independent of the writer: own parser for each format, an allow-list, ExifRead, a complete decode
and a comparison with the judged pixels made by OpenCV where the writer used Pillow. The list for
JPEG is "A published picture" in docs/contracts.md: SOI, APP0 (JFIF), our sRGB APP2, DQT, SOF, DHT,
DRI, SOS, EOI and nothing after it; ``verify_webp`` and ``verify_avif`` state theirs. Any finding
means that the picture is not released.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from consent_gate.exif import ExifBroken, read_exif
from publish.rendering.render import ImageFormat, RenditionSpec
from publish.rendering.srgb import SRGB_PROFILE
from publish.verification.avif import avif_codes, is_avif
from publish.verification.findings import FindingCode, VerificationFinding
from publish.verification.findings import findings as _findings
from publish.verification.jpeg import (
    APP0,
    APP2,
    COM,
    DHT,
    DQT,
    DRI,
    EOI,
    SOF0,
    SOF2,
    SOI,
    SOS,
    Jpeg,
    MalformedJpeg,
    parse,
)
from publish.verification.likeness import compare, expected_size
from publish.verification.webp import is_webp, webp_codes

__all__ = ["Expected", "FindingCode", "VerificationFinding", "verify"]


@dataclass(frozen=True, eq=False)
class Expected:
    """What the picture has to show."""

    judged: NDArray[np.uint8]
    """The judged pixels: (height, width, 3), uint8, RGB, upright, uncropped."""
    spec: RenditionSpec
    """How it was to be rendered."""


_ALLOWED = frozenset({SOI, APP0, APP2, DQT, SOF0, SOF2, DHT, DRI, SOS, EOI})

_JFIF_LENGTH = 14
"""Bytes of an APP0 payload without a thumbnail (JFIF 1.02, page 5)."""

_ICC_HEAD = b"ICC_PROFILE\x00\x01\x01"
"""Signature, then chunk 1 of 1 (ICC.1:2022 annex B.4)."""


def verify(data: bytes, expected: Expected | None = None) -> list[VerificationFinding]:
    """Everything that is wrong with ``data``; empty means that it may leave.

    Without ``expected`` only what the file carries is checked, not what it shows. Never raises
    for any content of ``data``.
    """
    kind = _kind_of(data)
    if kind is None or (expected is not None and kind is not expected.spec.kind):
        wrong = FindingCode.NOT_JPEG if kind is None else FindingCode.OTHER_FORMAT
        return _findings([wrong])
    codes = [*_carried(data, kind), *_metadata(data)]
    if FindingCode.MALFORMED in codes:
        return _findings(codes)
    pixels = _decode(data, kind)
    if pixels is None:
        codes.append(FindingCode.DOES_NOT_DECODE)
    elif expected is not None:
        codes += _content(pixels, expected)
    return _findings(codes)


def _kind_of(data: bytes) -> ImageFormat | None:
    """By the first bytes."""
    if data.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if is_webp(data):
        return ImageFormat.WEBP
    return ImageFormat.AVIF if is_avif(data) else None


def _carried(data: bytes, kind: ImageFormat) -> list[FindingCode]:
    """What the file holds beside one plain picture."""
    match kind:
        case ImageFormat.WEBP:
            return webp_codes(data)
        case ImageFormat.AVIF:
            return avif_codes(data)
        case ImageFormat.JPEG:
            return _jpeg_codes(data)


def _jpeg_codes(data: bytes) -> list[FindingCode]:
    try:
        jpeg = parse(data)
    except MalformedJpeg:
        return [FindingCode.MALFORMED]
    return [*_segments(jpeg), *_tables(jpeg), *_trailer(jpeg)]


def _segments(jpeg: Jpeg) -> list[FindingCode]:
    """Only what is on the list, each once where once is enough."""
    codes: list[FindingCode] = []
    markers = [s.marker for s in jpeg.segments]
    if COM in markers:
        codes.append(FindingCode.COMMENT)
    if set(markers) - _ALLOWED - {COM}:
        codes.append(FindingCode.MARKER_NOT_ALLOWED)
    jfif = jpeg.named(APP0)
    if len(jfif) != 1 or markers[1] != APP0 or not _is_plain_jfif(jfif[0].payload):
        codes.append(FindingCode.JFIF_NOT_PLAIN)
    if [s.payload for s in jpeg.named(APP2)] != [_ICC_HEAD + SRGB_PROFILE]:
        codes.append(FindingCode.PROFILE_NOT_OURS)
    frames = jpeg.named(SOF0) + jpeg.named(SOF2)
    if len(frames) != 1:
        codes.append(FindingCode.SEVERAL_PICTURES)
    if not all(_is_plain_frame(s.payload) for s in frames):
        codes.append(FindingCode.FRAME_NOT_OURS)
    return codes


def _is_plain_frame(payload: bytes) -> bool:
    """Eight bits, three components, not a byte more (T.81 B.2.2)."""
    return len(payload) == 15 and payload[0] == 8 and payload[5] == 3


def _is_plain_jfif(payload: bytes) -> bool:
    """JFIF 1.x with no thumbnail behind it."""
    return (
        len(payload) == _JFIF_LENGTH
        and payload.startswith(b"JFIF\x00\x01")
        and payload[12:14] == b"\x00\x00"
    )


def _tables(jpeg: Jpeg) -> list[FindingCode]:
    """Tables fill their segments to the byte, so nothing rides along in them."""
    plain = (
        all(_fills_with_dqt(s.payload) for s in jpeg.named(DQT))
        and all(_fills_with_dht(s.payload) for s in jpeg.named(DHT))
        and all(len(s.payload) == 2 for s in jpeg.named(DRI))
        and all(s.payload and len(s.payload) == 4 + 2 * s.payload[0] for s in jpeg.named(SOS))
    )
    return [] if plain else [FindingCode.TABLE_NOT_PLAIN]


def _fills_with_dqt(payload: bytes) -> bool:
    at = 0
    while at < len(payload):
        at += 129 if payload[at] >> 4 else 65
    return at == len(payload)


def _fills_with_dht(payload: bytes) -> bool:
    at = 0
    while at < len(payload):
        at += 17 + sum(payload[at + 1 : at + 17])
    return at == len(payload)


def _trailer(jpeg: Jpeg) -> list[FindingCode]:
    if not jpeg.trailer:
        return []
    extra = [FindingCode.SEVERAL_PICTURES] if b"\xff\xd8\xff" in jpeg.trailer else []
    return [FindingCode.DATA_AFTER_END, *extra]


def _metadata(data: bytes) -> list[FindingCode]:
    """ExifRead, a reader that shares no code with the writer, finds nothing."""
    try:
        return [FindingCode.METADATA_FOUND] if read_exif(data, maker_notes=False) else []
    except ExifBroken:
        return [FindingCode.METADATA_FOUND]  # what breaks a reader is there to be read


def _decode(data: bytes, kind: ImageFormat) -> NDArray[np.uint8] | None:
    """All pixels of a file of one frame as RGB, or None."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(io.BytesIO(data), formats=[kind.value.upper()]) as image:
            if getattr(image, "n_frames", 1) != 1:
                return None
            return np.array(image.convert("RGB"), dtype=np.uint8)
    except Exception:  # noqa: BLE001 - whatever stops a decoder stops the release
        return None


def _content(pixels: NDArray[np.uint8], expected: Expected) -> list[FindingCode]:
    """Size first: pictures of different sizes are not compared."""
    height, width = pixels.shape[:2]
    if (width, height) != expected_size(expected.judged, expected.spec):
        return [FindingCode.WRONG_SIZE]
    same = compare(pixels, expected.judged, expected.spec).is_same
    return [] if same else [FindingCode.WRONG_PIXELS]
