"""The protocols of detectors, finders and embedders, and the values that they exchange.

Images are ``numpy`` arrays of shape (height, width, 3), dtype uint8, colour order **RGB**, upright.
Coordinates are pixels, origin top left, x to the right. "Right eye" is the person's own right
eye, which is on the left of the picture: the order used by YuNet and SFace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from consent_gate.model import Box, FaceKind

RGB = NDArray[np.uint8]
"""Shape (height, width, 3), dtype uint8, colour order RGB, upright."""

Landmarks = NDArray[np.float32]
"""Shape (5, 2): right eye, left eye, nose tip, right mouth corner, left mouth corner; x, y."""


@dataclass(frozen=True, eq=False)
class Detection:
    """One box from one detector, in pixels of the array it was given."""

    x: float
    y: float
    width: float
    height: float
    score: float
    """The detector's own confidence, 0-1; not comparable between detectors."""
    landmarks: Landmarks | None
    """None where the detector finds none."""
    detector: str
    """Name of the detector."""


class Detector(Protocol):
    """Finds boxes in one image at the given size; the finder adds scales, tiles and merging."""

    name: str

    def detect(self, rgb: RGB) -> list[Detection]:
        """All boxes with a score above the detector's threshold, best first."""
        ...


@dataclass(frozen=True, eq=False)
class FoundFace:
    """A face or possible face, as decided by the ensemble."""

    box: Box
    """Clipped to the image; never empty."""
    score: float
    """Confidence of the ensemble, 0-1."""
    kind: FaceKind
    landmarks: Landmarks
    """From the best detector that finds landmarks."""


class FaceFinder(Protocol):
    """Finds every face of a picture; see ``ingest.faces.finder``."""

    def find(self, rgb: RGB) -> list[FoundFace]:
        """All faces and possible faces of a picture.

        ``rgb`` has shape (height, width, 3), dtype uint8, colour order RGB, upright.
        """
        ...


class Embedder(Protocol):
    """Turns aligned faces into vectors."""

    name: str
    version: str
    """Hexadecimal digits of a SHA-256: the first 12 of the weight file's, or all 64 over file and
    input form of the school's own model. Templates of another version are never compared."""
    dimensions: int

    def embed(self, rgb: RGB, faces: Sequence[FoundFace]) -> NDArray[np.float32]:
        """One unit-length row per face, shape (len(faces), dimensions); NaN where it failed."""
        ...
