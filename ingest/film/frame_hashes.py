"""Choose frames of a film that stand for all others, and hash them to recognise closed pictures.

A film or an animated picture may show a picture that staff closed in any of its frames.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.copies.picture_hash import HASHED_SIDE, picture_hashes
from ingest.faces.protocols import RGB
from ingest.film.scenes import Thumbnail

MAX_FRAMES = 60
"""Frames of one film that are hashed, in 7 ms each. To compare them with 200 closed pictures takes
0.3 seconds."""
MIN_DIFFERENCE = 0.03
"""Mean difference of the thumbnails of two frames, 0-1, from which both are hashed."""
GROWTH = 1.2
"""The difference is raised by this factor when there are too many frames."""


class FrameHashes:
    """Keeps frames that differ from each other. Each other frame is like one of them."""

    def __init__(self) -> None:
        self._least = MIN_DIFFERENCE
        self._frames: list[tuple[Thumbnail, NDArray[np.uint8]]] = []
        """Thumbnail and brightness, at most ``HASHED_SIDE`` pixels a side."""

    def add(self, rgb: RGB, thumbnail: Thumbnail) -> None:
        """Keep a frame (height, width, 3; uint8; RGB) if it is like none that is kept."""
        if not self._is_new(thumbnail):
            return
        self._frames.append((thumbnail, _brightness(rgb)))
        while len(self._frames) > MAX_FRAMES:
            self._least *= GROWTH
            frames, self._frames = self._frames, []
            for frame in frames:
                if self._is_new(frame[0]):
                    self._frames.append(frame)

    def hashes(self) -> bytes:
        """``picture_hashes`` of all kept frames, one after another."""
        return b"".join(picture_hashes(luma) for _, luma in self._frames)

    def _is_new(self, thumbnail: Thumbnail) -> bool:
        return all(np.abs(thumbnail - kept).mean() >= self._least for kept, _ in self._frames)


def _brightness(rgb: RGB) -> NDArray[np.uint8]:
    scale = min(1.0, HASHED_SIDE / max(rgb.shape[:2]))
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
