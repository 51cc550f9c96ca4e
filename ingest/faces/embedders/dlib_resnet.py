"""dlib's ResNet, the embedding behind ``face_recognition``: the second opinion.

dlib is called directly: ``face_recognition`` would bring its own detector, and importing it
makes Pillow accept truncated files for the whole process.
"""

from __future__ import annotations

from collections.abc import Sequence

import dlib
import numpy as np
from numpy.typing import NDArray

from consent_gate.errors import ModelUnavailable
from ingest.faces.align import dlib_square
from ingest.faces.protocols import RGB, FoundFace, Landmarks
from ingest.faces.weights import DLIB_LANDMARKS_5, DLIB_RESNET, locate


class DlibEmbedder:
    """128 numbers a face, about 140 ms on one core; holds the GIL meanwhile.

    The 5-point landmark model refines the place of the face inside the square that
    ``dlib_square`` derives from the detector's landmarks.
    """

    name = "dlib"
    version = DLIB_RESNET.sha256[:12]
    dimensions = 128

    def __init__(self) -> None:
        """Load the verified weights. Raises ModelUnavailable."""
        try:
            self._shape = dlib.shape_predictor(str(locate(DLIB_LANDMARKS_5)))
            self._net = dlib.face_recognition_model_v1(str(locate(DLIB_RESNET)))
        except RuntimeError as error:
            raise ModelUnavailable("dlib's face models could not be loaded.") from error

    def embed(self, rgb: RGB, faces: Sequence[FoundFace]) -> NDArray[np.float32]:
        """One unit-length row per face, shape (len(faces), 128); NaN where it failed."""
        rows = [self._embed_one(rgb, face.landmarks) for face in faces]
        return np.array(rows, dtype=np.float32).reshape(len(faces), self.dimensions)

    def _embed_one(self, rgb: RGB, landmarks: Landmarks) -> NDArray[np.float32]:
        left, top, side = dlib_square(landmarks)
        window, x, y = _window(rgb, left, top, side)
        if window.size == 0:
            return np.full(self.dimensions, np.nan, np.float32)
        box = dlib.rectangle(left - x, top - y, left - x + side, top - y + side)
        chip = dlib.get_face_chip(window, self._shape(window, box), size=150, padding=0.25)
        vector = np.array(self._net.compute_face_descriptor(chip), dtype=np.float64)
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length < 1e-6:
            return np.full(self.dimensions, np.nan, np.float32)
        return (vector / length).astype(np.float32)


def _window(rgb: RGB, left: int, top: int, side: int) -> tuple[RGB, int, int]:
    """The square with a side's room around it, so that dlib isn't handed 24 MP; its origin."""
    height, width = rgb.shape[:2]
    x, y = min(max(left - side, 0), width), min(max(top - side, 0), height)
    right, bottom = max(left + 2 * side, x), max(top + 2 * side, y)
    return np.ascontiguousarray(rgb[y:bottom, x:right]), x, y
