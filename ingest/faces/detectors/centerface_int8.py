"""CenterFace with 8-bit arithmetic, for searching at many angles in half the time.

``python -m benchmarks.coverage.quantise`` made the file from the same weights. Its scores are a
little lower than those of the original, so it only proposes places, and the original verifies them.
Its inner layers propose small faces that its scores miss (``small_faces``).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.errors import ModelUnavailable
from ingest.faces.detectors.boxes import padded_to
from ingest.faces.detectors.centerface import INPUT, MULTIPLE, CenterFace
from ingest.faces.detectors.onnx import (
    session,
    with_byte_input,
    with_joined_heads,
    with_layers,
)
from ingest.faces.detectors.small_faces import LAYERS, SmallFaces
from ingest.faces.face_map import LogOdds, with_face_map
from ingest.faces.protocols import RGB, Detection

MODEL = Path(__file__).parents[1] / "models" / "centerface_int8.onnx"
HEADS = 4
"""Outputs: heat map, sizes, offsets and landmarks."""
SHA256 = "9b495b19b87f55873dcc13afb963cb18ff9eb56adab9a6ce0b2bfe98505bf343"


class CenterFaceInt8(CenterFace):
    """``CenterFace`` with 8-bit weights and arithmetic.

    Raises:
        ModelUnavailable: The file is missing or not the one that was measured.
    """

    name = "centerface_int8"

    def __init__(self, floor: float = 0.1, small: SmallFaces | None = None) -> None:
        """Open the network.

        Args:
            floor: The score from which a box is a detection.
            small: Also proposes small faces; the detector's name in these is ``small_faces.NAME``.
        """
        self._open(with_byte_input(quantised_model(), INPUT), floor, small)

    def _open(self, model: bytes, floor: float, small: SmallFaces | None) -> None:
        names = [layer.name for layer in LAYERS] if small else []
        self._session = session(with_layers(with_joined_heads(model), names), integer=True)
        self._floor, self._small = floor, small

    def detect(self, rgb: RGB) -> list[Detection]:
        """Boxes with a score above the floor, best first, and then small faces."""
        outputs = self.outputs(rgb)
        return self.scored(outputs) + self._small_faces(outputs, rgb)

    def _run(self, rgb: RGB) -> list[NDArray[np.float32]]:
        return cast(list[NDArray[np.float32]], self.outputs(rgb)[:HEADS])

    def scored(self, outputs: list[Any]) -> list[Detection]:
        """Boxes with a score above the floor in these outputs, best first."""
        return self._detections(outputs)

    def outputs(self, rgb: RGB) -> list[Any]:
        """The outputs of the heads, and the inner layers that ``SmallFaces`` reads, last."""
        four = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), np.uint8)
        picture = padded_to(four, MULTIPLE)
        return list(self._session.run(None, {INPUT: picture[np.newaxis]}))

    def _small_faces(self, outputs: list[Any], rgb: RGB) -> list[Detection]:
        if self._small is None:
            return []
        layers = [values[0] for values in outputs[-len(LAYERS) :]]
        return self._small.detect(outputs[0][0, 0], layers, rgb.shape[:2])


def quantised_model() -> bytes:
    """The verified ONNX file.

    Raises:
        ModelUnavailable: The file is missing or not the one that was measured.
    """
    try:
        data = MODEL.read_bytes()
    except OSError as error:
        raise ModelUnavailable(f"{MODEL.name} is missing from this installation.") from error
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ModelUnavailable(f"{MODEL.name} is not the file that was measured.")
    return data


class MappingCenterFaceInt8(CenterFaceInt8):
    """``CenterFaceInt8`` that also gives a map; see ``face_map``.

    Raises:
        ModelUnavailable: A file is missing or not the one that was measured.
    """

    def __init__(self, floor: float = 0.1, small: SmallFaces | None = None) -> None:
        self._open(with_face_map(with_byte_input(quantised_model(), INPUT)), floor, small)

    def detect_and_map(self, rgb: RGB) -> tuple[list[Detection], LogOdds]:
        """What ``detect`` gives for ``rgb`` (height, width, 3; uint8; RGB), and its map."""
        outputs = self.outputs(rgb)
        return self.scored(outputs) + self._small_faces(outputs, rgb), outputs[HEADS][0, 0]
