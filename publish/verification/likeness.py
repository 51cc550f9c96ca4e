"""Compare a published picture with the judged pixels, and check that covered regions are hidden.

The comparison uses OpenCV and block means; the renderer uses Pillow. So an error in one library is
not repeated in the other. Pixels are (height, width, 3), uint8, RGB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.model import Box
from publish.rendering.render import RenditionSpec

_Pixels = NDArray[np.uint8]

BLOCK = 8
"""Side in published pixels of the blocks whose means are compared. The smallest face that the
detectors find covers several blocks."""

WORST_BLOCK = 12.0
"""Largest allowed difference of a block's mean luma (0-255)."""

MEAN_COLOUR = 8.0
"""Largest allowed mean difference of R, G and B (0-255) over the picture."""

HIDDEN_CORRELATION = 0.8
"""Largest allowed correlation between the fine detail of a covered region and the judged detail. 1:
the same detail; 0: none of it."""

# benchmarks/likeness.py measured right and wrong pictures; the three thresholds lie between them.

_STRIP = 8 * BLOCK
"""Rows in published pixels that are compared at once. The differences of a whole picture of 3000 px
take 80 MB, which is slow to write and read: 42 ms in place of 14 (2026-11-30)."""

_MIN_COVER_SIDE = 6
"""Shortest side in published pixels of covered regions that are checked. Smaller ones have too few
pixels to correlate and show nobody recognisable."""

_COVER_PADDING = 16
"""Pixels around a cover that scaling and JPEG blocks may change."""


@dataclass(frozen=True)
class Likeness:
    """How far a published picture differs from the judged pixels."""

    worst_block: float
    """Largest difference of a block's mean luma outside covers, 0 to 255."""
    mean_colour: float
    """Mean absolute difference of R, G and B of all blocks outside covers, 0 to 255."""
    cover_correlation: float
    """Largest correlation of fine detail under a cover with the judged detail, -1 to 1."""

    @property
    def is_same(self) -> bool:
        """Whether the picture shows the judged pixels and hides all covered regions."""
        return (
            self.worst_block <= WORST_BLOCK
            and self.mean_colour <= MEAN_COLOUR
            and self.cover_correlation <= HIDDEN_CORRELATION
        )


def expected_size(judged: _Pixels, spec: RenditionSpec) -> tuple[int, int]:
    """Width and height in pixels that the picture must have; computed without the renderer."""
    height, width = _cropped(judged, spec).shape[:2]
    shrink = min(Fraction(1), Fraction(spec.max_side, max(width, height)))
    scaled = [max(1, int(side * shrink + Fraction(1, 2))) for side in (width, height)]
    return scaled[0], scaled[1]


def compare(published: _Pixels, judged: _Pixels, spec: RenditionSpec) -> Likeness:
    """Compare a published picture with the judged pixels.

    Args:
        published: The decoded file, of the size that ``expected_size`` gives.
        judged: The judged pixels: upright, not cropped.
        spec: How the picture was to be rendered.
    """
    height, width = published.shape[:2]
    kept = _cropped(judged, spec)
    scaled = np.asarray(cv2.resize(kept, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    hidden = _published_boxes([r.box for r in spec.redactions], spec, kept, published)
    covers = _published_boxes([r.covers for r in spec.redactions], spec, kept, published)
    hidden += [_inside(box) for box in covers]
    blocks = _block_differences(published, scaled, covers)
    return Likeness(
        float(np.abs(blocks @ _LUMA).max()),
        float(np.abs(blocks).mean()),
        max((_correlation(published, scaled, b) for b in hidden if _is_large(b)), default=0.0),
    )


def _cropped(judged: _Pixels, spec: RenditionSpec) -> _Pixels:
    if spec.crop is None:
        return judged
    c = spec.crop
    return judged[max(0, c.y) : max(0, c.y + c.height), max(0, c.x) : max(0, c.x + c.width)]


def _published_boxes(
    regions: Sequence[Box], spec: RenditionSpec, kept: _Pixels, published: _Pixels
) -> list[tuple[int, int, int, int]]:
    """Left, top, right and bottom of each region of the original, in published pixels."""
    height, width = published.shape[:2]
    kept_height, kept_width = kept.shape[:2]
    origin = Box(max(0, spec.crop.x), max(0, spec.crop.y), 0, 0) if spec.crop else Box(0, 0, 0, 0)
    across, down = width / kept_width, height / kept_height
    found = []
    for region in regions:
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


def _inside(box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """A cover without its edge, at which scaling and JPEG blocks mix it with its surroundings."""
    left, top, right, bottom = box
    return left + BLOCK, top + BLOCK, right - BLOCK, bottom - BLOCK


_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601, as in JPEG."""


def _block_differences(
    published: _Pixels, scaled: _Pixels, covers: list[tuple[int, int, int, int]]
) -> NDArray[np.float32]:
    """Mean difference of each block: (rows, columns, 3), float32, RGB; zero under covers."""
    strips = []
    for start in range(0, published.shape[0], _STRIP):
        end = start + _STRIP
        difference = cv2.subtract(published[start:end], scaled[start:end], dtype=cv2.CV_32F)
        for left, top, right, bottom in covers:
            up, before = max(0, top - _COVER_PADDING - start), max(0, left - _COVER_PADDING)
            down = max(0, bottom + _COVER_PADDING - start)
            difference[up:down, before : right + _COVER_PADDING] = 0
        below, beside = -difference.shape[0] % BLOCK, -difference.shape[1] % BLOCK
        padded = cv2.copyMakeBorder(difference, 0, below, 0, beside, cv2.BORDER_REPLICATE)
        size = padded.shape[1] // BLOCK, padded.shape[0] // BLOCK
        # The sides are multiples of BLOCK, so INTER_AREA gives the mean of each block.
        strips.append(cv2.resize(padded, size, interpolation=cv2.INTER_AREA))
    return np.concatenate(strips, dtype=np.float32)


def _is_large(box: tuple[int, int, int, int]) -> bool:
    return min(box[2] - box[0], box[3] - box[1]) >= _MIN_COVER_SIDE


def _correlation(published: _Pixels, scaled: _Pixels, box: tuple[int, int, int, int]) -> float:
    """Pearson correlation of the fine detail of one region; 0 if the published region is flat."""
    left, top, right, bottom = box
    shown = _detail(published[top:bottom, left:right])
    judged = _detail(scaled[top:bottom, left:right])
    spread = float(shown.std() * judged.std())
    if spread < 1e-6 or shown.std() < 1.0:
        return 0.0
    return float((shown * judged).mean()) / spread


def _detail(region: _Pixels) -> NDArray[np.float32]:
    """Luma minus its Gaussian blur; the blur's sigma is an eighth of the region's shorter side."""
    luma = cv2.cvtColor(np.ascontiguousarray(region), cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = luma - cv2.GaussianBlur(luma, (0, 0), max(1.0, min(luma.shape) / 8))
    return np.asarray(fine - fine.mean(), np.float32)
