"""Read all text of a picture, at any size and turn that a reader of a channel could read.

The finder searches the whole picture at a small size, at which it still marks small print without
telling its letters apart. Around the marks, windows of the picture are searched again, small ones
enlarged. Each line that is found there is read at both turns that its shape allows.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.model import Box
from consent_gate.names.text_lines import MAX_CHARACTERS, MAX_LINES, ReadLine
from ingest.faces.protocols import RGB
from ingest.lettering.finder import TextFinder
from ingest.lettering.reader import HEIGHT, MAX_WIDTH, Reading, TextReader

SCOUT_SIDE = 480
"""Longer side in pixels at which the whole picture is searched."""

MARK_FROM = 0.2
"""Probability from which a pixel of the small picture is a mark."""

MARK_MARGIN = 3
"""Pixels of the small picture by which a mark is extended. Marks that then touch share a window."""

LETTERS = (36, 72, 216)
"""Heights in pixels that a mark should have when its window is searched, if the mark is one line.
Lines close together make one mark, and up to six lines of a turned card do. The larger searches
tell them apart."""

ANOTHER_SEARCH_FROM = 1.5
"""How much larger a window must be than in the last search to be searched again."""

MAX_ENLARGEMENT = 3.0

WINDOW_SIDE = 640
"""Longer side in pixels up to which a window is searched."""

MAX_WINDOWS = 40

JOINED_TO = 1 / 8
"""Height of a line, as a part of the picture's longer side, up to which its window is joined with
those that it touches."""

LARGEST = 1 / 6
"""Height, as a part of the picture's longer side, from which a mark is not searched for several
lines, and a square line is not read. A face makes such marks."""

READABLE = 0.5
"""Mean probability of the characters from which a reading counts as text."""

CERTAIN = 0.95
"""Mean probability of the characters below which a line is read in a mirror too. The front camera
of many a phone saves what it shows, so that text is mirrored."""

UNREAD_HEIGHT = 10
"""Pixels of the published picture from which a line that cannot be read is reported. A person
cannot read a smaller one either."""

SQUARE = 1.6
"""Length of a line in heights below which it may be read along either side."""


class TooMuchText(Exception):
    """The picture shows more text than is read."""


@dataclass(frozen=True)
class _Found:
    """A line in pixels of the picture that is read."""

    corners: NDArray[np.float32]
    is_square: bool

    @property
    def height(self) -> float:
        """Of the line, in pixels."""
        return float(np.linalg.norm(self.corners[3] - self.corners[0]))


@dataclass(frozen=True)
class _Window:
    """A part of the picture that is searched, in pixels."""

    left: int
    top: int
    right: int
    bottom: int
    line: float
    """Height of its lines, if its mark is one line."""

    @property
    def width(self) -> int:
        return self.right - self.left

    @property
    def height(self) -> int:
        return self.bottom - self.top

    def touches(self, other: _Window) -> bool:
        """Whether the two have a part in common."""
        across = min(self.right, other.right) - max(self.left, other.left)
        return across > 0 and min(self.bottom, other.bottom) > max(self.top, other.top)

    def around(self, other: _Window) -> _Window:
        """The smallest window with both."""
        return _Window(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
            max(self.line, other.line),
        )


class Lettering:
    """Reads the text of pictures with the loaded models; each worker process has one."""

    def __init__(self, finder: TextFinder, reader: TextReader, side: int) -> None:
        """Keep the models.

        Args:
            finder: Finds lines.
            reader: Reads lines.
            side: Longer side in pixels of the largest picture that a channel publishes. Text that
                is too small to read at this size is not read.
        """
        self._finder = finder
        self._reader = reader
        self._side = side

    def read(self, rgb: RGB) -> tuple[ReadLine, ...]:
        """Every line of text, with its box in pixels of ``rgb``. A line that is large enough to be
        read and could not be read has an empty text.

        Args:
            rgb: Shape (height, width, 3), dtype uint8, colour order RGB, upright.

        Raises:
            TooMuchText: There are more windows or lines than are read.
        """
        published = _scaled(rgb, self._side)
        lines = [
            line for window in self._windows(published) for line in self._find(published, window)
        ]
        if len(lines) > MAX_LINES:
            raise TooMuchText
        readings = self._read_lines(published, lines)
        scale = rgb.shape[1] / published.shape[1]
        return tuple(
            _read_line(reading, line.corners * scale, rgb.shape[1], rgb.shape[0])
            for line, reading in zip(lines, readings, strict=True)
            if _is_readable(reading) or line.height >= UNREAD_HEIGHT
        )

    def _windows(self, published: RGB) -> list[_Window]:
        """The parts of the picture that are searched closely."""
        small = _scaled(published, SCOUT_SIDE)
        found = self._finder.probabilities(small)
        marks = (found > MARK_FROM).astype(np.uint8)
        kernel = np.ones((2 * MARK_MARGIN + 1,) * 2, np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(marks, kernel))
        if count - 1 > MAX_WINDOWS:
            raise TooMuchText
        scale = published.shape[1] / small.shape[1]
        thickness = cv2.distanceTransform(marks, cv2.DIST_L2, 3)
        windows = []
        for label in range(1, count):
            left, top, width, height = (int(stats[label, i]) for i in range(4))
            inside = np.s_[top : top + height, left : left + width]
            thick = float(thickness[inside][labels[inside] == label].max())
            # The network marks the middle of a line, about half of its height.
            line = max(4.0, 4 * thick) * scale
            margin = MARK_MARGIN * scale + line / 2
            windows.append(
                _Window(
                    max(0, int(left * scale - margin)),
                    max(0, int(top * scale - margin)),
                    min(published.shape[1], round((left + width) * scale + margin)),
                    min(published.shape[0], round((top + height) * scale + margin)),
                    line,
                )
            )
        return windows + _joined(windows, JOINED_TO * max(published.shape[:2]))

    def _find(self, published: RGB, window: _Window) -> list[_Found]:
        """The lines of one window, searched at each scale that it allows."""
        most = min(MAX_ENLARGEMENT, WINDOW_SIDE / max(window.width, window.height))
        scales: list[float] = []
        is_large = window.line > LARGEST * max(published.shape[:2])
        for scale in (min(letters / window.line, most) for letters in LETTERS[: 3 - is_large]):
            if not scales or scale >= ANOTHER_SEARCH_FROM * scales[-1]:
                scales.append(scale)
        return [found for scale in scales for found in self._find_at(published, window, scale)]

    def _find_at(self, published: RGB, window: _Window, scale: float) -> list[_Found]:
        part = published[window.top : window.bottom, window.left : window.right]
        size = tuple(max(32, round(side * scale)) for side in (window.width, window.height))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        searched = np.asarray(cv2.resize(part, size, interpolation=how), dtype=np.uint8)
        factors = np.array([window.width / size[0], window.height / size[1]], np.float32)
        lines = [
            _Found(
                region.corners() * factors + np.array([window.left, window.top], np.float32),
                region.length < SQUARE * region.height,
            )
            for region in self._finder.lines(searched)
        ]
        largest = LARGEST * max(published.shape[:2])
        return [line for line in lines if not line.is_square or line.height <= largest]

    def _read_lines(self, published: RGB, lines: list[_Found]) -> list[Reading]:
        """The most confident reading of each line at the turns that its shape allows."""
        best = [Reading("", 0.0)] * len(lines)
        for is_mirrored in (False, True):
            crops, owners = [], []
            for index, line in enumerate(lines):
                if is_mirrored and not _may_be_mirrored(line, best[index]):
                    continue
                for turn in range(4) if line.is_square else (0, 2):
                    crop = _straight(published, np.roll(line.corners, turn, axis=0))
                    crops.append(np.ascontiguousarray(crop[:, ::-1]) if is_mirrored else crop)
                    owners.append(index)
            for owner, reading in zip(owners, self._reader.read(crops), strict=True):
                if reading.confidence > best[owner].confidence:
                    best[owner] = reading
        return best


def _joined(windows: list[_Window], thickest: float) -> list[_Window]:
    """Windows around those that touch: large text makes several marks, each with a part of it.

    Those with lines higher than ``thickest`` are left out: a face makes such a mark.
    """
    groups: list[tuple[_Window, int]] = []
    for window in windows:
        if window.line > thickest:
            continue
        joined, count, apart = window, 1, []
        for group, members in groups:
            if group.touches(joined):
                joined, count = joined.around(group), count + members
            else:
                apart.append((group, members))
        groups = [*apart, (joined, count)]
    return [window for window, count in groups if count > 1]


def _scaled(rgb: RGB, side: int) -> RGB:
    """The picture with a longer side of at most ``side`` pixels."""
    height, width = rgb.shape[:2]
    factor = side / max(height, width)
    if factor >= 1:
        return rgb
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def _straight(rgb: RGB, corners: NDArray[np.float32]) -> RGB:
    """A line cut out and laid straight. The first of the corners becomes its top left."""
    length = float(np.linalg.norm(corners[1] - corners[0]))
    height = max(1.0, float(np.linalg.norm(corners[3] - corners[0])))
    width = int(min(MAX_WIDTH, max(8, round(HEIGHT * length / height))))
    target = np.array([[0, 0], [width, 0], [width, HEIGHT], [0, HEIGHT]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.ascontiguousarray(corners), target)
    line = cv2.warpPerspective(
        rgb, matrix, (width, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(line, dtype=np.uint8)


def _may_be_mirrored(line: _Found, reading: Reading) -> bool:
    """Whether a line looks like text, and was read with doubt. A pattern is often square."""
    return not line.is_square and READABLE <= reading.confidence < CERTAIN


def _is_readable(reading: Reading) -> bool:
    return reading.confidence >= READABLE and bool(reading.text.strip())


def _read_line(reading: Reading, corners: NDArray[np.float32], width: int, height: int) -> ReadLine:
    """The line with the part of its box that lies inside the picture."""
    left, top = (max(0, int(value)) for value in np.floor(corners.min(axis=0)))
    ends = np.minimum(np.ceil(corners.max(axis=0)), (width, height))
    right, bottom = int(ends[0]), int(ends[1])
    # One character too many tells the gate that the line is longer than it compares.
    text = reading.text[: MAX_CHARACTERS + 1] if _is_readable(reading) else ""
    return ReadLine(text, Box(left, top, right - left, bottom - top))
