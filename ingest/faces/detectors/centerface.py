"""CenterFace (Xu et al.: "CenterFace: joint face detection and alignment using face as point").

The network gives, on a grid of one cell per 4 pixels, the probability that a face is centred
there, its size, the place of its centre in the cell, and five landmarks in units of the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ingest.faces.detectors.boxes import best_of_each, network_input
from ingest.faces.detectors.onnx import session, with_dynamic_shape
from ingest.faces.protocols import RGB, Detection
from ingest.faces.weights import CENTERFACE, locate

CELL = 4
INPUT = "input.1"
MULTIPLE = 32
"""Sides must be multiples of this; the picture is padded, not stretched."""
OVERLAP = 0.3
"""Boxes of one pass with a higher intersection over union are one face, as in the authors' code."""


class CenterFace:
    """Gives landmarks in the order of ``protocols.Landmarks``.

    Raises:
        ModelUnavailable: The weight file is missing or is not the one that was measured.
    """

    name = "centerface"

    def __init__(self, floor: float = 0.1) -> None:
        self._session = session(with_dynamic_shape(locate(CENTERFACE).read_bytes(), INPUT))
        self._floor = floor

    def detect(self, rgb: RGB) -> list[Detection]:
        """Boxes in ``rgb`` (height, width, 3, uint8, RGB) with a score above the floor, best
        first."""
        return self._detections(self._run(rgb))

    def _detections(self, outputs: Sequence[NDArray[np.float32]]) -> list[Detection]:
        """The boxes that the first four outputs of the network describe."""
        heat, size, offset, points = (out[0] for out in outputs[:4])
        rows, columns = np.nonzero(heat[0] > self._floor)
        rects = _boxes(rows, columns, size[:, rows, columns], offset[:, rows, columns])
        landmarks = _landmarks(rects, points[:, rows, columns])
        scores = heat[0, rows, columns]
        return best_of_each(self.name, rects, scores, landmarks, OVERLAP)

    def _run(self, rgb: RGB) -> list[NDArray[np.float32]]:
        """The outputs of the network: heat map, sizes, offsets and landmarks."""
        outputs = self._session.run(None, {INPUT: network_input(rgb, MULTIPLE)})
        return cast(list[NDArray[np.float32]], outputs)


def _boxes(
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    size: NDArray[np.float32],
    offset: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Boxes as x, y, width, height in pixels, shape (n, 4)."""
    height, width = np.exp(size) * CELL
    centre_y = (rows + offset[0] + 0.5) * CELL
    centre_x = (columns + offset[1] + 0.5) * CELL
    boxes = [centre_x - width / 2, centre_y - height / 2, width, height]
    return np.stack(boxes, axis=1).astype(np.float32)


def _landmarks(rects: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Landmarks in pixels, shape (n, 5, 2); the network gives y before x for each point."""
    yx = points.reshape(5, 2, -1).transpose(2, 0, 1)
    landmarks = yx[:, :, ::-1] * rects[:, None, 2:] + rects[:, None, :2]
    return np.asarray(landmarks, dtype=np.float32)
