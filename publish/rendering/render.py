"""Make the picture that is published from the pixels that were judged. Pure.

Crop, cover, scale down, encode: in this order, so that nothing outside the crop or under a cover
can bleed into what is kept. The encoder is given a fresh array and one fixed profile, so there is
nothing of the original file for it to carry over; ``publish.verification.verify`` checks that
independently.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from consent_gate.model import Box
from publish.rendering.redact import Redaction, redact
from publish.rendering.srgb import SRGB_PROFILE


class Chroma(StrEnum):
    """How finely JPEG keeps colour; ``4:4:4`` keeps coloured lettering on posters sharp."""

    FULL = "4:4:4"
    HALF = "4:2:0"


class ImageFormat(StrEnum):
    """File formats of published pictures."""

    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"

    @property
    def ending(self) -> str:
        """Of the file's name."""
        return ".jpg" if self is ImageFormat.JPEG else f".{self.value}"

    @property
    def media_type(self) -> str:
        """As the feed and the manifest say it (IANA)."""
        return f"image/{self.value}"


AVIF_LESS = 15
"""How much lower AVIF's quality number is set than JPEG's; sizes and likeness as measured by
benchmarks/siblings.py."""

AVIF_SPEED = 8
"""libavif's scale, 0 slowest to 10."""


@dataclass(frozen=True)
class RenditionSpec:
    """How a picture is to look in one channel."""

    max_side: int = 1600
    """Long side in pixels; smaller pictures stay as they are."""
    quality: int = 85
    """JPEG quality as libjpeg counts it, 1-95; WebP takes it as it is, AVIF less ``AVIF_LESS``."""
    progressive: bool = True
    chroma: Chroma = Chroma.HALF
    """For JPEG; WebP and AVIF always halve colour."""
    crop: Box | None = None
    """What is kept, in pixels of the upright original; None keeps all."""
    redactions: tuple[Redaction, ...] = ()
    kind: ImageFormat = ImageFormat.JPEG


class EmptyCrop(ValueError):
    """The crop lies outside the picture."""


def render(rgb: NDArray[np.uint8], spec: RenditionSpec) -> bytes:
    """The published picture of ``rgb`` (height, width, 3; uint8; RGB; sRGB; upright).

    The same pixels and settings give the same bytes. Raises ``EmptyCrop`` for a crop that
    keeps no pixel.
    """
    kept, redactions = apply_crop(rgb, spec)
    image = Image.fromarray(redact(kept, redactions))
    size = scaled_size(image.width, image.height, spec.max_side)
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    return _encode(image, spec)


def scaled_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Width and height after scaling the long side down to ``max_side``; never larger."""
    long_side = max(width, height)
    if long_side <= max_side:
        return width, height
    # Whole numbers, halves up: in floating point, writer and checker could differ by a pixel.
    scaled_width = (2 * width * max_side + long_side) // (2 * long_side)
    scaled_height = (2 * height * max_side + long_side) // (2 * long_side)
    return max(1, scaled_width), max(1, scaled_height)


def apply_crop(
    rgb: NDArray[np.uint8], spec: RenditionSpec
) -> tuple[NDArray[np.uint8], tuple[Redaction, ...]]:
    """What the crop keeps, and the redactions in its coordinates."""
    if spec.crop is None:
        return rgb, spec.redactions
    height, width = rgb.shape[:2]
    crop = spec.crop
    left, top = max(0, crop.x), max(0, crop.y)
    right, bottom = min(width, crop.x + crop.width), min(height, crop.y + crop.height)
    if right <= left or bottom <= top:
        raise EmptyCrop("The crop keeps nothing of the picture.")
    moved = tuple(
        Redaction(Box(r.box.x - left, r.box.y - top, r.box.width, r.box.height), r.style)
        for r in spec.redactions
    )
    return rgb[top:bottom, left:right], moved


def _encode(image: Image.Image, spec: RenditionSpec) -> bytes:
    out = io.BytesIO()
    image.save(out, format=spec.kind.value.upper(), **_options(spec))
    return out.getvalue()


def _options(spec: RenditionSpec) -> dict[str, Any]:
    """Pillow's options for the format. AVIF is said to be sRGB by number instead of a profile."""
    match spec.kind:
        case ImageFormat.JPEG:
            return {
                "quality": spec.quality,
                "progressive": spec.progressive,
                "subsampling": spec.chroma.value,
                "optimize": True,
                "icc_profile": SRGB_PROFILE,
            }
        case ImageFormat.WEBP:
            return {"quality": spec.quality, "method": 4, "icc_profile": SRGB_PROFILE}
        case ImageFormat.AVIF:
            quality = max(1, spec.quality - AVIF_LESS)
            return {"quality": quality, "speed": AVIF_SPEED, "codec": "aom", "max_threads": 1}
