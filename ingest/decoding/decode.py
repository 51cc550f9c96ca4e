"""Decode a file into the one array of pixels that is judged, shown to staff and published.

The pixels are upright, sRGB, eight bits per channel and without transparency; nothing else of the
file is kept. Files that are unknown, damaged, truncated, too large or animated are refused with a
message for staff, because a partly read file could hide a face.

A decoder written in C can still crash or hang, so call ``decode`` in a worker process with limits.
It changes Pillow's warning filters while it runs and is not thread-safe.
"""

from __future__ import annotations

import hashlib
import io
import logging
import warnings
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from consent_gate.errors import GateError
from consent_gate.model import Reason
from ingest.decoding.camera import read_device
from ingest.decoding.colour import UnsupportedColourSpace, to_srgb
from ingest.decoding.completeness import (
    ends_in_padding,
    has_undecoded_part,
    is_strictly_complete,
)
from ingest.decoding.formats import Format, UnsupportedFile, sniff
from ingest.decoding.live_photo import identifier_of_picture
from ingest.decoding.raw import RawDecodeError, develop, raw_size
from ingest.decoding.shown_otherwise import HDR_TRANSFERS, is_cropped_by_viewers, is_hdr


class DecodeError(GateError):
    """The file cannot be decoded into pixels that can be judged."""

    exit_code: ClassVar[int] = 30
    next_step: ClassVar[str] = "The gate does not release it until it can be examined."

    reason: Reason
    """``not_examined`` where the file is damaged, ``unsupported_format`` where it is not
    supported."""
    message: str
    """A sentence for staff, without the file's name."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass(frozen=True)
class DecodeLimits:
    """The largest picture that is decoded."""

    max_pixels: int = 80_000_000
    """Width times height. School cameras have 12-24 MP, phones up to 50; 80 MP of RGB is 240 MB."""


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """The decoded picture."""

    rgb: NDArray[np.uint8]
    """Shape (height, width, 3), dtype uint8, colour order RGB, sRGB, upright, read-only."""
    pixels_sha256: str
    """``pixels_sha256(rgb)``."""
    format: Format
    """By the content, not by the file's name."""
    device: str | None
    """``make|model|serial`` of the camera; see ``ingest.decoding.camera.read_device``."""
    live_photo: str = ""
    """``ingest.decoding.live_photo.identifier_of_picture``."""


_DAMAGED = "The picture is damaged or was not copied completely. Copy it from the camera again."
_EMPTY = "The file is empty. Copy it from the camera again."
_ANIMATED = "This is an animated picture. Save the frame you want as JPEG and copy that in."
_TOO_MUCH_MEMORY = (
    "The picture needs more memory than the gate may use. "
    "Save it in a smaller size and copy that in."
)
_HDR = "This high dynamic range (HDR) picture cannot be examined. Set the camera to JPEG."
_CROPPED = (
    "Programs show only a part of this picture, but the file has all of it. "
    "Save it as JPEG and copy that in."
)
_MULTIPLE_PAGES = "This file has several pages. Save the page you want as JPEG and copy that in."

_CANNOT_DEVELOP = (
    "This camera raw file cannot be developed. Save it as JPEG on a computer, or set the camera "
    "to JPEG."
)

_STRIP = 64
"""Rows copied at once from Pillow's picture, so that they stay in the processor's cache."""

_PILLOW_PLUGIN = {
    Format.JPEG: "JPEG",
    Format.PNG: "PNG",
    Format.WEBP: "WEBP",
    Format.TIFF: "TIFF",
    Format.AVIF: "AVIF",
    Format.GIF: "GIF",
    Format.BMP: "BMP",
}


def decode(data: bytes, limits: DecodeLimits) -> DecodedImage:
    """Decode one picture completely. The same bytes always give the same pixels.

    EXIF orientation is applied exactly once. Of a phone's file only the primary picture is decoded;
    gain maps, depth maps, pictures of second lenses and films are dropped. An animated file is
    refused unless all its frames are equal. Publications are rendered from the pixels returned
    here, so a frame that was not judged cannot be published.

    Args:
        data: The whole file.
        limits: The largest picture to decode.

    Raises:
        DecodeError: The file cannot be decoded completely.
    """
    if not data:
        raise DecodeError(Reason.NOT_EXAMINED, _EMPTY)
    found = sniff(data)
    if isinstance(found, UnsupportedFile):
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, found.message)
    if not is_strictly_complete(data, found):
        raise DecodeError(Reason.NOT_EXAMINED, _DAMAGED)
    rgb, exif = _pixels(data, found, limits)
    rgb.setflags(write=False)
    device = read_device(data) or read_device(exif.removeprefix(b"Exif\x00\x00"))
    return DecodedImage(rgb, pixels_sha256(rgb), found, device, identifier_of_picture(data))


def pixels_sha256(rgb: NDArray[np.uint8]) -> str:
    """SHA-256, in hexadecimal, of the text ``HEIGHTxWIDTH:`` and the RGB bytes row by row.

    ``rgb`` has shape (height, width, 3), dtype uint8.
    """
    digest = hashlib.sha256(f"{rgb.shape[0]}x{rgb.shape[1]}:".encode())
    digest.update(np.ascontiguousarray(rgb).data)
    return digest.hexdigest()


logging.getLogger("PIL").setLevel(logging.WARNING)
"""At DEBUG level Pillow logs the value of every tag, which may contain names."""


def _pixels(data: bytes, fmt: Format, limits: DecodeLimits) -> tuple[NDArray[np.uint8], bytes]:
    """The sRGB array and the EXIF block; every failure of a decoder becomes ``DecodeError``.

    The EXIF block is returned because ExifRead cannot find it in every HEIF and AVIF file.
    """
    # Some libraries set this for the whole process; Pillow then fills truncated pictures with grey.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if fmt is Format.RAW:
                return _develop(data, limits), b""
            image = _open_heif(data, limits) if fmt is Format.HEIF else _open(data, fmt, limits)
            return _as_array(to_srgb(image)), image.info.get("exif") or b""
    except DecodeError:
        raise
    except UnsupportedColourSpace as error:
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, str(error)) from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_large(limits) from error
    except MemoryError as error:
        raise DecodeError(Reason.NOT_EXAMINED, _TOO_MUCH_MEMORY) from error
    except Exception as error:  # decoders raise anything at all on hostile input
        raise DecodeError(Reason.NOT_EXAMINED, _DAMAGED) from error


def _as_array(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a picture in mode RGB.

    By strips it takes a third of the time of ``np.asarray``, which packs the whole picture twice.
    """
    rgb = np.empty((image.height, image.width, 3), np.uint8)
    for top in range(0, image.height, _STRIP):
        strip = image.crop((0, top, image.width, min(top + _STRIP, image.height)))
        packed = np.frombuffer(strip.tobytes("raw", "RGBX"), np.uint8)
        four = packed.reshape(strip.height, strip.width, 4)
        cv2.cvtColor(four, cv2.COLOR_RGBA2RGB, dst=rgb[top : top + _STRIP])
    return rgb


def _open(data: bytes, fmt: Format, limits: DecodeLimits) -> Image.Image:
    """The picture, loaded and upright, decoded by the one Pillow plugin of its format."""
    image = Image.open(io.BytesIO(data), formats=[_PILLOW_PLUGIN[fmt]])
    _check_size(image.size, limits)
    # The further pictures of an MPO file show the same scene for other screens and are not used.
    if fmt is not Format.JPEG and getattr(image, "n_frames", 1) > 1:
        if fmt is Format.TIFF:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, _MULTIPLE_PAGES)
        if not _all_frames_equal(image, limits.max_pixels):
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, _ANIMATED)
    if is_hdr(data, fmt):
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, _HDR)
    for packet in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(packet, None)  # Pillow would rotate by XMP; browsers and viewers do not
    image.load()
    if fmt is Format.JPEG and ends_in_padding(image):
        raise DecodeError(Reason.NOT_EXAMINED, _DAMAGED)
    ImageOps.exif_transpose(image, in_place=True)  # Pillow has already rotated a TIFF while loading
    if is_cropped_by_viewers(data, fmt, image.size):
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, _CROPPED)
    return image


def _all_frames_equal(image: Image.Image, max_pixels: int) -> bool:
    """Whether all frames are equal; if they are, the image is back at its first frame.

    ``max_pixels`` limits the pixels of all frames together; False where there are more. Raises
    what Pillow raises for a damaged frame.
    """
    frames = getattr(image, "n_frames", 1)
    if frames * image.width * image.height > max_pixels:
        return False
    first = np.asarray(image.convert("RGBA"))
    for number in range(1, frames):
        image.seek(number)
        if not np.array_equal(np.asarray(image.convert("RGBA")), first):
            return False
    image.seek(0)
    return True


def _open_heif(data: bytes, limits: DecodeLimits) -> Image.Image:
    """The primary picture of a HEIF file. libheif has rotated it, so EXIF orientation is
    ignored."""
    primary = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    _check_size(primary.size, limits)
    if primary.info.get("nclx_profile", {}).get("transfer_characteristics") in HDR_TRANSFERS:
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, _HDR)
    image: Image.Image = primary.to_pillow()
    if has_undecoded_part(image):
        raise DecodeError(Reason.NOT_EXAMINED, _DAMAGED)
    return image


def _develop(data: bytes, limits: DecodeLimits) -> NDArray[np.uint8]:
    """The picture of a camera raw file. LibRaw rotates it and converts its colours."""
    try:
        _check_size(raw_size(data), limits)
        return develop(data)
    except RawDecodeError as error:
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, _CANNOT_DEVELOP) from error


def _check_size(size: tuple[int, int], limits: DecodeLimits) -> None:
    """Refuse a picture by its declared size (width, height), before anything is decoded."""
    if size[0] * size[1] > limits.max_pixels:
        raise _too_large(limits)


def _too_large(limits: DecodeLimits) -> DecodeError:
    megapixels = limits.max_pixels // 1_000_000
    return DecodeError(
        Reason.NOT_EXAMINED,
        f"The picture is larger than {megapixels} megapixels. "
        "Save it in a smaller size and copy that in.",
    )
