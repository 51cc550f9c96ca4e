"""Embed faces with dlib's ResNet through ``face_recognition``: the second opinion.

Only the encoding of ``face_recognition`` is used. Its detectors find too few children
(docs/adr/0003), and its loader ignores the orientation of phone pictures.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ingest.faces.align import dlib_square
from ingest.faces.embedders.face_recognition_import import import_face_recognition
from ingest.faces.protocols import RGB, FoundFace, Landmarks
from ingest.faces.weights import DLIB_RESNET


class DlibEmbedder:
    """Gives 128 numbers a face in about 140 ms on one core, and holds the GIL meanwhile.

    The 5-point landmark model aligns the face inside the square that ``dlib_square`` derives from
    the detector's landmarks.
    """

    name = "dlib"
    version = DLIB_RESNET.sha256[:12]
    dimensions = 128

    def __init__(self) -> None:
        """Load the verified weights.

        Raises:
            ModelUnavailable: A weight file is missing or is not the one that was measured.
        """
        self._face_recognition = import_face_recognition()

    def embed(self, rgb: RGB, faces: Sequence[FoundFace]) -> NDArray[np.float32]:
        """One unit-length row per face, shape (len(faces), 128); NaN where it failed."""
        rows = [self._embed_one(rgb, face.landmarks) for face in faces]
        return np.array(rows, dtype=np.float32).reshape(len(faces), self.dimensions)

    def _embed_one(self, rgb: RGB, landmarks: Landmarks) -> NDArray[np.float32]:
        left, top, side = dlib_square(landmarks)
        window, x, y = _window(rgb, left, top, side)
        if window.size == 0:
            return np.full(self.dimensions, np.nan, np.float32)
        box = (top - y, left - x + side, top - y + side, left - x)  # top, right, bottom, left
        vector: NDArray[np.float64]
        (vector,) = self._face_recognition.face_encodings(window, [box], model="small")
        length = float(np.linalg.norm(vector))
        if not np.isfinite(length) or length < 1e-6:
            return np.full(self.dimensions, np.nan, np.float32)
        return (vector / length).astype(np.float32)


def _window(rgb: RGB, left: int, top: int, side: int) -> tuple[RGB, int, int]:
    """The square with a margin of one side, which saves dlib 24 MP, and its left and top."""
    height, width = rgb.shape[:2]
    x, y = min(max(left - side, 0), width), min(max(top - side, 0), height)
    right, bottom = max(left + 2 * side, x), max(top + 2 * side, y)
    return np.ascontiguousarray(rgb[y:bottom, x:right]), x, y
