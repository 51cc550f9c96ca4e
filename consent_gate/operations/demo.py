"""Create the made-up school of ``make demo``, with public-domain photos.

Four adults stand in for people at a school event (``demo_photos/CREDITS.md``): a pupil cleared for
everything, a pupil who may not be on the website, a pupil without consent for face matching, and a
visitor. The real import and the real gate process the files.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from PIL import Image, ImageOps

CLEARED = ("obama_white_house_2", "obama_white_house_3")
REFUSED = "collins_nasa"
NOT_ENROLLED = "hopper_us_navy"
VISITOR = "biden_white_house"

EXPORT = """\
Adno,UPN,Legal Forename,Legal Surname,Reg Group,Year taught in,Photograph - Website,\
Photograph - Millfields Mag,Photograph - Displays,Biometric Consent,Never Publish
000101,A823432117001,Robin,Ashdown,3W,Year  3,T,T,T,T,
000102,A823432117002,Kit,Marlowe,5B,Year  5,F,T,T,T,F
000103,A823432117003,Jo,Fenwick,6O,Year  6,T,T,T,,
"""
"""The SIMS export. The third pupil may be shown anywhere, but has no consent for face matching, so
a person has to tag the face. The UPNs are made up, with wrong check letters: the import warns."""

PORTRAITS = {
    "000101.jpg": "obama_white_house_1",
    "000102.jpg": REFUSED,
    "000103.jpg": NOT_ENROLLED,
}

SETTINGS = (
    ('name = "Our school"', 'name = "Millfields Community School (made up)"'),
    ("settle_seconds = 5 ", "settle_seconds = 0.2 "),
)

NAME_IN_COMMENT = b"Robin Ashdown, 3W, sports day"
ORIENTATION, GPS_TAG, ARTIST, TURN_RIGHT = 0x0112, 0x8825, 0x013B, 6


@dataclass(frozen=True)
class EventPhoto:
    """One file of the demonstration's inbox."""

    name: str
    data: bytes


def portraits() -> dict[str, bytes]:
    """Enrolment photos as JPEG, by file name."""
    return {name: _bytes(stem) for name, stem in PORTRAITS.items()}


def event_photos() -> list[EventPhoto]:
    """The files of the inbox: single people, groups, a phone picture, metadata, and other files."""
    first, second = (_open(stem) for stem in CLEARED)
    refused, not_enrolled, visitor = (_open(s) for s in (REFUSED, NOT_ENROLLED, VISITOR))
    return [
        EventPhoto("sports-day/01 winner.jpg", _jpeg(first)),
        EventPhoto("sports-day/02 from a phone.jpg", _sideways(second)),
        EventPhoto("sports-day/03 with place and name.jpg", _with_place_and_name(second)),
        EventPhoto("sports-day/04 judge.jpg", _jpeg(refused)),
        EventPhoto("sports-day/05 two together.jpg", _jpeg(_group(_alone(first), refused))),
        EventPhoto("sports-day/06 relay team.jpg", _jpeg(_group(first, not_enrolled))),
        EventPhoto("sports-day/07 guest of honour.jpg", _jpeg(_group(second, visitor))),
        EventPhoto("sports-day/08 the cup.jpg", _jpeg(_no_face())),
        EventPhoto("sports-day/09 half copied.jpg", _jpeg(first)[:20_000]),
        EventPhoto("sports-day/10 programme.pdf", b"%PDF-1.7\n%made up\n"),
    ]


def write_school(root: Path) -> tuple[Path, Path]:
    """Write the export and the portraits below ``root``. Returns their two paths."""
    export, folder = root / "sims-export.csv", root / "portraits"
    export.write_text(EXPORT, encoding="utf-8-sig")
    folder.mkdir(exist_ok=True)
    for name, data in portraits().items():
        (folder / name).write_bytes(data)
    return export, folder


def write_event(inbox: Path) -> None:
    """Write the event's photos into the inbox."""
    for photo in event_photos():
        path = inbox / photo.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo.data)


def _bytes(stem: str) -> bytes:
    return (
        resources.files("consent_gate.operations").joinpath(f"demo_photos/{stem}.jpg").read_bytes()
    )


def _open(stem: str) -> Image.Image:
    return Image.open(io.BytesIO(_bytes(stem))).convert("RGB")


def _jpeg(image: Image.Image, **extras: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, **extras)
    return out.getvalue()


def _sideways(image: Image.Image) -> bytes:
    """A picture as a phone stores it: rotated pixels, and the orientation in the EXIF data."""
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_RIGHT
    return _jpeg(image.transpose(Image.Transpose.ROTATE_90), exif=exif)


def _with_place_and_name(image: Image.Image) -> bytes:
    """A picture with a GPS position, an artist and a comment that names the child."""
    exif = Image.Exif()
    exif[ARTIST] = "A. Teacher"
    exif[GPS_TAG] = {1: "N", 2: (53.0, 22.0, 48.0), 3: "W", 4: (1.0, 28.0, 12.0)}
    return _jpeg(image, exif=exif, comment=NAME_IN_COMMENT)


def _alone(picture: Image.Image) -> Image.Image:
    """The picture without its right edge, where a part of another person shows."""
    return picture.crop((0, 0, round(0.84 * picture.width), picture.height))


def _group(*people: Image.Image) -> Image.Image:
    """People side by side on a green background."""
    height = 900
    fitted = [ImageOps.contain(person, (1200, height)) for person in people]
    width = sum(person.width for person in fitted) + 60 * (len(fitted) + 1)
    scene = Image.new("RGB", (width, height + 300), (106, 142, 74))
    left = 60
    for person in fitted:
        scene.paste(person, (left, scene.height - person.height))
        left += person.width + 60
    return scene


def _no_face() -> Image.Image:
    """A gradient from blue to green."""
    scene = Image.linear_gradient("L").resize((1600, 1200))
    return ImageOps.colorize(scene, (120, 170, 220), (90, 140, 60))
