"""Turn a file's bytes into the one array of pixels that is judged, shown and published.

What comes out is upright, sRGB, eight bits, without transparency; everything else of the file
stays behind. Whatever is unknown, damaged, cut short, too large or moving is refused with a
sentence for staff: a file half read could hide a face.

``decode`` trusts nothing, but a decoder written in C can still crash or hang: run it in a worker
process under limits. It keeps Pillow's warning filters to itself and is not meant for threads.
"""

from __future__ import annotations

import hashlib
import io
import logging
import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageFile, ImageOps

from consent_gate.errors import GateError
from consent_gate.model import Reason
from ingest.decoding.camera import read_device
from ingest.decoding.colour import UnsupportedColourSpace, to_srgb
from ingest.decoding.completeness import ends_in_padding, is_strictly_complete
from ingest.decoding.formats import Format, UnsupportedFile, sniff
from ingest.decoding.raw import RawDecodeError, develop, raw_size


class DecodeError(GateError):
    """The file cannot be turned into pixels that a verdict could rest on."""

    exit_code: ClassVar[int] = 30
    next_step: ClassVar[str] = "Until it can be examined it is not released."

    reason: Reason
    """``not_examined`` where the file is damaged, ``unsupported_format`` where it is no picture."""
    message: str
    """One plain sentence for staff, without the file's name."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.message = sentence


@dataclass(frozen=True)
class DecodeLimits:
    """How large a picture may be before anybody tries to decode it."""

    max_pixels: int = 80_000_000
    """Width times height. School cameras have 12-24 MP, phones up to 50; 80 MP of RGB is 240 MB."""


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """The pixels that are judged."""

    rgb: NDArray[np.uint8]
    """Shape (height, width, 3), dtype uint8, colour order RGB, sRGB, upright, read-only."""
    pixels_sha256: str
    """``pixels_sha256(rgb)``."""
    format: Format
    """What the content is, whatever the file is called."""
    device: str | None
    """``make|model|serial``; see ``ingest.decoding.camera``."""


_DAMAGED = "The picture is damaged or was not copied completely. Copy it from the camera again."
_EMPTY = "The file is empty. Copy it from the camera again."
_MOVES = (
    "This picture moves: it holds several frames. Save the one you want as JPEG and copy that in."
)
_TOO_MUCH_MEMORY = (
    "The picture needs more memory than the gate may use. Save it smaller and copy that in."
)
_HDR = "This picture is in a high dynamic range that cannot be judged. Set the camera to JPEG."
_PAGES = "This file holds several pages. Save the one you want as JPEG and copy that in."

_RAW = (
    "This camera raw file cannot be developed. Save it as JPEG on a computer, or set the camera "
    "to JPEG."
)

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
    """Decode one picture completely, or raise ``DecodeError``; the same bytes, the same pixels.

    EXIF orientation is applied exactly once. Only the primary picture of a phone's file is
    decoded (gain maps, depth maps, second lenses and films stay behind); files whose frames are
    shown one after the other are refused, unless every frame is the same to the pixel. Whatever is
    published is made from the pixels returned here, so no frame that was not judged can go out.
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
    return DecodedImage(rgb, pixels_sha256(rgb), found, device)


def pixels_sha256(rgb: NDArray[np.uint8]) -> str:
    """SHA-256 over ``height``x``width`` as text and then the pixels, row by row, as RGB bytes."""
    digest = hashlib.sha256(f"{rgb.shape[0]}x{rgb.shape[1]}:".encode())
    digest.update(np.ascontiguousarray(rgb).data)
    return digest.hexdigest()


logging.getLogger("PIL").setLevel(logging.WARNING)
"""At DEBUG it writes every tag's value to the log, names included."""


def _pixels(data: bytes, fmt: Format, limits: DecodeLimits) -> tuple[NDArray[np.uint8], bytes]:
    """The sRGB array and the EXIF block; every failure of a decoder becomes ``DecodeError``.

    The block is there because ExifRead does not find its way through every HEIF and AVIF file.
    """
    # Some libraries set this for the whole process; it makes Pillow fill cut-off pictures in grey.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if fmt is Format.RAW:
                return _develop(data, limits), b""
            image = _open_heif(data, limits) if fmt is Format.HEIF else _open(data, fmt, limits)
            return np.asarray(to_srgb(image), dtype=np.uint8), image.info.get("exif") or b""
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


def _open(data: bytes, fmt: Format, limits: DecodeLimits) -> Image.Image:
    """The picture through the one Pillow plugin its content calls for, loaded and upright."""
    image = Image.open(io.BytesIO(data), formats=[_PILLOW_PLUGIN[fmt]])
    _check_size(image.size, limits)
    # An MPO holds the same scene again, for other screens: the first picture alone is used.
    if fmt is not Format.JPEG and getattr(image, "n_frames", 1) > 1:
        if fmt is Format.TIFF:
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, _PAGES)
        if not _stands_still(image, limits.max_pixels):
            raise DecodeError(Reason.UNSUPPORTED_FORMAT, _MOVES)
    for packet in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(packet, None)  # Pillow would turn by it; browsers and viewers do not
    image.load()
    if fmt is Format.JPEG and ends_in_padding(image):
        raise DecodeError(Reason.NOT_EXAMINED, _DAMAGED)
    ImageOps.exif_transpose(image, in_place=True)  # Pillow has turned TIFF itself while loading
    return image


def _stands_still(image: Image.Image, most_pixels: int) -> bool:
    """Whether every frame of an opened file shows exactly the same; then it is left at the first.

    ``most_pixels``: of all frames together that may be decoded to find out; with more the answer is
    no. Raises what Pillow raises for a damaged frame.
    """
    frames = getattr(image, "n_frames", 1)
    if frames * image.width * image.height > most_pixels:
        return False
    first = np.asarray(image.convert("RGBA"))
    for number in range(1, frames):
        image.seek(number)
        if not np.array_equal(np.asarray(image.convert("RGBA")), first):
            return False
    image.seek(0)
    return True


_HDR_TRANSFERS = frozenset({16, 18})
"""PQ and HLG (ITU-T H.273 table 3): read as sRGB, faces are pale and flat. Cameras can store
``.HIF`` so; phones add a gain map to an ordinary picture instead."""


def _open_heif(data: bytes, limits: DecodeLimits) -> Image.Image:
    """The primary picture of a HEIF file. libheif turns it, so its EXIF orientation is void."""
    primary = pi_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    _check_size(primary.size, limits)
    if primary.info.get("nclx_profile", {}).get("transfer_characteristics") in _HDR_TRANSFERS:
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, _HDR)
    image: Image.Image = primary.to_pillow()
    return image


def _develop(data: bytes, limits: DecodeLimits) -> NDArray[np.uint8]:
    """The picture of a camera raw file. LibRaw turns it and knows its colours."""
    try:
        _check_size(raw_size(data), limits)
        return develop(data)
    except RawDecodeError as error:
        raise DecodeError(Reason.UNSUPPORTED_FORMAT, _RAW) from error


def _check_size(size: tuple[int, int], limits: DecodeLimits) -> None:
    """Refuse by the declared size, before anything is decoded."""
    if size[0] * size[1] > limits.max_pixels:
        raise _too_large(limits)


def _too_large(limits: DecodeLimits) -> DecodeError:
    megapixels = limits.max_pixels // 1_000_000
    return DecodeError(
        Reason.NOT_EXAMINED,
        f"The picture is larger than {megapixels} megapixels. Save it smaller and copy that in.",
    )
