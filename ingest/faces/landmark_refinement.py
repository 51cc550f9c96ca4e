"""Placing the landmarks of a found face anew, looking closely at it alone.

Alignment decides recognition. A face found in an overview may be 50 px high there, and its
landmarks rough. On the 318 members' pictures of the fit half (docs/adr/0004), one
person's pairs over 0.445: 92.4 % with landmarks found at 220 px of face height, 90.9 % at 112 or
160 px, 92.7 % at 300 px at twice the cost (SFace alone, 2026-11-22).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from ingest.faces.detectors.yunet import YuNet
from ingest.faces.protocols import RGB, FoundFace

CROP_SIDE = 220
"""Height in pixels at which the face is looked at; see above."""

ENLARGE = 2.0
"""Most enlargement: what was measured. A smaller face holds no more than that."""

CROP_MARGIN = 1.1
"""Half side of the window around the face, in face sizes: YuNet wants some surroundings."""

SAME_FACE = 0.2
"""Mean distance of landmarks from those found before, in face heights, within which they are
taken to be of the same face. In 300 pictures they moved by 0.026 at most in 99 of 100."""


class LandmarkRefiner:
    """YuNet on a window around one face; about 20 ms a face."""

    def __init__(self) -> None:
        """Load the verified weights. Raises ModelUnavailable."""
        self._yunet = YuNet(floor=0.3)

    def refine(self, rgb: RGB, face: FoundFace) -> FoundFace:
        """The face with better landmarks, or as it was where the close look doesn't find it.

        ``rgb`` has shape (height, width, 3), dtype uint8, colour order RGB.
        """
        box = face.box
        reach = CROP_MARGIN * max(box.width, box.height)
        middle = np.array([box.x + box.width / 2, box.y + box.height / 2])
        left, top = np.maximum(np.floor(middle - reach), 0).astype(int)
        right, bottom = np.ceil(middle + reach).astype(int)
        window = rgb[top:bottom, left:right]
        factor = min(CROP_SIDE / max(box.height, 1), ENLARGE)
        size = tuple(max(round(side * factor), 32) for side in window.shape[1::-1])
        ways = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        near = np.asarray(cv2.resize(window, size, interpolation=ways), np.uint8)
        back = np.array([window.shape[1] / size[0], window.shape[0] / size[1]])
        seen = [
            detection.landmarks * back + np.array([left, top])
            for detection in self._yunet.detect(near)
            if detection.landmarks is not None
        ]
        shifts = [np.linalg.norm(points - face.landmarks, axis=1).mean() for points in seen]
        if not shifts or min(shifts) > SAME_FACE * box.height:
            return face
        return replace(face, landmarks=seen[int(np.argmin(shifts))].astype(np.float32))
