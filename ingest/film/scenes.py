"""Find where a new scene begins, by the difference between thumbnails of neighbouring frames."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.protocols import RGB

THUMBNAIL = (32, 18)
"""Width and height of the small pictures, in pixels."""
CUT_FROM = 0.16
"""Mean difference of two frames' thumbnails, 0-1, from which there is a cut between them."""
CUT_OVER_USUAL = 4.0
"""A smaller difference is a cut too, if it is so many times the usual difference."""
MIN_CUT = 0.06
"""The smallest difference that is ever a cut."""
Thumbnail = NDArray[np.float32]
"""A frame reduced to ``THUMBNAIL``: shape (18, 32, 3), 0-1."""
USUAL_SHARE = 0.1
"""Weight of the newest frame in the usual difference between frames."""


class SceneWatch:
    """Compares each frame with the one before."""

    def __init__(self) -> None:
        self.count = 0
        """How many scenes have begun."""
        self._last: Thumbnail | None = None
        self._usual = 0.0

    def begins(self, thumbnail: Thumbnail) -> bool:
        """Return whether a scene begins with this frame. The first frame begins a scene."""
        last, self._last = self._last, thumbnail
        if last is None:
            self.count = 1
            return True
        difference = float(np.abs(thumbnail - last).mean())
        begins = is_cut(difference, self._usual)
        self._usual += USUAL_SHARE * (difference - self._usual)
        self.count += begins
        return begins


def thumbnail_of(rgb: RGB) -> Thumbnail:
    """Return the thumbnail of a frame in RGB, shape (height, width, 3), uint8."""
    resized = cv2.resize(rgb, THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.float32) / np.float32(255)


def is_cut(difference: float, usual: float) -> bool:
    """Whether a new scene begins between two frames.

    Args:
        difference: Mean difference of the frames' thumbnails, 0-1.
        usual: The mean of the differences before.
    """
    if difference >= CUT_FROM:
        return True
    return difference >= max(MIN_CUT, CUT_OVER_USUAL * usual)
