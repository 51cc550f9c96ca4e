"""YuNet (Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector", 2023) by OpenCV."""

from __future__ import annotations

import cv2

from ingest.faces.detectors.boxes import detection
from ingest.faces.protocols import RGB, Detection
from ingest.faces.weights import YUNET, locate

SMALLEST_SIDE = 32
"""The network's coarsest stride."""


class YuNet:
    """The cheapest of the detectors; gives landmarks in the order of ``protocols.Landmarks``.

    Raises ModelUnavailable when its weights are missing or others than measured.
    """

    name = "yunet"

    def __init__(self, floor: float = 0.1) -> None:
        self._net = cv2.FaceDetectorYN.create(str(locate(YUNET)), "", (320, 320), floor, 0.45, 5000)

    def detect(self, rgb: RGB) -> list[Detection]:
        """Boxes in ``rgb`` (height, width, 3, uint8, RGB) over the floor, best first."""
        height, width = rgb.shape[:2]
        if min(height, width) < SMALLEST_SIDE:
            return []
        self._net.setInputSize((width, height))
        _, rows = self._net.detect(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        if rows is None:
            return []
        ordered = sorted(rows, key=lambda row: -float(row[14]))
        return [detection(self.name, row[:4], row[14], row[4:14].reshape(5, 2)) for row in ordered]
