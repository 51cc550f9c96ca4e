"""Which camera took a picture, as far as the file tells.

The school's policy allows no personal cameras or phones, so the answer is compared with the
register of school cameras. Metadata that cannot be read is an unknown camera, never an error.
"""

from __future__ import annotations

from consent_gate.exif import ExifBroken, read_exif

_MAKE = ("Image Make",)
_MODEL = ("Image Model",)
_SERIAL = (
    "EXIF BodySerialNumber",
    "Image CameraSerialNumber",
    "MakerNote SerialNumber",
    "MakerNote InternalSerialNumber",
)
"""EXIF 2.3 has one tag; before it, each maker had its own."""

_MAX_LENGTH = 64
"""Characters kept of each part; EXIF sets no limit and no camera needs more."""


def read_device(data: bytes) -> str | None:
    """``make|model|serial`` of the camera, or None where the file names none of the three.

    Parts are printable, trimmed, without ``|``, at most 64 characters; a missing one is empty.
    Never raises for any content of ``data``.
    """
    try:
        tags = read_exif(data, maker_notes=True)
    except ExifBroken:
        return None
    parts = [_first(tags, names) for names in (_MAKE, _MODEL, _SERIAL)]
    return "|".join(parts) if any(parts) else None


def _first(tags: dict[str, object], names: tuple[str, ...]) -> str:
    """The first tag of ``names`` that says something."""
    for name in names:
        text = _clean(str(tags.get(name, "")))
        if text.strip("0"):
            return text
    return ""


def _clean(text: str) -> str:
    """Printable characters up to the first NUL, white space collapsed."""
    kept = (c if c.isprintable() and c != "|" else " " for c in text.split("\x00", 1)[0])
    return " ".join("".join(kept).split())[:_MAX_LENGTH]
