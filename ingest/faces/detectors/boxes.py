"""Convert the output arrays of a network to detections."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.protocols import RGB, Detection


def padded_to(picture: NDArray[np.uint8], multiple: int) -> NDArray[np.uint8]:
    """The picture with black added right and below until both sides are multiples of ``multiple``.

    The same array where nothing is added. ``picture`` has shape (height, width, channels).
    """
    height, width = picture.shape[:2]
    below, right = -height % multiple, -width % multiple
    if not below and not right:
        return np.ascontiguousarray(picture)
    padded = cv2.copyMakeBorder(picture, 0, below, 0, right, cv2.BORDER_CONSTANT)
    return np.asarray(padded, dtype=np.uint8)


def network_input(rgb: RGB, multiple: int, *, bgr: bool = False) -> NDArray[np.float32]:
    """The picture, padded as by ``padded_to``: shape (1, 3, height, width), 0 to 255.

    It takes a quarter of the time of ``cv2.dnn.blobFromImage``, which gives the same.

    Args:
        rgb: Shape (height, width, 3), dtype uint8, colour order RGB.
        multiple: Both sides become multiples of this.
        bgr: Whether blue comes first in the answer, not red.
    """
    height, width = rgb.shape[:2]
    blob = np.empty((1, 3, height + -height % multiple, width + -width % multiple), np.float32)
    blob[:, :, height:] = 0
    blob[:, :, :, width:] = 0
    for place, channel in zip(blob[0, ::-1] if bgr else blob[0], cv2.split(rgb), strict=True):
        place[:height, :width] = channel
    return blob


def best_of_each(
    name: str,
    rects: NDArray[np.float32],
    scores: NDArray[np.float32],
    landmarks: NDArray[np.float32],
    overlap: float,
) -> list[Detection]:
    """One detection per face, best first: of overlapping boxes the one with the highest score.

    Boxes overlap when their intersection over union is above ``overlap``.
    ``rects`` (n, 4) holds x, y, width, height in pixels, ``scores`` (n,), ``landmarks`` (n, 5, 2).
    """
    kept = cv2.dnn.NMSBoxes(rects.tolist(), scores.tolist(), 0.0, overlap)
    return [
        detection(name, rects[i], scores[i], landmarks[i])
        for i in np.asarray(kept, dtype=int).ravel()
    ]


def detection(
    name: str, rect: NDArray[np.float32], score: float, landmarks: NDArray[np.float32]
) -> Detection:
    """The detection of one row of a network's output; ``landmarks`` has shape (5, 2)."""
    x, y, width, height = (float(value) for value in rect)
    return Detection(x, y, width, height, float(score), landmarks.astype(np.float32), name)
