"""Read from a picture file which camera took it.

The school's policy allows no personal cameras or phones, so the result is compared with the
register of school cameras. Unreadable metadata count as an unknown camera and raise no error.
"""

from __future__ import annotations

from publish.verification.exif import ExifBroken, read_exif

_MAKE = ("Image Make",)
_MODEL = ("Image Model",)
_SERIAL = (
    "EXIF BodySerialNumber",
    "Image CameraSerialNumber",
    "MakerNote SerialNumber",
    "MakerNote InternalSerialNumber",
)
"""EXIF 2.3 has one tag for the serial number; before it, each maker used its own."""

_MAX_LENGTH = 64
"""The most characters kept of each part: EXIF sets no limit, and no camera needs more."""


def read_device(data: bytes) -> str | None:
    """``make|model|serial`` of the camera, or None where the file contains none of the three.

    Each part is printable, trimmed, without ``|`` and at most 64 characters long; a missing part is
    empty. Never raises, whatever ``data`` contains.
    """
    try:
        tags = read_exif(data, maker_notes=True)
    except ExifBroken:
        return None
    parts = [_first_value(tags, names) for names in (_MAKE, _MODEL, _SERIAL)]
    return "|".join(parts) if any(parts) else None


def _first_value(tags: dict[str, object], names: tuple[str, ...]) -> str:
    """The value of the first tag that is neither empty nor all zeros; empty where there is none."""
    for name in names:
        text = _clean(str(tags.get(name, "")))
        if text.strip("0"):
            return text
    return ""


def _clean(text: str) -> str:
    """The printable characters up to the first NUL, with white space collapsed."""
    characters = (c if c.isprintable() and c != "|" else " " for c in text.split("\x00", 1)[0])
    return " ".join("".join(characters).split())[:_MAX_LENGTH]
