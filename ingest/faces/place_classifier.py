"""Tell places that show a face from other places, by what CenterFace computes before its heads.

CenterFace's score is low for a face behind a scarf or dark glasses, but its inner layers still
respond to the parts that can be seen. A linear classifier on two of these layers therefore
separates such faces from texture better than the score. Its weights were fitted on half of the
test photos by ``python -m benchmarks.coverage.fit_classifier``; see docs/adr/0003.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.errors import ModelUnavailable
from ingest.faces.detectors.onnx import only_layers, session, with_dynamic_shape
from ingest.faces.protocols import RGB
from ingest.faces.weights import CENTERFACE, locate

WEIGHTS = Path(__file__).parent / "models" / "place_classifier.npz"
SHA256 = "459faa033c077d2e95c1bd5cb99dc487a78cfdcd1a4bd030cda2dbcc2665ad6d"
SIDE, QUICK_SIDE = 128, 64
"""Sides in pixels of the crops that are classified, and of those that are classified first. The
face in the centre is half as high."""
COARSE, FINE = "474", "413"
"""Names of two layers of CenterFace: 96 channels on a grid of 16 px, 32 channels on one of 8 px."""
CELLS = {SIDE: 6, QUICK_SIDE: 4}
"""Cells of 16 px a side around the centre of a crop that count."""


class PlaceFeatures:
    """Computes the features of a crop, in half the time of the whole CenterFace (0.8 or 0.2 ms).

    Raises:
        ModelUnavailable: The weight file is missing or is not the one that was measured.
    """

    def __init__(self) -> None:
        model = with_dynamic_shape(locate(CENTERFACE).read_bytes(), "input.1")
        self._session = session(only_layers(model, (COARSE, FINE)))

    def of(self, crop: RGB) -> NDArray[np.float32]:
        """The features of a square crop (uint8; RGB) of one of both sides.

        Shape (4608,) for ``SIDE``, (2048,) for ``QUICK_SIDE``.
        """
        blob = cv2.dnn.blobFromImage(crop)
        coarse, fine = (out[0] for out in self._session.run([COARSE, FINE], {"input.1": blob}))
        channels, rows, columns = fine.shape
        fine = fine.reshape(channels, rows // 2, 2, columns // 2, 2).mean(axis=(2, 4))
        cells = CELLS[crop.shape[0]]
        edge = (coarse.shape[1] - cells) // 2
        centre = slice(edge, edge + cells)
        return np.concatenate([layer[:, centre, centre].ravel() for layer in (coarse, fine)])


class PlaceClassifier:
    """Gives the log-odds that a crop shows a face in its centre.

    Raises:
        ModelUnavailable: A weight file is missing or is not the one that was measured.
    """

    def __init__(self) -> None:
        self._features = PlaceFeatures()
        self._weights = _weights()

    def log_odds(self, crop: RGB) -> float:
        """The log-odds for a square crop (uint8; RGB) of the side ``SIDE`` or ``QUICK_SIDE``.

        The face, rotated upright and half as high as the crop, is in its centre.
        """
        weights, intercept = self._weights[crop.shape[0]]
        return float(self._features.of(crop) @ weights) + intercept


def _weights() -> dict[int, tuple[NDArray[np.float32], float]]:
    """By side of the crop one weight for each feature, and the intercept."""
    try:
        digest = hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelUnavailable(f"{WEIGHTS.name} is missing from this installation.") from error
    if digest != SHA256:
        raise ModelUnavailable(f"{WEIGHTS.name} is not the file that was measured.")
    with np.load(WEIGHTS, allow_pickle=False) as file:
        return {
            side: (file[f"weights_{side}"].astype(np.float32), float(file[f"intercept_{side}"]))
            for side in (SIDE, QUICK_SIDE)
        }
