"""RetinaFace with a MobileNet-0.25 backbone (Deng et al. 2020; biubug6/Pytorch_Retinaface).

It adds nothing to the others (``benchmarks.faces.detection``): the product does without it.

The decoding follows the paper's anchors: two per cell on strides 8, 16 and 32, variances 0.1 and
0.2. The input is BGR less the ImageNet means the network was trained with.
"""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.faces.weights import RETINAFACE
from consent_gate.errors import ModelUnavailable
from ingest.faces.detectors.boxes import best_of_each, padded_to
from ingest.faces.detectors.onnx import session
from ingest.faces.protocols import RGB, Detection
from ingest.faces.weights import locate

MODEL_SHA256 = "b7a7acab55e104dce6f32cdfff929bd83946da5cd869b9e2e9bdffafd1b7e4a5"
"""Of the ONNX model inside the package's bytes literal."""
MEAN_RGB = (127.0, 117.0, 104.0)
STRIDES = ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
OVERLAP = 0.45
"""Boxes of one pass that overlap more are one face."""
MULTIPLE = 32


class RetinaFace:
    """Gives landmarks in the order of ``protocols.Landmarks``.

    Raises ModelUnavailable when its weights are missing or others than measured.
    """

    name = "retinaface"

    def __init__(self, floor: float = 0.1) -> None:
        self._session = session(_model())
        self._floor = floor

    def detect(self, rgb: RGB) -> list[Detection]:
        """Boxes in ``rgb`` (height, width, 3, uint8, RGB) over the floor, best first."""
        padded = padded_to(rgb, MULTIPLE)
        height, width = padded.shape[:2]
        blob = cv2.dnn.blobFromImage(padded, mean=MEAN_RGB, swapRB=True)
        boxes, scores, points = (out[0] for out in self._session.run(None, {"input": blob}))
        sure = np.flatnonzero(scores[:, 1] > self._floor)
        anchors = _anchors(width, height)[sure]
        rects = _boxes(boxes[sure], anchors)
        confidence = scores[sure, 1]
        offsets = points[sure].reshape(-1, 5, 2) * 0.1
        landmarks = anchors[:, None, :2] + offsets * anchors[:, None, 2:]
        return best_of_each(self.name, rects, confidence, landmarks, OVERLAP)


def _model() -> bytes:
    """The ONNX bytes, read out of the package's source without running it."""
    tree = ast.parse(locate(RETINAFACE).read_bytes())
    statement = tree.body[0]
    model = ast.literal_eval(statement.value) if isinstance(statement, ast.Assign) else b""
    if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
        raise ModelUnavailable("The RetinaFace model is not the one that was measured.")
    return bytes(model)


@lru_cache(maxsize=8)
def _anchors(width: int, height: int) -> NDArray[np.float32]:
    """Centre x, centre y, width, height in pixels, in the network's order."""
    grids = []
    for stride, sizes in STRIDES:
        ys, xs = np.mgrid[0 : -(-height // stride), 0 : -(-width // stride)]
        centres = np.stack([xs.ravel(), ys.ravel()], axis=1).astype(np.float32)
        centres = np.repeat((centres + 0.5) * stride, len(sizes), axis=0)
        sides = np.tile(np.array(sizes, np.float32), len(centres) // len(sizes))
        grids.append(np.column_stack([centres, sides, sides]))
    return np.concatenate(grids).astype(np.float32)


def _boxes(raw: NDArray[np.float32], anchors: NDArray[np.float32]) -> NDArray[np.float32]:
    """x, y, width, height in pixels."""
    centres = anchors[:, :2] + raw[:, :2] * 0.1 * anchors[:, 2:]
    sizes = anchors[:, 2:] * np.exp(raw[:, 2:] * 0.2)
    return np.concatenate([centres - sizes / 2, sizes], axis=1)
