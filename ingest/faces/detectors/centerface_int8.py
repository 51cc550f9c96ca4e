"""CenterFace with 8-bit arithmetic, for searching at many angles in half the time.

``python -m benchmarks.coverage.quantise`` made the file from the same weights. Its scores are a
little lower than those of the original, so it only proposes places, and the original verifies them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.errors import ModelUnavailable
from ingest.faces.detectors.boxes import padded_to
from ingest.faces.detectors.centerface import INPUT, MULTIPLE, CenterFace
from ingest.faces.detectors.onnx import session, with_byte_input, with_joined_heads
from ingest.faces.face_map import LogOdds, with_face_map
from ingest.faces.protocols import RGB, Detection

MODEL = Path(__file__).parents[1] / "models" / "centerface_int8.onnx"
SHA256 = "9b495b19b87f55873dcc13afb963cb18ff9eb56adab9a6ce0b2bfe98505bf343"


class CenterFaceInt8(CenterFace):
    """``CenterFace`` with 8-bit weights and arithmetic.

    Raises:
        ModelUnavailable: The file is missing or not the one that was measured.
    """

    name = "centerface_int8"

    def __init__(self, floor: float = 0.1) -> None:
        model = with_joined_heads(with_byte_input(quantised_model(), INPUT))
        self._session = session(model, integer=True)
        self._floor = floor

    def _run(self, rgb: RGB) -> list[NDArray[np.float32]]:
        four = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA), np.uint8)
        picture = padded_to(four, MULTIPLE)
        outputs = self._session.run(None, {INPUT: picture[np.newaxis]})
        return cast(list[NDArray[np.float32]], outputs)


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

    def __init__(self, floor: float = 0.1) -> None:
        model = with_face_map(with_byte_input(quantised_model(), INPUT))
        self._session = session(with_joined_heads(model), integer=True)
        self._floor = floor

    def detect_and_map(self, rgb: RGB) -> tuple[list[Detection], LogOdds]:
        """The boxes in ``rgb`` (height, width, 3; uint8; RGB), best first, and its map."""
        outputs = self._run(rgb)
        return self._detections(outputs), outputs[4][0, 0]
