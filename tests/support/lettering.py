"""Pictures of soft shapes with lettering on a card, at any size and turn."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ingest.faces.protocols import RGB

FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSans-Oblique")
X_HEIGHT = 0.547
"""Height of an "x" in DejaVu, in font sizes."""

DETAIL = 2
"""Pixels of a card for each pixel of the picture."""


@dataclass(frozen=True)
class Card:
    """One card that hangs somewhere in a picture."""

    lines: tuple[str, ...]
    x_height: float = 16
    """Height of an "x" in pixels of the picture."""
    turn: float = 0
    """Degrees clockwise in the plane of the picture."""
    yaw: float = 0
    """Degrees by which the card is turned away."""


def make_background(seed: int, width: int = 1600, height: int = 1200) -> RGB:
    """Soft shapes and noise: shape (height, width, 3)."""
    rng = np.random.default_rng(seed)
    shapes = rng.integers(0, 255, (12, 16, 3)).astype(np.uint8)
    picture = cv2.resize(shapes, (width, height), interpolation=cv2.INTER_CUBIC)
    noisy = picture + rng.normal(0, 6, picture.shape)
    return np.asarray(np.clip(noisy, 0, 255), dtype=np.uint8)


def draw_card(card: Card, seed: int) -> RGB:
    """The card alone, upright, ``DETAIL`` times as large as in the picture."""
    size = round(DETAIL * card.x_height / X_HEIGHT)
    name = random.Random(seed).choice(FONTS)  # noqa: S311  no secret
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    font = ImageFont.truetype(str(folder / f"{name}.ttf"), size)
    text = "\n".join(card.lines)
    left, top, right, bottom = ImageDraw.Draw(Image.new("RGB", (1, 1))).multiline_textbbox(
        (0, 0), text, font=font
    )
    whole = Image.new("RGB", (round(right - left) + size, round(bottom - top) + size), "ivory")
    place = (size / 2 - left, size / 2 - top)
    ImageDraw.Draw(whole).multiline_text(place, text, font=font, fill="navy", align="center")
    return np.asarray(whole, dtype=np.uint8)


def make_picture_with(card: Card, seed: int = 0, width: int = 1600, height: int = 1200) -> RGB:
    """A picture in which the card hangs at a place that the seed chooses."""
    drawn, picture = draw_card(card, seed), make_background(seed, width, height)
    high, wide = drawn.shape[:2]
    corners = np.array([[-wide, -high], [wide, -high], [wide, high], [-wide, high]]) / 2 / DETAIL
    if card.yaw:
        corners[:, 0] *= np.cos(np.deg2rad(card.yaw))
        corners[1:3, 1] *= 1 - card.yaw / 200  # the far edge is shorter
    turn = np.deg2rad(card.turn)
    corners = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    reach = np.abs(corners).max(axis=0) + 5
    rng = np.random.default_rng(seed)
    room = np.maximum(np.array([width, height]) - reach, reach + 1)
    target = corners + rng.uniform(reach, room)
    source = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    size = (width, height)
    placed = cv2.warpPerspective(drawn, matrix, size, flags=cv2.INTER_AREA)
    mask = cv2.warpPerspective(np.full((high, wide), 255, np.uint8), matrix, size)
    whole = np.where(mask[:, :, None] > 127, placed, picture).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(whole, (0, 0), 0.6), dtype=np.uint8)
