"""Convert the colours of any picture to eight-bit sRGB on a white background.

The face models were trained on sRGB, and published pictures are shown on screens. So a picture's
own colour profile is applied once, here, and then dropped.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms

_SRGB = ImageCms.createProfile("sRGB")

_PROFILE_SPACE = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
"""By Pillow mode, the colour space signature of a matching ICC profile (ICC.1:2022, 7.2.6)."""


class UnsupportedColourSpace(Exception):
    """The pixel format has no agreed conversion to colours; the error's text is for staff."""


def to_srgb(image: Image.Image) -> Image.Image:
    """The picture in mode RGB and sRGB; transparent parts become white.

    A profile that is damaged or does not match the pixels is ignored, as browsers do.

    Raises:
        UnsupportedColourSpace: The mode has no agreed conversion (Lab, floating point, 32-bit
            integers).
    """
    profile = image.info.get("icc_profile")
    flat, alpha = _split(image)
    rgb = _apply_profile(flat, profile) if profile else None
    if rgb is None:
        rgb = flat if flat.mode == "RGB" else flat.convert("RGB")
    if alpha is None:
        return rgb
    white = Image.new("RGB", rgb.size, (255, 255, 255))
    white.paste(rgb, mask=alpha)
    return white


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Opaque pixels in mode L, RGB or CMYK, and the alpha channel, if there is any."""
    if image.mode.startswith("I;16"):
        return _eight_bit_grey(image), None
    if "transparency" in image.info or image.mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        rgba = image.convert("RGBA")
        return rgba.convert("RGB"), rgba.getchannel("A")
    if image.mode in ("L", "RGB", "CMYK"):
        return image, None
    if image.mode in ("1", "P", "RGBX", "YCbCr", "HSV"):
        return image.convert("RGB"), None
    raise UnsupportedColourSpace(
        "This picture uses a scientific or print colour format. Save it as JPEG and copy that in."
    )


def _eight_bit_grey(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to eight bits. Pillow's own conversion clips every value above 255."""
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def _apply_profile(flat: Image.Image, profile: bytes) -> Image.Image | None:
    """The pixels converted to sRGB by the profile, or None where the profile cannot be used."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _PROFILE_SPACE[flat.mode]:
            return None
        return ImageCms.profileToProfile(
            flat,
            source,
            _SRGB,
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None
