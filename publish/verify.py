"""Prove that a picture about to be published holds the judged picture and nothing else.

Independent of the writer: own parser, an allow-list, ExifRead, a complete decode and a comparison
with the judged pixels made by OpenCV where the writer used Pillow. The list is section "A
published picture" of the design: SOI, APP0 (JFIF), our sRGB APP2, DQT, SOF, DHT, DRI, SOS, EOI
and nothing after it. Any finding means that the picture is not released.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from consent_gate.exif import ExifBroken, read_exif
from publish.compare import expected_size, likeness
from publish.jpeg_segments import (
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
from publish.render import RenditionSpec
from publish.srgb import SRGB_PROFILE


class Code(StrEnum):
    """What can be wrong with a picture; stable identifiers."""

    NOT_JPEG = "not_jpeg"
    MALFORMED = "malformed"
    MARKER_NOT_ALLOWED = "marker_not_allowed"
    COMMENT = "comment"
    JFIF_NOT_PLAIN = "jfif_not_plain"
    PROFILE_NOT_OURS = "profile_not_ours"
    FRAME_NOT_OURS = "frame_not_ours"
    TABLE_NOT_PLAIN = "table_not_plain"
    SEVERAL_PICTURES = "several_pictures"
    DATA_AFTER_END = "data_after_end"
    METADATA_FOUND = "metadata_found"
    DOES_NOT_DECODE = "does_not_decode"
    WRONG_SIZE = "wrong_size"
    WRONG_PIXELS = "wrong_pixels"


_SENTENCES = {
    Code.NOT_JPEG: "This is not a JPEG picture.",
    Code.MALFORMED: "The JPEG is damaged or incomplete.",
    Code.MARKER_NOT_ALLOWED: "The picture carries data that a published picture must not carry.",
    Code.COMMENT: "The picture carries a written comment.",
    Code.JFIF_NOT_PLAIN: "The picture's header carries a thumbnail or extra data.",
    Code.PROFILE_NOT_OURS: "The picture does not carry exactly our own colour profile.",
    Code.FRAME_NOT_OURS: "The picture is not in three colours of eight bits.",
    Code.TABLE_NOT_PLAIN: "The picture's coding tables hold extra data.",
    Code.SEVERAL_PICTURES: "The file holds more than one picture.",
    Code.DATA_AFTER_END: "There is data hidden behind the end of the picture.",
    Code.METADATA_FOUND: "The picture still carries camera details, place or names.",
    Code.DOES_NOT_DECODE: "The picture cannot be opened completely.",
    Code.WRONG_SIZE: "The picture does not have the size that was asked for.",
    Code.WRONG_PIXELS: "The picture does not show what was judged.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    code: Code
    sentence: str
    """For staff; never quotes the file's content."""


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


def verify(data: bytes, expected: Expected | None = None) -> list[Finding]:
    """Everything that is wrong with ``data``; empty means that it may leave.

    Without ``expected`` only what the file carries is checked, not what it shows. Never raises
    for any content of ``data``.
    """
    if not data.startswith(b"\xff\xd8\xff"):
        return _findings([Code.NOT_JPEG])
    try:
        jpeg = parse(data)
    except MalformedJpeg:
        return _findings([Code.MALFORMED, *_metadata(data)])
    codes = [*_segments(jpeg), *_tables(jpeg), *_trailer(jpeg), *_metadata(data)]
    pixels = _decode(data)
    if pixels is None:
        codes.append(Code.DOES_NOT_DECODE)
    elif expected is not None:
        codes += _content(pixels, expected)
    return _findings(codes)


def _findings(codes: list[Code]) -> list[Finding]:
    """Each code once, in order."""
    return [Finding(code, _SENTENCES[code]) for code in dict.fromkeys(codes)]


def _segments(jpeg: Jpeg) -> list[Code]:
    """Only what is on the list, each once where once is enough."""
    codes: list[Code] = []
    markers = [s.marker for s in jpeg.segments]
    if COM in markers:
        codes.append(Code.COMMENT)
    if set(markers) - _ALLOWED - {COM}:
        codes.append(Code.MARKER_NOT_ALLOWED)
    jfif = jpeg.named(APP0)
    if len(jfif) != 1 or markers[1] != APP0 or not _is_plain_jfif(jfif[0].payload):
        codes.append(Code.JFIF_NOT_PLAIN)
    if [s.payload for s in jpeg.named(APP2)] != [_ICC_HEAD + SRGB_PROFILE]:
        codes.append(Code.PROFILE_NOT_OURS)
    frames = jpeg.named(SOF0) + jpeg.named(SOF2)
    if len(frames) != 1:
        codes.append(Code.SEVERAL_PICTURES)
    if not all(_is_plain_frame(s.payload) for s in frames):
        codes.append(Code.FRAME_NOT_OURS)
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


def _tables(jpeg: Jpeg) -> list[Code]:
    """Tables fill their segments to the byte, so nothing rides along in them."""
    plain = (
        all(_fills_with_dqt(s.payload) for s in jpeg.named(DQT))
        and all(_fills_with_dht(s.payload) for s in jpeg.named(DHT))
        and all(len(s.payload) == 2 for s in jpeg.named(DRI))
        and all(s.payload and len(s.payload) == 4 + 2 * s.payload[0] for s in jpeg.named(SOS))
    )
    return [] if plain else [Code.TABLE_NOT_PLAIN]


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


def _trailer(jpeg: Jpeg) -> list[Code]:
    if not jpeg.trailer:
        return []
    extra = [Code.SEVERAL_PICTURES] if b"\xff\xd8\xff" in jpeg.trailer else []
    return [Code.DATA_AFTER_END, *extra]


def _metadata(data: bytes) -> list[Code]:
    """ExifRead, a reader that shares no code with the writer, finds nothing."""
    try:
        return [Code.METADATA_FOUND] if read_exif(data, maker_notes=False) else []
    except ExifBroken:
        return [Code.METADATA_FOUND]  # what breaks a reader is there to be read


def _decode(data: bytes) -> NDArray[np.uint8] | None:
    """All pixels as RGB, or None."""
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            return np.array(image.convert("RGB"), dtype=np.uint8)
    except Exception:  # noqa: BLE001 - whatever stops a decoder stops the release
        return None


def _content(pixels: NDArray[np.uint8], expected: Expected) -> list[Code]:
    """Size first: pictures of different sizes are not compared."""
    height, width = pixels.shape[:2]
    if (width, height) != expected_size(expected.judged, expected.spec):
        return [Code.WRONG_SIZE]
    same = likeness(pixels, expected.judged, expected.spec).same
    return [] if same else [Code.WRONG_PIXELS]
