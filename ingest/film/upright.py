"""Search the frames of a film for upright faces that the scout does not see.

The scout does not know half of the small faces with dark glasses, before the light or half hidden,
and all detectors search only once a second. In between a surer detector searches the frame, but
only where the picture has changed since it was searched. For each second of film it searches a
limited number of pixels. What is found are places alone: ``TrackFaces`` verifies them.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from ingest.faces.augmentation import AugmentedView
from ingest.faces.mask_cover import Mask
from ingest.faces.protocols import RGB, Detection, Detector
from ingest.faces.rotated_tiles import CALL_COST, FINE, rotated_tiles
from ingest.faces.verification import in_picture
from ingest.film.changes import Grey, changed
from ingest.film.sightings import resized

LOOK_SIDE = 1280
"""Long side in pixels of the view: that of a published film where the school has set no other."""
LOOK_FROM = 0.2
"""Score from which a place is followed. Of 171 small or partly hidden faces that all detectors
found in a frame, this detector found 170, and the scout 106 (fit half, 20 to 120 px of 1280)."""
REACH = 48
"""Pixels around a change that are searched too."""
TILE = 960
"""A tile has at most the area of a square of this side: the view is one tile."""
OVERLAP = 96
PIXELS_PER_SECOND = 2e6
"""Pixels that are searched for each second of film at most: the whole view three times."""
MOST_PIXELS = 1e6
"""Pixels that may be searched at once: the whole view."""


class UprightLook:
    """Searches the frames of one film, in the order of time.

    What is searched depends on the frames alone, not on what was found. So an examination that goes
    on searches the same places.
    """

    def __init__(self, detector: Detector) -> None:
        """Keep the detector, which must return landmarks."""
        self._detector = detector
        self._credit, self._last = MOST_PIXELS, 0.0
        self._searched: Grey | None = None

    def find(self, rgb: RGB, small: RGB, time: float, *, is_known: bool) -> list[Detection]:
        """The faces that the next frame may show, in its own pixels.

        Args:
            rgb: The frame in RGB, shape (height, width, 3), uint8.
            small: The same or a smaller picture of it, in which changes are looked for.
            time: Its time in seconds.
            is_known: Whether it was searched before the film went on. Then nothing is returned.
        """
        self._credit = min(self._credit + (time - self._last) * PIXELS_PER_SECOND, MOST_PIXELS)
        self._last = time
        if self._credit <= 0:
            return []
        marked = self._changed(_grey_of(small, rgb.shape[:2]))
        if not marked.any():
            return []
        found: list[Detection] = []
        for tile in self._tiles(rgb, marked):
            if not is_known:
                found += self._found_in(tile)
        return found

    def note_searched(self, rgb: RGB, small: RGB, time: float) -> None:
        """Say that all detectors have searched this frame."""
        self._last, self._searched = time, _grey_of(small, rgb.shape[:2])

    def _changed(self, grey: Grey) -> Mask:
        """Where a frame differs from what was searched, which it now is."""
        before = self._searched
        if before is None or before.shape != grey.shape:
            self._searched = grey
            return np.ones_like(grey)
        marked = changed(grey, before, REACH)
        np.copyto(before, grey, where=marked > 0)
        return marked

    def _tiles(self, rgb: RGB, marked: Mask) -> Iterator[AugmentedView]:
        small, back = resized(rgb, LOOK_SIDE)
        view = AugmentedView(small, np.diag([back, back, 1.0]))
        for tile in rotated_tiles(view, 0.0, marked, TILE, OVERLAP):
            self._credit -= tile.pixels.shape[0] * tile.pixels.shape[1] + CALL_COST
            yield tile

    def _found_in(self, tile: AugmentedView) -> list[Detection]:
        return [
            in_picture(tile, one, 0.0)
            for one in self._detector.detect(tile.pixels)
            if one.score >= LOOK_FROM and one.landmarks is not None
        ]


def _grey_of(small: RGB, shape: tuple[int, ...]) -> Grey:
    """A frame in grey, one value for 4 x 4 pixels of its view. ``shape`` is that of the frame."""
    scale = min(1.0, LOOK_SIDE / max(shape))
    # As ``resized`` rounds.
    height, width = (-(-max(1, round(side * scale)) // FINE) for side in shape)
    fine = cv2.resize(small, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(fine, cv2.COLOR_RGB2GRAY), np.uint8)
