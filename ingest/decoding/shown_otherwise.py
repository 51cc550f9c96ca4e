"""Find in AVIF and PNG what viewers follow and Pillow passes over: high dynamic range and crops.

The decoded pixels would not be what a person sees who opens the file. Such a file is refused.
Sources: AVIF 1.1, ISO 14496-12 (``clap``), Portable Network Graphics third edition (``cICP``).
"""

from __future__ import annotations

import io
import struct

import pi_heif

from ingest.decoding.formats import Format

HDR_TRANSFERS = frozenset({16, 18})
"""PQ and HLG (ITU-T H.273 table 3): faces would be pale if the pixels were read as sRGB. Cameras
use them in ``.HIF`` files; phones add a gain map to an ordinary picture instead."""


def is_hdr(data: bytes, fmt: Format) -> bool:
    """Return whether a PNG or AVIF says that its pixels are HDR.

    Raises:
        Exception: libheif cannot read the AVIF.
    """
    if fmt is Format.PNG:
        return _transfer_of_png(data) in HDR_TRANSFERS
    if fmt is not Format.AVIF:
        return False
    nclx = pi_heif.open_heif(io.BytesIO(data)).info.get("nclx_profile", {})
    return nclx.get("transfer_characteristics") in HDR_TRANSFERS


def is_cropped_by_viewers(data: bytes, fmt: Format, size: tuple[int, int]) -> bool:
    """Return whether viewers show less of an AVIF than was decoded.

    Args:
        data: The whole file.
        fmt: Its format.
        size: Width and height of the decoded picture, upright, in pixels.

    Raises:
        Exception: libheif cannot read the AVIF.
    """
    return fmt is Format.AVIF and pi_heif.open_heif(io.BytesIO(data)).size != size


def _transfer_of_png(data: bytes) -> int:
    """The transfer function of a PNG by its ``cICP`` chunk; 0 where it has none."""
    offset = 8
    while offset + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, offset)
        if kind == b"cICP" and length == 4:
            return data[offset + 9]
        if kind == b"IDAT":
            break
        offset += 12 + length
    return 0
