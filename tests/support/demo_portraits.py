"""The demonstration's portraits as small JPEG files."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from consent_gate.operations import demo

OBAMA, OTHER_OBAMA, COLLINS, HOPPER = (
    "obama_white_house_1",
    "obama_white_house_2",
    "collins_nasa",
    "hopper_us_navy",
)
"""File names without ending. The first two show the same person."""


def portrait_jpeg(name: str, **options: object) -> bytes:
    """Return a portrait of at most 500 pixels. ``options`` are those of Pillow's JPEG writer."""
    folder = Path(demo.__file__).parent / "demo_photos"
    picture = Image.open(folder / f"{name}.jpg").convert("RGB")
    picture.thumbnail((500, 500))
    out = io.BytesIO()
    picture.save(out, "JPEG", **{"quality": 90, **options})
    return out.getvalue()


def exif_taken_in(year: int, month: int = 9, day: int = 4) -> bytes:
    """Return an EXIF block whose only entry is the date of the photo."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = f"{year:04}:{month:02}:{day:02} 10:00:00"
    return exif.tobytes()
