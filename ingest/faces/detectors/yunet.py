"""YuNet (Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector", 2023).

The network has no anchors. Each cell of the grids with strides 8, 16 and 32 gives a score (the
geometric mean of the outputs "face" and "object"), a box and five landmarks. The decoding is that
of OpenCV's ``FaceDetectorYN``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.faces.detectors.boxes import best_of_each, network_input
from ingest.faces.detectors.onnx import session, with_dynamic_shape, with_joined_heads
from ingest.faces.protocols import RGB, Detection
from ingest.faces.weights import YUNET, locate

STRIDES = (8, 16, 32)
MULTIPLE = 32
OVERLAP = 0.45
"""Boxes of one pass with a higher intersection over union are one face."""

Level = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
"""Boxes (n, 4), scores (n,), landmarks (n, 5, 2) of one grid."""


class YuNet:
    """The fastest detector; gives landmarks in the order of ``protocols.Landmarks``.

    Raises:
        ModelUnavailable: The weight file is missing or is not the one that was measured.
    """

    name = "yunet"

    def __init__(self, floor: float = 0.1) -> None:
        model = with_dynamic_shape(locate(YUNET).read_bytes(), "input")
        self._session = session(with_joined_heads(model))
        self._floor = floor

    def detect(self, rgb: RGB) -> list[Detection]:
        """Boxes in ``rgb`` (height, width, 3, uint8, RGB) with a score above the floor, best
        first."""
        blob = network_input(rgb, MULTIPLE, bgr=True)
        names = [f"{output}_{s}" for s in STRIDES for output in ("cls", "obj", "bbox", "kps")]
        outputs = [out[0] for out in self._session.run(names, {"input": blob})]
        levels = [
            self._level(stride, blob.shape[3] // stride, outputs[4 * i : 4 * i + 4])
            for i, stride in enumerate(STRIDES)
        ]
        rects, scores, landmarks = (np.concatenate(parts) for parts in zip(*levels, strict=True))
        return best_of_each(self.name, rects, scores, landmarks, OVERLAP)

    def _level(self, stride: int, columns: int, outputs: list[NDArray[np.float32]]) -> Level:
        faces, objects, boxes, points = outputs
        scores = np.sqrt(np.clip(faces, 0, 1) * np.clip(objects, 0, 1))[:, 0]
        selected = np.flatnonzero(scores > self._floor)
        cells = np.stack([selected % columns, selected // columns], axis=1).astype(np.float32)
        centres = (cells + boxes[selected, :2]) * stride
        sizes = np.exp(boxes[selected, 2:]) * stride
        landmarks = (points[selected].reshape(-1, 5, 2) + cells[:, None]) * stride
        rects = np.concatenate([centres - sizes / 2, sizes], axis=1)
        return rects.astype(np.float32), scores[selected], landmarks.astype(np.float32)
