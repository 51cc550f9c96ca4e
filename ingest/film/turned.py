"""Search the frames of a film for faces that lie, hang or stand on their head.

All detectors search at every angle only every few seconds. In between the scout searches a small
view of each frame at seven more angles, but only where the picture has changed since it was
searched at this angle. A face that comes into the picture is a change. For each second of film the
scout searches a limited number of pixels. If the camera moves, everything changes. Then the places
are searched that differ from all places around in the picture that was searched, moved as the
camera has moved. Where that is most of the picture, the angles take turns.

What is found are places alone: ``TrackFaces`` verifies them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.augmentation import AugmentedView
from ingest.faces.mask_cover import Mask
from ingest.faces.protocols import RGB, Detection, Detector
from ingest.faces.rotated_tiles import CALL_COST, FINE, around_corners, rotated_tiles
from ingest.faces.verification import in_picture
from ingest.film.changes import MIN_CHANGE, Grey, around, changed
from ingest.film.sightings import place_of, shows_same

TURNED_SIDE = 800
"""Long side in pixels of the view. Of 60 faces of 28 to 45 px in frames of 1280 px 54 were found at
800 px and 37 at 640 px; of 120 larger ones all at both (faces of the fit half, any angle)."""
WIDE_SIDE = 640
"""The same where ``WIDE_SHARE`` of the view has to be searched, which takes a third less time."""
WIDE_SHARE = 0.5
"""Changes in so much of the view are a movement of the camera."""
TURNED_FROM = 0.2
"""Score of the scout from which a place is followed. From 0.3, 48 of these 60 were found."""
ANGLES = ((0.0, 1), (0.0, 3), (0.0, 2), (45.0, 0), (45.0, 1), (45.0, 2), (45.0, 3))
"""Degrees anticlockwise, and quarter turns that are added. Upright is searched in every frame."""
TILE = 768
"""A tile has at most the area of a square of this side: the view is one tile."""
OVERLAP = 96
REACH = 32
"""Pixels around a change that are searched too."""
MIN_GRADIENT = 2.0
"""As in ``place_proposals``: only places near corners are searched."""
AGAIN_SECONDS = 2.0
"""Each angle is searched again after this time, also where nothing has changed."""
PIXELS_PER_SECOND = 4e6
"""Pixels that are searched for each second of film at most. With 3e6, three of five faces that were
shown for 0.4 s in a pan were found in place of five."""
MOST_PIXELS = 3.5e6
"""Pixels that are searched at once where nothing was searched before: the view at all angles."""
NEIGHBOURS = cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3))
"""Places around one of 4 x 4 pixels to which the shaking of a camera may move it."""
MIN_RESPONSE = 0.1
"""Height of the peak of the phase correlation from which the camera has moved so. It is 0 for
frames of one colour."""
LONGEST_STEP = 0.25
"""Seconds between two frames that count at most."""


@dataclass(frozen=True, eq=False)
class SmallFrame:
    """A frame as the scout sees it upright."""

    rgb: RGB
    """At most twice as long as ``TURNED_SIDE``."""
    scale: float
    """Pixels of the judged frame to one of these."""


@dataclass(eq=False)
class _Angle:
    """One angle, and the picture that was searched at it."""

    degrees: float
    quarters: int
    searched: Grey | None = None
    """What each place looked like when it was searched."""
    whole_at: float = float("-inf")
    """When the whole picture was searched."""
    last_at: float = float("-inf")
    """When it was searched last."""

    def is_due(self, time: float) -> bool:
        """Whether the whole picture has to be searched again."""
        return self.searched is None or time - self.whole_at >= AGAIN_SECONDS

    def changed(self, grey: Grey) -> Mask:
        """Where a frame differs from what was searched."""
        assert self.searched is not None  # noqa: S101  the whole picture was searched first
        return changed(grey, self.searched, REACH)

    def appeared(self, grey: Grey) -> Mask:
        """Where a frame differs from all places around in what was searched.

        Single places do not count: the shaking of a camera changes some at each edge.
        """
        assert self.searched is not None  # noqa: S101  the whole picture was searched first
        lowest = cv2.erode(self.searched, NEIGHBOURS).astype(np.int16) - MIN_CHANGE
        highest = cv2.dilate(self.searched, NEIGHBOURS).astype(np.int16) + MIN_CHANGE
        differs = (grey <= lowest) | (grey >= highest)
        return around(cv2.medianBlur(differs.astype(np.uint8), 3) > 0, REACH)

    def note(self, grey: Grey, marked: Mask, time: float) -> None:
        """Remember what is searched now."""
        self.last_at = time
        if self.searched is None or marked.all():
            self.searched, self.whole_at = grey.copy(), time
        else:
            np.copyto(self.searched, grey, where=marked > 0)


@dataclass(frozen=True, eq=False)
class _View:
    """One frame, as the scout sees it."""

    pixels: AugmentedView
    grey: Grey
    corners: Mask = field(repr=False)


class TurnedSearch:
    """Searches the frames of one film, in the order of time.

    What is searched depends on the frames alone, not on what was found. So an examination that goes
    on searches the same places.
    """

    def __init__(self, detector: Detector) -> None:
        """Keep the detector, which must return landmarks."""
        self._detector = detector
        self._angles = [_Angle(*angle) for angle in ANGLES]
        self._credit, self._last = MOST_PIXELS, 0.0
        self._before: NDArray[np.float32] | None = None
        self._shift = np.zeros(2)
        """How far the camera has moved since the pictures were moved, across and down."""

    def find(self, small: SmallFrame, time: float, *, is_known: bool) -> list[Detection]:
        """The turned faces that the next frame may show, each once, surest first.

        Args:
            small: The frame.
            time: Its time in seconds.
            is_known: Whether it was searched before the film went on. Then nothing is returned.
        """
        step = min(time - self._last, LONGEST_STEP)
        self._credit = min(self._credit + step * PIXELS_PER_SECOND, MOST_PIXELS)
        self._last = time
        if self._credit <= 0:
            return []
        view = _view_of(small)
        self._move_with(view.grey)
        found: list[Detection] = []
        for angle, marked in self._places(view, time):
            for tile in self._tiles(view, angle, marked):
                if not is_known:
                    found += self._found_in(tile, angle)
            if self._credit <= 0:
                break
        return each_once(found)

    def _places(self, view: _View, time: float) -> Iterator[tuple[_Angle, Mask]]:
        """What has to be searched, most urgent first. Each is computed when it is asked for."""
        everywhere = np.ones_like(view.grey)
        due = [angle for angle in self._angles if angle.is_due(time)]
        if due:
            yield min(due, key=lambda one: one.whole_at), everywhere
        unsteady = []
        for angle in sorted(self._angles, key=lambda one: one.last_at):
            if angle.searched is None:
                continue
            marked = angle.changed(view.grey)
            if (marked & view.corners).mean() >= WIDE_SHARE:
                marked = angle.appeared(view.grey)
            if (marked & view.corners).mean() >= WIDE_SHARE:
                unsteady.append(angle)
            else:
                yield angle, marked
        for angle in sorted(unsteady, key=lambda one: one.whole_at):
            yield angle, everywhere

    def _move_with(self, grey: Grey) -> None:
        """Move what was searched as the camera has moved since the last frame."""
        now = grey.astype(np.float32)
        before, self._before = self._before, now
        if before is None or before.shape != now.shape:
            return
        (across, down), response = cv2.phaseCorrelate(before, now)
        if not response >= MIN_RESPONSE:
            return
        self._shift += (across, down)
        step = np.rint(self._shift).astype(int)
        if not step.any():
            return
        self._shift -= step
        for angle in self._angles:
            if angle.searched is not None:
                angle.searched = _moved(angle.searched, grey, *step.tolist())

    def note_searched(self, small: SmallFrame, time: float) -> None:
        """Say that all detectors have searched this frame at every angle."""
        view = _view_of(small)
        self._before = view.grey.astype(np.float32)
        self._shift[:] = 0
        for angle in self._angles:
            angle.note(view.grey, np.ones_like(view.grey), time)
        self._last = time

    def _tiles(self, view: _View, angle: _Angle, marked: Mask) -> Iterator[AugmentedView]:
        """What has to be searched at an angle. Counts the pixels, and remembers the picture."""
        mask = np.asarray(marked & view.corners, np.uint8)
        if not mask.any():
            return
        angle.note(view.grey, marked, time=self._last)
        pixels = view.pixels
        if mask.mean() >= WIDE_SHARE:
            pixels = pixels.resized(WIDE_SIDE, 1.0)
            fine = tuple(-(-side // FINE) for side in pixels.pixels.shape[1::-1])
            mask = np.asarray(cv2.resize(mask, fine, interpolation=cv2.INTER_NEAREST))
        for tile in rotated_tiles(pixels, angle.degrees, mask, TILE, OVERLAP):
            self._credit -= tile.pixels.shape[0] * tile.pixels.shape[1] + CALL_COST
            yield tile.turn(angle.quarters)

    def _found_in(self, tile: AugmentedView, angle: _Angle) -> list[Detection]:
        degrees = angle.degrees + 90.0 * angle.quarters
        return [
            in_picture(tile, one, degrees)
            for one in self._detector.detect(tile.pixels)
            if one.score >= TURNED_FROM and one.landmarks is not None
        ]


def _view_of(small: SmallFrame) -> _View:
    height, width = small.rgb.shape[:2]
    factor = max(1.0, max(height, width) / TURNED_SIDE)
    size = max(1, round(width / factor)), max(1, round(height / factor))
    # A tenth of the time of INTER_AREA, which would be no better at a factor below 2.
    rgb = np.asarray(cv2.resize(small.rgb, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    fine = -(-size[0] // FINE), -(-size[1] // FINE)
    whole = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    grey = np.asarray(cv2.resize(whole, fine, interpolation=cv2.INTER_AREA), np.uint8)
    back = small.scale * factor
    pixels = AugmentedView(rgb, np.diag([back, back, 1.0]))
    return _View(pixels, grey, around_corners(grey, MIN_GRADIENT))


def _moved(searched: Grey, grey: Grey, across: int, down: int) -> Grey:
    """A picture moved by so many places. What is new at the edges differs from the frame."""
    height, width = searched.shape
    moved = grey ^ np.uint8(128)
    if abs(across) < width and abs(down) < height:
        to_x, to_y = (
            slice(max(across, 0), width + min(across, 0)),
            slice(max(down, 0), height + min(down, 0)),
        )
        from_x, from_y = (
            slice(max(-across, 0), width - max(across, 0)),
            slice(max(-down, 0), height - max(down, 0)),
        )
        moved[to_y, to_x] = searched[from_y, from_x]
    return np.asarray(moved, np.uint8)


def each_once(found: Sequence[Detection]) -> list[Detection]:
    """Of the detections at one place the surest."""
    kept: list[Detection] = []
    for one in sorted(found, key=lambda one: -one.score):
        if not any(shows_same(place_of(one), place_of(other)) for other in kept):
            kept.append(one)
    return kept
