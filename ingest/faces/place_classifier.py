"""Tell places that show a face from other places, by what CenterFace computes before its heads.

CenterFace's score is low for a face behind a scarf or dark glasses, but its inner layers still
respond to the parts that can be seen. A linear classifier on two of these layers therefore
separates such faces from texture better than the score, and a small network on the same layers
better still. The linear one judges a small crop of each place, the network larger ones. Their
weights were fitted on half of the test photos by ``python -m benchmarks.coverage.fit_classifier``;
see docs/adr/0003.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.faces.detectors.onnx import only_layers, session, with_dynamic_shape
from ingest.faces.nudges import Nudge
from ingest.faces.protocols import RGB
from ingest.faces.weights import CENTERFACE, locate, own_arrays

WEIGHTS = Path(__file__).parent / "models" / "place_classifier.npz"
SHA256 = "e682bc7ead37cdb652aa001a883aa70de87313c173f4f23dd0cfcb2d8032dbf5"
CORRECTION_WEIGHTS = WEIGHTS.with_name("place_corrections.npz")
CORRECTION_SHA256 = "83c5a595854fad4da5436c8fdbe50ce48d240b7353e7d7a9be9fcc1e5480e048"
SIDE, QUICK_SIDE = 128, 64
"""Sides in pixels of the crops that are classified, and of those that are classified first. The
face in the centre is half as high."""
COARSE, FINE = "474", "413"
"""Names of two layers of CenterFace: 96 channels on a grid of 16 px, 32 channels on one of 8 px."""
CELLS = {SIDE: 6, QUICK_SIDE: 4}
"""Cells of 16 px a side around the centre of a crop that count."""
MAX_SPREADS = 8.0
"""A feature farther from its mean counts as one so far."""
MAX_LOG_SIZE = 0.7
"""A correction at most doubles or halves the height of a place."""
EIGHTH_OF_A_TURN = 45.0
"""Degrees by which a correction rotates a place at most."""

Floats = NDArray[np.float32]


class PlaceFeatures:
    """Computes the features of a crop, in half the time of the whole CenterFace (0.8 or 0.2 ms).

    Raises:
        ModelUnavailable: The weight file is missing or is not the one that was measured.
    """

    def __init__(self) -> None:
        model = with_dynamic_shape(locate(CENTERFACE).read_bytes(), "input.1")
        self._session = session(only_layers(model, (COARSE, FINE)))

    def of(self, crops: Sequence[RGB]) -> Floats:
        """The features of square crops (uint8; RGB) of one of both sides.

        Shape (n, 4608) for ``SIDE``, (n, 2048) for ``QUICK_SIDE``.
        """
        blob = np.stack(crops).transpose(0, 3, 1, 2).astype(np.float32)
        coarse, fine = self._session.run([COARSE, FINE], {"input.1": blob})
        pairs = fine[..., ::2] + fine[..., 1::2]
        fine = (pairs[:, :, ::2] + pairs[:, :, 1::2]) / np.float32(4)
        count, cells = len(crops), CELLS[crops[0].shape[0]]
        edge = (coarse.shape[2] - cells) // 2
        centre = slice(edge, edge + cells)
        layers = [layer[:, :, centre, centre].reshape(count, -1) for layer in (coarse, fine)]
        return np.concatenate(layers, axis=1)


class PlaceClassifier:
    """Gives the log-odds that a crop shows a face in its centre.

    In each crop the face is rotated upright, in the centre, and half as high as the crop.

    Raises:
        ModelUnavailable: A weight file is missing or is not the one that was measured.
    """

    def __init__(self) -> None:
        self._features = PlaceFeatures()
        self._quick, self._network = _weights()
        self._corrections = _correction_weights()

    def quick_log_odds(self, crops: Sequence[RGB]) -> list[float]:
        """The log-odds for square crops (uint8; RGB) of the side ``QUICK_SIDE``."""
        return [float(value) for value in self._quick.log_odds(self._features.of(crops))]

    def corrections(self, crops: Sequence[RGB]) -> list[Nudge]:
        """How to move, scale and rotate places to the faces that their small crops show.

        Args:
            crops: Square, of the side ``QUICK_SIDE``; uint8; RGB. They need not show faces.
        """
        return self._corrections.nudges(self._features.of(crops))

    def quick(self, crops: Sequence[RGB]) -> list[tuple[float, Nudge]]:
        """What ``quick_log_odds`` and ``corrections`` give, for the price of one."""
        features = self._features.of(crops)
        log_odds = (float(value) for value in self._quick.log_odds(features))
        return list(zip(log_odds, self._corrections.nudges(features), strict=True))

    def log_odds(self, crop: RGB) -> float:
        """The log-odds for a square crop (uint8; RGB) of the side ``SIDE``."""
        return float(self._network.log_odds(self._features.of([crop]))[0])


@dataclass(frozen=True, eq=False)
class Linear:
    """One weight for each feature."""

    weights: Floats
    """Shape (features,)."""
    intercept: float

    def log_odds(self, features: Floats) -> Floats:
        """The log-odds for rows of features, shape (n,)."""
        return features @ self.weights + np.float32(self.intercept)


@dataclass(frozen=True, eq=False)
class Perceptron:
    """A network with one hidden layer of rectified sums."""

    mean: Floats
    spread: Floats
    """Of each feature, shape (features,)."""
    hidden: Floats
    """Shape (features, units)."""
    hidden_bias: Floats
    output: Floats
    """Shape (units,)."""
    output_bias: Floats
    """Shape (1,)."""

    def log_odds(self, features: Floats) -> Floats:
        """The log-odds for rows of features, shape (n,)."""
        rows = self.standardised(features)
        units = np.maximum(rows @ self.hidden + self.hidden_bias, 0)
        return np.asarray(units @ self.output + self.output_bias, np.float32)

    def standardised(self, features: Floats) -> Floats:
        """The features in spreads from their mean, at most ``MAX_SPREADS``."""
        rows = (features.astype(np.float32) - self.mean) / self.spread
        return np.asarray(np.clip(rows, -MAX_SPREADS, MAX_SPREADS), np.float32)


@dataclass(frozen=True, eq=False)
class Corrections:
    """A network with one hidden layer that tells where in a small crop the face is."""

    mean: Floats
    spread: Floats
    """Of each feature, shape (features,)."""
    hidden: Floats
    """Shape (features, units)."""
    hidden_bias: Floats
    output: Floats
    """Shape (units, 4)."""
    output_bias: Floats
    """Shape (4,)."""

    def values(self, features: Floats) -> Floats:
        """Right, down, logarithm of the size and eighths of a turn for rows of features: (n, 4)."""
        rows = np.clip((features - self.mean) / self.spread, -MAX_SPREADS, MAX_SPREADS)
        units = np.maximum(rows @ self.hidden + self.hidden_bias, 0)
        return np.asarray(units @ self.output + self.output_bias, np.float32)

    def nudges(self, features: Floats) -> list[Nudge]:
        """The corrections for rows of features, within limits."""
        return [
            Nudge(
                float(right),
                float(down),
                math.exp(min(max(float(size), -MAX_LOG_SIZE), MAX_LOG_SIZE)),
                EIGHTH_OF_A_TURN * min(max(float(turn), -1.0), 1.0),
            )
            for right, down, size, turn in self.values(features)
        ]


def _weights() -> tuple[Linear, Perceptron]:
    """The classifiers of the small and of the large crop."""
    arrays = own_arrays(WEIGHTS, SHA256)
    quick = Linear(arrays.pop("quick_weights"), float(arrays.pop("quick_intercept")))
    return quick, Perceptron(**arrays)


def _correction_weights() -> Corrections:
    return Corrections(**own_arrays(CORRECTION_WEIGHTS, CORRECTION_SHA256))
