"""Draw items with text into pictures: badges, certificates, pegs, trays, boards and jumpers.

An item is drawn flat at ``DETAIL`` times its size, turned in the picture, turned away from the
camera with the perspective of a lens, lit from one side, and saved as JPEG.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ingest.faces.protocols import RGB
from tests.support.lettering import make_background

DETAIL = 2
"""Pixels of the drawn item for each pixel of the picture."""

PRINT = {
    "fit": ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "ComicNeue-Bold"),
    "report": (
        "LiberationSans-Regular",
        "LiberationSans-Bold",
        "LiberationSerif-Regular",
        "LiberationSansNarrow-Bold",
        "Dustismo",
        "ComicNeue-Regular",
    ),
}
HANDWRITING = {
    "fit": ("Breip", "Humor-Sans", "femkeklaver", "BecauseWeBuild-Regular", "Domestic_Manners"),
    "report": (
        "dkg",
        "dkgIt",
        "BecauseWeOrganize-Regular",
        "BecauseWeMentor-Regular",
        "Ecolier-court",
        "KleeOne-Regular",
    ),
}
"""Fonts made from the hands of people, of Debian's packages: benchmarks/README.md names them."""

KINDS = ("badge", "certificate", "peg", "tray", "board", "jumper", "whiteboard")
_PAPER = {
    "badge": ("white", "aliceblue", "lightyellow"),
    "certificate": ("ivory", "oldlace"),
    "peg": ("white", "khaki", "lightgreen"),
    "tray": ("white", "royalblue", "firebrick"),
    "board": ("gold", "palegreen", "lightpink", "white"),
    "jumper": ("navy", "maroon", "darkgreen", "royalblue"),
    "whiteboard": ("whitesmoke",),
}
_DARK = frozenset({"royalblue", "firebrick", "navy", "maroon", "darkgreen"})


@dataclass(frozen=True)
class Item:
    """One item that is drawn into a picture."""

    kind: str
    lines: tuple[str, ...]
    font: Path
    x_height: float
    """Height of an "x" in pixels of the picture."""
    turn: float
    """Degrees in the plane of the picture."""
    yaw: float
    """Degrees by which the item is turned away."""


def lines_of(kind: str, forename: str, surname: str, choice: random.Random) -> tuple[str, ...]:
    """How a pupil's name is written on an item of this kind."""
    whole = f"{forename} {surname}"
    form = choice.randrange(4)
    if kind == "certificate":
        return ("Certificate of merit", "awarded to", whole, "for kindness")
    if kind == "badge":
        return ((whole,), (forename, surname), (whole, "Class 3B"), (whole.upper(),))[form]
    if kind == "board":
        return (("Star of the week", whole), (whole, "Year 4"), (whole,), (whole, "My drawing"))[
            form
        ]
    if kind == "jumper":
        return (whole.upper(),) if form % 2 else (forename.upper(), surname.upper())
    if kind == "whiteboard":
        return ("Today's helpers:", whole) if form % 2 else (whole,)
    return ((whole,), (f"{surname}, {forename}",), (forename, surname), (whole,))[form]


def draw_item(item: Item, choice: random.Random) -> Image.Image:
    """The item alone, flat and upright."""
    font = _font(item.font, DETAIL * item.x_height)
    size = font.size
    text = "\n".join(item.lines)
    probe = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    left, top, right, bottom = probe.multiline_textbbox((0, 0), text, font=font, align="center")
    margin = size * choice.uniform(0.5, 1.2)
    box = (round(right - left + 2 * margin), round(bottom - top + 2 * margin))
    paper = choice.choice(_PAPER[item.kind])
    whole = Image.new("RGB", box, paper)
    draw = ImageDraw.Draw(whole)
    if item.kind == "jumper":
        for row in range(0, box[1], 4):  # the stitches
            draw.line((0, row, box[0], row), fill=(30, 30, 40), width=1)
    elif item.kind != "whiteboard":
        draw.rectangle((2, 2, box[0] - 3, box[1] - 3), outline="dimgray", width=3)
    dark = ("black", "navy", "darkred", "darkgreen")
    ink = choice.choice(("white", "gold")) if paper in _DARK else choice.choice(dark)
    place = (margin - left, margin - top)
    draw.multiline_text(place, text, font=font, fill=ink, align="center")
    return whole


def make_picture(item: Item, seed: int, background: RGB | None = None) -> RGB:
    """A picture of 1600 by 1200 pixels, or of the size of the background, with the item."""
    choice = random.Random(seed)  # noqa: S311  no secret
    drawn = np.asarray(draw_item(item, choice), dtype=np.uint8)
    picture = make_background(seed) if background is None else background
    size = (picture.shape[1], picture.shape[0])
    high, wide = drawn.shape[:2]
    corners = _corners(wide / DETAIL, high / DETAIL, item, size)
    reach = np.abs(corners).max(axis=0) + 4
    room = [max(reach[i] + 1, size[i] - reach[i]) for i in (0, 1)]
    middle = [choice.uniform(reach[i], room[i]) for i in (0, 1)]
    source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, (corners + middle).astype(np.float32))
    light = np.linspace(choice.uniform(0.7, 1), choice.uniform(0.7, 1), wide)[None, :, None]
    lit = np.clip(drawn * light, 0, 255).astype(np.uint8)
    placed = cv2.warpPerspective(lit, matrix, size, flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full((high, wide), 255, np.uint8), matrix, size)
    whole = np.where(mask[:, :, None] > 127, placed, picture).astype(np.float32)
    blurred = cv2.GaussianBlur(whole, (0, 0), choice.uniform(0.4, 0.8))
    noise = np.random.default_rng(seed).normal(0, 3, blurred.shape)
    bgr = np.clip(blurred + noise, 0, 255).astype(np.uint8)[:, :, ::-1]
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 85])
    saved = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))
    return np.asarray(saved[:, :, ::-1], dtype=np.uint8).copy()


def _corners(
    wide: float, high: float, item: Item, size: tuple[int, int]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The corners around the middle of the item, seen by a lens as wide as the picture is."""
    flat = np.array([[-wide, -high], [wide, -high], [wide, high], [-wide, high]]) / 2
    yaw, turn = np.deg2rad(item.yaw), np.deg2rad(item.turn)
    depth = 1 + flat[:, :1] * np.sin(yaw) / max(size)
    seen = np.hstack([flat[:, :1] * np.cos(yaw), flat[:, 1:]]) / depth
    spin = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(seen @ spin, dtype=np.float64)


def _font(file: Path, x_height: float) -> ImageFont.FreeTypeFont:
    """The font at the size at which an "x" is this high, in pixels."""
    probe = ImageFont.truetype(str(file), 200)
    _, top, _, bottom = probe.getbbox("x")
    return ImageFont.truetype(str(file), max(6, round(200 * x_height / (bottom - top))))
