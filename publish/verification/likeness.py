"""Does a published picture show what was judged, and hide what staff covered?

Made with OpenCV and block means, where the writer uses Pillow: a fault in one is not repeated in
the other. Pixels are (height, width, 3), uint8, RGB.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.model import HEAD_MARGIN, Box
from publish.rendering.render import RenditionSpec

_Pixels = NDArray[np.uint8]

BLOCK = 8
"""Side in published pixels of the blocks whose means are compared; the smallest face that the
detectors know covers several."""

WORST_BLOCK = 12.0
"""A block whose mean luma (0-255) differs by more was not made from its place."""

MEAN_COLOUR = 8.0
"""More than this mean difference of R, G and B (0-255) over the picture: the colours are wrong."""

HIDDEN_CORRELATION = 0.8
"""Fine detail of a covered region that goes along with the judged detail more than this was not
covered. 1 is the same detail, 0 is none of it."""

# The three thresholds lie between right and wrong pictures as measured by benchmarks/likeness.py.

_SMALLEST = 6
"""Covered regions with a shorter side in the published picture have too few pixels to correlate,
and show nobody."""

_PAD = 16
"""Pixels around a cover that scaling and JPEG blocks may tint."""


@dataclass(frozen=True)
class Likeness:
    """How a published picture compares with what was judged."""

    worst_block: float
    """Largest difference of a block's mean luma, outside covers; 0-255."""
    mean_colour: float
    """Mean absolute difference of R, G and B of all blocks, outside covers; 0-255."""
    seen_through: float
    """Largest correlation of fine detail under a cover with the judged detail; -1 to 1."""

    @property
    def is_same(self) -> bool:
        """What was judged is shown, what was covered is hidden."""
        return (
            self.worst_block <= WORST_BLOCK
            and self.mean_colour <= MEAN_COLOUR
            and self.seen_through <= HIDDEN_CORRELATION
        )


def expected_size(judged: _Pixels, spec: RenditionSpec) -> tuple[int, int]:
    """Width and height that the picture should have; reckoned anew, not by the writer."""
    height, width = _cropped(judged, spec).shape[:2]
    shrink = min(Fraction(1), Fraction(spec.max_side, max(width, height)))
    scaled = [max(1, int(side * shrink + Fraction(1, 2))) for side in (width, height)]
    return scaled[0], scaled[1]


def compare(published: _Pixels, judged: _Pixels, spec: RenditionSpec) -> Likeness:
    """Compare pictures of the size that ``expected_size`` gives."""
    height, width = published.shape[:2]
    kept = _cropped(judged, spec)
    scaled = np.asarray(cv2.resize(kept, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    boxes = _boxes(spec, kept.shape[1], kept.shape[0], width, height)
    blocks = _block_differences(published, scaled, boxes)
    return Likeness(
        float(np.abs(blocks @ _LUMA).max()),
        float(np.abs(blocks).mean()),
        max((_correlation(published, scaled, b) for b in boxes if _is_large(b)), default=0.0),
    )


def _cropped(judged: _Pixels, spec: RenditionSpec) -> _Pixels:
    if spec.crop is None:
        return judged
    c = spec.crop
    return judged[max(0, c.y) : max(0, c.y + c.height), max(0, c.x) : max(0, c.x + c.width)]


def _boxes(
    spec: RenditionSpec, kept_width: int, kept_height: int, width: int, height: int
) -> list[tuple[int, int, int, int]]:
    """Left, top, right, bottom of each covered region, without margin, in published pixels."""
    origin = Box(max(0, spec.crop.x), max(0, spec.crop.y), 0, 0) if spec.crop else Box(0, 0, 0, 0)
    across, down = width / kept_width, height / kept_height
    found = []
    for region in (redaction.box for redaction in spec.redactions):
        left, top = (region.x - origin.x) * across, (region.y - origin.y) * down
        right, bottom = left + region.width * across, top + region.height * down
        box = (
            max(0, int(left)),
            max(0, int(top)),
            min(width, int(right)),
            min(height, int(bottom)),
        )
        if box[2] > box[0] and box[3] > box[1]:
            found.append(box)
    return found


_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601, as in JPEG."""


def _block_differences(
    published: _Pixels, scaled: _Pixels, covers: list[tuple[int, int, int, int]]
) -> NDArray[np.float32]:
    """Mean difference of each block, shape (rows, columns, 3); zero under covers."""
    difference = cv2.subtract(published, scaled, dtype=cv2.CV_32F)
    for left, top, right, bottom in covers:
        dx, dy = int((right - left) * HEAD_MARGIN) + _PAD, int((bottom - top) * HEAD_MARGIN) + _PAD
        difference[max(0, top - dy) : bottom + dy, max(0, left - dx) : right + dx] = 0
    below, beside = -difference.shape[0] % BLOCK, -difference.shape[1] % BLOCK
    padded = cv2.copyMakeBorder(difference, 0, below, 0, beside, cv2.BORDER_REPLICATE)
    size = padded.shape[1] // BLOCK, padded.shape[0] // BLOCK
    # Where the sides are whole multiples, this is the plain mean of each block.
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA), np.float32)


def _is_large(box: tuple[int, int, int, int]) -> bool:
    return min(box[2] - box[0], box[3] - box[1]) >= _SMALLEST


def _correlation(published: _Pixels, scaled: _Pixels, box: tuple[int, int, int, int]) -> float:
    """Pearson correlation of the fine detail of one region; 0 where the published one is flat."""
    left, top, right, bottom = box
    shown = _detail(published[top:bottom, left:right])
    judged = _detail(scaled[top:bottom, left:right])
    spread = float(shown.std() * judged.std())
    if spread < 1e-6 or shown.std() < 1.0:
        return 0.0
    return float((shown * judged).mean()) / spread


def _detail(region: _Pixels) -> NDArray[np.float32]:
    """Luma less its blur over an eighth of the region."""
    luma = cv2.cvtColor(np.ascontiguousarray(region), cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = luma - cv2.GaussianBlur(luma, (0, 0), max(1.0, min(luma.shape) / 8))
    return np.asarray(fine - fine.mean(), np.float32)
