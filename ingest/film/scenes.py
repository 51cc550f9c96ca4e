"""Find where a new scene begins, by the difference between thumbnails of neighbouring frames."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.protocols import RGB
from ingest.film.tracks import is_cut

THUMBNAIL = (32, 18)
"""Width and height of the small pictures, in pixels."""
USUAL_SHARE = 0.1
"""Weight of the newest frame in the usual difference between frames."""


class SceneWatch:
    """Compares each frame with the one before."""

    def __init__(self) -> None:
        self.count = 0
        """How many scenes have begun."""
        self._last: NDArray[np.float32] | None = None
        self._usual = 0.0

    def begins(self, rgb: RGB) -> bool:
        """Return whether a scene begins with this frame. The first frame begins a scene.

        Args:
            rgb: The frame in RGB, shape (height, width, 3), uint8.
        """
        resized = cv2.resize(rgb, THUMBNAIL, interpolation=cv2.INTER_AREA)
        thumbnail = np.asarray(resized, np.float32) / np.float32(255)
        last, self._last = self._last, thumbnail
        if last is None:
            self.count = 1
            return True
        difference = float(np.abs(thumbnail - last).mean())
        begins = is_cut(difference, self._usual)
        self._usual += USUAL_SHARE * (difference - self._usual)
        self.count += begins
        return begins
