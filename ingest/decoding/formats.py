"""Identify a file's format by its content; its name and ending are never used.

The functions are pure. Signatures come from the formats' own specifications (JPEG ITU T.81, PNG
ISO 15948, WebP RFC 9649, TIFF 6.0, HEIF ISO 23008-12, AVIF 1.1, GIF89a, DNG 1.7, ZIP APPNOTE 6.3,
PDF ISO 32000).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    """The picture formats that the gate can decode."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    TIFF = "tiff"
    HEIF = "heif"
    AVIF = "avif"
    GIF = "gif"
    BMP = "bmp"
    RAW = "raw"
    """CR2, CR3, NEF, ARW or DNG; developed by ``ingest.decoding.raw``."""


@dataclass(frozen=True)
class UnsupportedFile:
    """A file that the gate cannot decode, and what staff can do about it."""

    message: str
    """For staff."""


_ARCHIVE = UnsupportedFile(
    "This is a compressed archive, not a picture. Unpack it and copy in the pictures themselves."
)
_OFFICE = UnsupportedFile(
    "This is an Office document, not a picture. Save the pictures in it as JPEG and copy those in."
)
_PDF = UnsupportedFile(
    "This is a PDF, not a picture. Save its pages or pictures as JPEG and copy those in."
)
_VIDEO = UnsupportedFile(
    "This is a film, which the gate cannot examine. It can only be shared by hand."
)
_RAW = UnsupportedFile(
    "This kind of camera raw file cannot be examined. Save it as JPEG on a computer, "
    "or set the camera to JPEG."
)
_RARE_JPEG = UnsupportedFile(
    "This is a rare kind of JPEG, without loss or with more than 8 bits, which cannot be examined. "
    "Save it as an ordinary JPEG and copy that in."
)
_DRAWING = UnsupportedFile(
    "This is a drawing or layout file. Export it as JPEG or PNG and copy that in."
)
_OTHER_PICTURE = UnsupportedFile(
    "This kind of picture cannot be examined. Save it as JPEG and copy that in."
)
_TEXT = UnsupportedFile("This is a text file or web page, not a picture. Remove it.")
_UNKNOWN = UnsupportedFile("This is not a picture that can be read. Check the file or remove it.")

_PICTURES: tuple[tuple[bytes, Format], ...] = (
    (b"\xff\xd8\xff", Format.JPEG),
    (b"\x89PNG\r\n\x1a\n", Format.PNG),
    (b"GIF87a", Format.GIF),
    (b"GIF89a", Format.GIF),
)

_REFUSED: tuple[tuple[bytes, UnsupportedFile], ...] = (
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"Rar!\x1a\x07", _ARCHIVE),
    (b"\x1f\x8b", _ARCHIVE),
    (b"%PDF-", _PDF),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OFFICE),
    (b"{\\rtf", _OFFICE),
    (b"FUJIFILMCCD-RAW", _RAW),
    (b"IIRO", _RAW),
    (b"IIRS", _RAW),
    (b"MMOR", _RAW),
    (b"IIU\x00", _RAW),
    (b"FOVb", _RAW),
    (b"\x00MRM", _RAW),
    (b"8BPS", _DRAWING),
    (b"%!PS", _DRAWING),
    (b"\xc5\xd0\xd3\xc6", _DRAWING),
    (b"\x00\x00\x00\x0cjP  ", _OTHER_PICTURE),
    (b"\xff\x4f\xff\x51", _OTHER_PICTURE),
    (b"\x00\x00\x00\x0cJXL ", _OTHER_PICTURE),
    (b"\xff\x0a", _OTHER_PICTURE),
    (b"\x00\x00\x01\x00", _OTHER_PICTURE),
    (b"\x1aE\xdf\xa3", _VIDEO),
    (b"\x00\x00\x01\xba", _VIDEO),
    (b"\x00\x00\x01\xb3", _VIDEO),
)

_HEIF_STILL = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"mif2"})
_HEIF_SEQUENCE = frozenset({b"hevc", b"hevx", b"hevm", b"hevs", b"msf1", b"avis"})
_ANIMATED = UnsupportedFile(
    "This is an animated picture. Save the frame you want as JPEG and copy that in."
)


def sniff(data: bytes) -> Format | UnsupportedFile:
    """The format of the file with the content ``data``, or why it is not supported. Never
    raises."""
    for signature, fmt in _PICTURES:
        if data.startswith(signature):
            return _RARE_JPEG if fmt is Format.JPEG and _is_rare_jpeg(data) else fmt
    if data[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return _sniff_tiff(data)
    if data[:4] == b"RIFF":
        return Format.WEBP if data[8:12] == b"WEBP" else _VIDEO
    if data[:2] == b"BM" and _is_bmp(data):
        return Format.BMP
    if data[4:8] == b"ftyp":
        return _sniff_iso_media(data)
    if data[:2] == b"PK":
        return _sniff_zip(data)
    for signature, unsupported in _REFUSED:
        if data.startswith(signature):
            return unsupported
    return _TEXT if _looks_like_text(data) else _UNKNOWN


_ORDINARY_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
_OTHER_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - _ORDINARY_FRAMES - {0xC4, 0xC8, 0xCC}
"""Frame markers that no viewer shows, and which decoders take for other colours: lossless,
hierarchical and JPEG-LS (T.81 table B.1, T.87)."""


def _is_rare_jpeg(data: bytes) -> bool:
    """Whether the first frame header is of a rare kind or has samples of more than eight bits."""
    offset = 2
    while offset + 4 < len(data) and data[offset] == 0xFF:
        marker = data[offset + 1]
        if marker in _OTHER_FRAMES:
            return True
        if marker in _ORDINARY_FRAMES:
            return data[offset + 4] != 8
        is_fill = marker == 0xFF
        offset += 1 if is_fill else 2 + max(2, int.from_bytes(data[offset + 2 : offset + 4], "big"))
    return False


def _is_bmp(data: bytes) -> bool:
    """Whether the second header has a known size, because the two letters alone prove little."""
    return len(data) >= 18 and struct.unpack_from("<I", data, 14)[0] in {
        12,
        40,
        52,
        56,
        64,
        108,
        124,
    }


def _sniff_iso_media(data: bytes) -> Format | UnsupportedFile:
    """Distinguish HEIF, AVIF, Canon CR3 and films by their ``ftyp`` box (ISO 14496-12)."""
    size = min(max(struct.unpack_from(">I", data)[0], 16), 256, len(data))
    major = data[8:12]
    compatible = {data[i : i + 4] for i in range(16, size - 3, 4)}
    if major == b"crx ":
        return Format.RAW
    if major in _HEIF_SEQUENCE:
        return _ANIMATED
    if major == b"avif" or (major in {b"mif1", b"miaf"} and b"avif" in compatible):
        return Format.AVIF
    if major in _HEIF_STILL:
        return Format.HEIF
    return _VIDEO


def _sniff_zip(data: bytes) -> UnsupportedFile:
    """Distinguish Office files from other ZIP archives by the names of their first entries."""
    head = data[:4096]
    names = (b"[Content_Types].xml", b"word/", b"xl/", b"ppt/", b"mimetypeapplication/vnd.oasis")
    return _OFFICE if any(name in head for name in names) else _ARCHIVE


def _sniff_tiff(data: bytes) -> Format | UnsupportedFile:
    """Distinguish camera raw files from other TIFF files.

    CR2, NEF, ARW and DNG are TIFF files whose first picture is a thumbnail or a mosaic. If they
    were opened as TIFF, only the thumbnail would be judged and published.
    """
    if data[2:3] == b"+" or data[3:4] == b"+":
        return _OTHER_PICTURE
    if data[8:10] == b"CR":
        return Format.RAW
    tags = _first_tiff_directory(data)
    is_reduced = bool(tags.get(254, 0) & 1)
    is_mosaic = tags.get(262) in (32803, 34892)
    is_raw = 50706 in tags or is_mosaic or (is_reduced and 330 in tags)
    return Format.RAW if is_raw else Format.TIFF


def _first_tiff_directory(data: bytes) -> dict[int, int]:
    """By tag, the first value (or its offset) of the first directory, as far as it is undamaged."""
    order = "<" if data[:2] == b"II" else ">"
    tags: dict[int, int] = {}
    try:
        (start,) = struct.unpack_from(order + "I", data, 4)
        (count,) = struct.unpack_from(order + "H", data, start)
        for i in range(count):
            offset = start + 2 + 12 * i
            tag, kind = struct.unpack_from(order + "HH", data, offset)
            value = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, offset + 8)[0]
            tags.setdefault(tag, value)
    except struct.error:
        return tags
    return tags


def _looks_like_text(data: bytes) -> bool:
    """Whether the first kilobyte contains no control characters except white space."""
    head = data[:1024]
    return bool(head) and all(byte >= 32 or byte in (9, 10, 13) for byte in head)
