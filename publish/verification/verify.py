"""Verify that a file contains the judged picture and nothing else.

The checks are independent of the renderer: an own parser and an allow-list for each format, a
search by ExifRead, a complete decode, and a comparison with the judged pixels by OpenCV. OpenCV
also decodes the JPEG that is compared: the renderer's library would decode its own faults. The
allow-list for JPEG is "A published picture" in docs/contracts.md: SOI, APP0 (JFIF), our sRGB APP2,
DQT, SOF, DHT, DRI, SOS, EOI and nothing after EOI. ``publish.verification.webp`` and ``avif``
contain the others. A picture with any finding is not released.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from publish.rendering.render import ImageFormat, RenditionSpec
from publish.rendering.srgb import SRGB_PROFILE
from publish.verification.avif import avif_codes, is_avif
from publish.verification.exif import ExifBroken, read_exif
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
from publish.verification.mp4 import is_mp4, mp4_codes
from publish.verification.webp import is_webp, webp_codes

__all__ = ["Expected", "FindingCode", "VerificationFinding", "Verified", "verify", "verify_pixels"]


@dataclass(frozen=True, eq=False)
class Expected:
    """What the picture must show."""

    judged: NDArray[np.uint8]
    """The judged pixels: (height, width, 3), uint8, RGB, upright, uncropped."""
    spec: RenditionSpec
    """How it was to be rendered."""


@dataclass(frozen=True, eq=False)
class Verified:
    """What was found in a file."""

    findings: list[VerificationFinding]
    """Empty if the file may be published."""
    pixels: NDArray[np.uint8] | None
    """The pixels that were compared: (height, width, 3), uint8, RGB. None: it was not decoded."""


_ALLOWED = frozenset({SOI, APP0, APP2, DQT, SOF0, SOF2, DHT, DRI, SOS, EOI})

_JFIF_LENGTH = 14
"""Length in bytes of an APP0 payload without a thumbnail (JFIF 1.02, page 5)."""

_ICC_HEAD = b"ICC_PROFILE\x00\x01\x01"
"""Signature, then chunk 1 of 1 (ICC.1:2022 annex B.4)."""


def verify(data: bytes, expected: Expected | None = None) -> list[VerificationFinding]:
    """All reasons against publishing a file. Never raises, whatever ``data`` contains.

    Args:
        data: The whole file: JPEG, WebP, AVIF, or the MP4 of a film, of which the structure is
            checked here. ``publish.rendition_film`` compares its frames.
        expected: What the picture must show. None: only the file's structure and metadata are
            checked, not its pixels.

    Returns:
        An empty list if the file may be published.
    """
    if is_mp4(data) and expected is None:
        return _findings([*mp4_codes(data), *_metadata_codes(data)])
    return verify_pixels(data, expected).findings


def verify_pixels(data: bytes, expected: Expected | None) -> Verified:
    """``verify`` for a picture. Also gives the decoded pixels, so that they can be searched."""
    kind = _kind_of(data)
    if kind is None or (expected is not None and kind is not expected.spec.kind):
        wrong = FindingCode.NOT_JPEG if kind is None else FindingCode.OTHER_FORMAT
        return Verified(_findings([wrong]), None)
    codes = [*_container_codes(data, kind), *_metadata_codes(data)]
    if FindingCode.MALFORMED in codes:
        return Verified(_findings(codes), None)
    by_opencv = expected is not None and kind is ImageFormat.JPEG
    pixels = _decode_by_opencv(data) if by_opencv else _decode(data, kind)
    if pixels is None:
        codes.append(FindingCode.DOES_NOT_DECODE)
    elif expected is not None:
        codes += _content_codes(pixels, expected)
    return Verified(_findings(codes), pixels)


def _kind_of(data: bytes) -> ImageFormat | None:
    """The format by the first bytes; None if it is none of ours."""
    if data.startswith(b"\xff\xd8\xff"):
        return ImageFormat.JPEG
    if is_webp(data):
        return ImageFormat.WEBP
    return ImageFormat.AVIF if is_avif(data) else None


def _container_codes(data: bytes, kind: ImageFormat) -> list[FindingCode]:
    """Everything in the file that is not one plain picture."""
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
    return [*_segment_codes(jpeg), *_table_codes(jpeg), *_trailer_codes(jpeg)]


def _segment_codes(jpeg: Jpeg) -> list[FindingCode]:
    """Check the markers against the allow-list, and how often each occurs."""
    codes: list[FindingCode] = []
    markers = [s.marker for s in jpeg.segments]
    if COM in markers:
        codes.append(FindingCode.COMMENT)
    if set(markers) - _ALLOWED - {COM}:
        codes.append(FindingCode.MARKER_NOT_ALLOWED)
    jfif = jpeg.with_marker(APP0)
    if len(jfif) != 1 or markers[1] != APP0 or not _is_plain_jfif(jfif[0].payload):
        codes.append(FindingCode.JFIF_NOT_PLAIN)
    if [s.payload for s in jpeg.with_marker(APP2)] != [_ICC_HEAD + SRGB_PROFILE]:
        codes.append(FindingCode.PROFILE_NOT_OURS)
    frames = jpeg.with_marker(SOF0) + jpeg.with_marker(SOF2)
    if len(frames) != 1:
        codes.append(FindingCode.SEVERAL_PICTURES)
    if not all(_is_plain_frame(s.payload) for s in frames):
        codes.append(FindingCode.FRAME_NOT_OURS)
    return codes


def _is_plain_frame(payload: bytes) -> bool:
    """Eight bits, three components, no further bytes (T.81 B.2.2)."""
    return len(payload) == 15 and payload[0] == 8 and payload[5] == 3


def _is_plain_jfif(payload: bytes) -> bool:
    """JFIF 1.x without a thumbnail."""
    return (
        len(payload) == _JFIF_LENGTH
        and payload.startswith(b"JFIF\x00\x01")
        and payload[12:14] == b"\x00\x00"
    )


def _table_codes(jpeg: Jpeg) -> list[FindingCode]:
    """Check that tables fill their segments exactly, so that the segments hold no other data."""
    plain = (
        all(_fills_with_dqt(s.payload) for s in jpeg.with_marker(DQT))
        and all(_fills_with_dht(s.payload) for s in jpeg.with_marker(DHT))
        and all(len(s.payload) == 2 for s in jpeg.with_marker(DRI))
        and all(s.payload and len(s.payload) == 4 + 2 * s.payload[0] for s in jpeg.with_marker(SOS))
    )
    return [] if plain else [FindingCode.TABLE_NOT_PLAIN]


def _fills_with_dqt(payload: bytes) -> bool:
    offset = 0
    while offset < len(payload):
        offset += 129 if payload[offset] >> 4 else 65
    return offset == len(payload)


def _fills_with_dht(payload: bytes) -> bool:
    offset = 0
    while offset < len(payload):
        offset += 17 + sum(payload[offset + 1 : offset + 17])
    return offset == len(payload)


def _trailer_codes(jpeg: Jpeg) -> list[FindingCode]:
    if not jpeg.trailer:
        return []
    extra = [FindingCode.SEVERAL_PICTURES] if b"\xff\xd8\xff" in jpeg.trailer else []
    return [FindingCode.DATA_AFTER_END, *extra]


def _metadata_codes(data: bytes) -> list[FindingCode]:
    """Check that ExifRead, which shares no code with the renderer, finds no metadata."""
    try:
        return [FindingCode.METADATA_FOUND] if read_exif(data, maker_notes=False) else []
    except ExifBroken:
        return [FindingCode.METADATA_FOUND]  # broken metadata is metadata


def _decode(data: bytes, kind: ImageFormat) -> NDArray[np.uint8] | None:
    """The pixels (height, width, 3), uint8, RGB; None if the file cannot be decoded completely."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(io.BytesIO(data), formats=[kind.value.upper()]) as image:
            if getattr(image, "n_frames", 1) != 1:
                return None
            return np.array(image.convert("RGB"), dtype=np.uint8)
    except Exception:  # noqa: BLE001 - any decoder error must prevent the release
        return None


def _decode_by_opencv(data: bytes) -> NDArray[np.uint8] | None:
    """``_decode`` for a JPEG that ``parse`` has read to its end, in a third of Pillow's time."""
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, dtype=np.uint8)


def _content_codes(pixels: NDArray[np.uint8], expected: Expected) -> list[FindingCode]:
    """Check the size, then compare the pixels."""
    height, width = pixels.shape[:2]
    if (width, height) != expected_size(expected.judged, expected.spec):
        return [FindingCode.WRONG_SIZE]
    same = compare(pixels, expected.judged, expected.spec).is_same
    return [] if same else [FindingCode.WRONG_PIXELS]
