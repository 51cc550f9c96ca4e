"""Find text in a picture with the detector of PP-OCRv6.

The method is from Liao et al., "Real-time scene text detection with differentiable binarization".
The network gives for each pixel the probability that it belongs to a line of text. The weights come
from the package ``rapidocr``; its code is not imported.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.detectors.onnx import session
from ingest.faces.protocols import RGB
from ingest.faces.weights import TEXT_FINDER, locate

MULTIPLE = 32
"""Sides must be multiples of this; the picture is padded, not stretched."""

LINE_FROM = 0.3
"""Probability from which a pixel belongs to a line, as in the authors' configuration."""

LINE_SCORE = 0.5
"""Mean probability from which a region counts as a line; the authors use 0.6."""

UNCLIP = 1.6
"""How much larger a line is than the shrunken region that the network marks: the authors' ratio of
area to perimeter by which each side moves outwards."""

MIN_SIDE = 3
"""Shorter side in pixels below which a region is noise."""


@dataclass(frozen=True)
class Region:
    """A turned rectangle around one line of text, in pixels of the picture that was searched."""

    x: float
    """Middle."""
    y: float
    length: float
    """Longer side."""
    height: float
    """Shorter side."""
    angle: float
    """Degrees by which the longer side is turned clockwise from the x axis, from -90 to 90."""
    score: float

    def corners(self) -> NDArray[np.float32]:
        """Shape (4, 2), x and y: top left, top right, bottom right, bottom left of the line."""
        turn = np.deg2rad(self.angle)
        along = np.array([np.cos(turn), np.sin(turn)]) * self.length / 2
        across = np.array([-np.sin(turn), np.cos(turn)]) * self.height / 2
        middle = np.array([self.x, self.y])
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        return np.array([middle + a * along + b * across for a, b in signs], dtype=np.float32)


class TextFinder:
    """Marks text at any angle.

    Raises:
        ModelUnavailable: The weight file is missing or is not the one that was measured.
    """

    def __init__(self) -> None:
        self._session = session(locate(TEXT_FINDER).read_bytes())

    def probabilities(self, rgb: RGB) -> NDArray[np.float32]:
        """Probability of text for each pixel: shape (height, width), 0-1.

        ``rgb`` has shape (height, width, 3), dtype uint8, colour order RGB.
        """
        height, width = rgb.shape[:2]
        padded = cv2.copyMakeBorder(
            rgb, 0, -height % MULTIPLE, 0, -width % MULTIPLE, cv2.BORDER_REPLICATE
        )
        blob = cv2.dnn.blobFromImage(padded, 1 / 127.5, mean=(127.5,) * 3, swapRB=True)
        (found,) = self._session.run(None, {"x": blob})
        return np.asarray(found[0, 0, :height, :width], dtype=np.float32)

    def lines(self, rgb: RGB) -> list[Region]:
        """Every line of text, most certain first."""
        found = self.probabilities(rgb)
        mask = (found > LINE_FROM).astype(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        regions = [region for contour in contours if (region := _region(contour, found))]
        return sorted(regions, key=lambda region: -region.score)


def _region(contour: cv2.typing.MatLike, found: NDArray[np.float32]) -> Region | None:
    """The line that a contour surrounds; None for noise."""
    (x, y), (width, height), angle = cv2.minAreaRect(contour)
    if min(width, height) < MIN_SIDE:
        return None
    if width < height:
        width, height, angle = height, width, angle - 90
    inside = np.zeros(found.shape, np.uint8)
    left, top, across, down = cv2.boundingRect(contour)
    window = np.s_[top : top + down, left : left + across]
    cv2.drawContours(inside, [contour], -1, 1, cv2.FILLED)
    score = float(found[window][inside[window] > 0].mean())
    if score < LINE_SCORE:
        return None
    grown = width * height * UNCLIP / (width + height)
    angle = (angle + 90) % 180 - 90
    return Region(x, y, width + grown, height + grown, angle, score)
