"""dlib's HOG detector (Dalal, Triggs 2005; King 2009), the default of ``face_recognition``.

Built into dlib, no weight file. dlib is imported directly: importing ``face_recognition`` makes
Pillow accept truncated pictures, which the gate must not.
"""

from __future__ import annotations

import dlib
import numpy as np

from ingest.faces.protocols import RGB, Detection

SMALLEST_SIDE = 32


class Hog:
    """Finds upright frontal faces of 80 px and more; gives no landmarks."""

    name = "hog"

    def __init__(self, floor: float = 0.0) -> None:
        self._detector = dlib.get_frontal_face_detector()
        self._floor = floor

    def detect(self, rgb: RGB) -> list[Detection]:
        """Boxes in ``rgb`` (height, width, 3, uint8, RGB) over the floor, best first.

        The score is dlib's margin squeezed into 0-1 by a logistic curve.
        """
        if min(rgb.shape[:2]) < SMALLEST_SIDE:
            return []
        boxes, margins, _ = self._detector.run(np.ascontiguousarray(rgb), 0, self._floor)
        return [
            Detection(
                x=float(box.left()),
                y=float(box.top()),
                width=float(box.width()),
                height=float(box.height()),
                score=float(1 / (1 + np.exp(-margin))),
                landmarks=None,
                detector=self.name,
            )
            for box, margin in zip(boxes, margins, strict=True)
        ]
