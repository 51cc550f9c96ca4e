"""Render the published picture from the judged pixels. Pure.

The order is: crop, cover, scale down, encode. So no pixel outside the crop or under a cover affects
the result. The encoder receives only an array and one fixed colour profile, so it cannot copy
metadata of the original file. ``publish.verification.verify`` checks this independently.
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
    """Chroma subsampling of JPEG. ``4:4:4`` keeps coloured letters on posters sharp."""

    FULL = "4:4:4"
    HALF = "4:2:0"


class ImageFormat(StrEnum):
    """File formats of published pictures."""

    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"

    @property
    def ending(self) -> str:
        """Suffix of the file name, with the dot."""
        return ".jpg" if self is ImageFormat.JPEG else f".{self.value}"

    @property
    def media_type(self) -> str:
        """IANA media type."""
        return f"image/{self.value}"


AVIF_LESS = 15
"""Difference between the quality numbers of JPEG and AVIF for pictures of similar quality, as
measured by benchmarks/siblings.py."""

AVIF_SPEED = 8
"""Speed on libavif's scale, from 0 (slowest) to 10."""


@dataclass(frozen=True)
class RenditionSpec:
    """How to render a picture."""

    max_side: int = 1600
    """Largest long side in pixels. Smaller pictures are not enlarged."""
    quality: int = 85
    """libjpeg's quality, 1-95. WebP uses the same number, AVIF ``AVIF_LESS`` less."""
    progressive: bool = True
    """Progressive instead of baseline JPEG."""
    chroma: Chroma = Chroma.HALF
    """For JPEG only; WebP and AVIF always use 4:2:0."""
    crop: Box | None = None
    """The part to keep, in pixels of the upright original. None: all of it."""
    redactions: tuple[Redaction, ...] = ()
    """In pixels of the upright original."""
    kind: ImageFormat = ImageFormat.JPEG
    """File format."""


class EmptyCrop(ValueError):
    """The crop lies outside the picture."""


def render(rgb: NDArray[np.uint8], spec: RenditionSpec) -> bytes:
    """Render one file. The same pixels and settings give the same bytes.

    Args:
        rgb: (height, width, 3), uint8, RGB, sRGB, upright.
        spec: How to render it.

    Returns:
        The whole file.

    Raises:
        EmptyCrop: The crop lies outside the picture.
    """
    kept, redactions = apply_crop(rgb, spec)
    image = Image.fromarray(redact(kept, redactions))
    size = scaled_size(image.width, image.height, spec.max_side)
    if size != image.size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    return _encode(image, spec)


def scaled_size(width: int, height: int, max_side: int) -> tuple[int, int]:
    """Width and height in pixels after scaling the long side down to at most ``max_side``."""
    long_side = max(width, height)
    if long_side <= max_side:
        return width, height
    # Integers, halves rounded up: with floats, renderer and verification could differ by a pixel.
    scaled_width = (2 * width * max_side + long_side) // (2 * long_side)
    scaled_height = (2 * height * max_side + long_side) // (2 * long_side)
    return max(1, scaled_width), max(1, scaled_height)


def apply_crop(
    rgb: NDArray[np.uint8], spec: RenditionSpec
) -> tuple[NDArray[np.uint8], tuple[Redaction, ...]]:
    """Crop the pixels and move the redactions into the coordinates of the crop.

    Args:
        rgb: (height, width, 3), uint8, RGB, upright.
        spec: Its ``crop`` and ``redactions`` are used.

    Returns:
        A view of ``rgb``, and the moved redactions.

    Raises:
        EmptyCrop: The crop lies outside the picture.
    """
    if spec.crop is None:
        return rgb, spec.redactions
    height, width = rgb.shape[:2]
    crop = spec.crop
    left, top = max(0, crop.x), max(0, crop.y)
    right, bottom = min(width, crop.x + crop.width), min(height, crop.y + crop.height)
    if right <= left or bottom <= top:
        raise EmptyCrop("The crop lies outside the picture. Crop the picture again.")
    moved = tuple(
        Redaction(_moved(r.box, left, top), _moved(r.covers, left, top), r.colour)
        for r in spec.redactions
    )
    return rgb[top:bottom, left:right], moved


def _moved(box: Box, left: int, top: int) -> Box:
    return Box(box.x - left, box.y - top, box.width, box.height)


def _encode(image: Image.Image, spec: RenditionSpec) -> bytes:
    out = io.BytesIO()
    image.save(out, format=spec.kind.value.upper(), **_options(spec))
    return out.getvalue()


def _options(spec: RenditionSpec) -> dict[str, Any]:
    """Pillow's options for the format. AVIF names sRGB by ``nclx`` instead of an ICC profile."""
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
