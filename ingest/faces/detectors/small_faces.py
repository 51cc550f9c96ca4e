"""Propose small faces whose score in CenterFace is as low as that of texture.

Behind dark glasses, a scarf or the edge of the picture, a small face often has no score that could
be told from texture, but the inner layers of CenterFace still respond to its parts. At each peak of
the scores a network with one hidden layer reads four of these layers. It tells whether a face is
there, where its middle lies, how high it is and how much it is rotated.
``python -m benchmarks.coverage.fit_small_faces`` fitted it on half of the test photos; see
docs/adr/0003.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from ingest.faces.protocols import Detection
from ingest.faces.weights import own_arrays

WEIGHTS = Path(__file__).parents[1] / "models" / "small_faces.npz"
SHA256 = "e0ede2b5cabf01e487e58310012f2330fbdc454f57ce0bb34ead4f70a033c163"
NAME = "small_faces"
"""The detector's name in its detections."""
CELL, HEAT_CELL = 8, 4
"""Sides in pixels of the cells that are judged, and of those of the scores."""
MIN_HEAT = 0.003
"""Score of CenterFace from which a peak is judged. 99 % of the cells of faces have as much."""
MIN_LOG_ODDS = 0.0
"""The network's log-odds from which a face is proposed."""
SCORE = 0.05
"""The score of all detections: low, because another classifier has to confirm them."""
HEIGHT, SIZES, MAX_SIZES = 25.0, 0.4, 1.3
"""Pixels of a face of size 0; change of the logarithm of the height with the size; largest size."""
STEP = 16.0
"""Pixels by which a face is beside the middle of its cell, to one unit of the network."""
EIGHTH_OF_A_TURN = 45.0
"""Degrees of rotation to one unit of the network, and the largest rotation."""
WIDTH = 0.77
"""Width of a face's box in heights."""
LANDMARKS = np.array([[-0.15, -0.04], [0.15, -0.04], [0, 0.14], [-0.12, 0.32], [0.12, 0.32]])
"""Where the landmarks of an upright face lie around its middle, in heights."""
EVEN_AND_ODD = 255
"""The feature of an odd row or column: it tells where in a coarser cell the cell lies."""

Heat = NDArray[np.float32]
"""Scores of CenterFace: (rows, columns), four for one cell."""
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Layer:
    """One layer of the 8-bit CenterFace, and the places in it that are read for a cell."""

    name: str
    cell: int
    """Pixels a side to one place."""
    zero: int
    """The byte that means 0."""
    around: Sequence[tuple[int, int]]
    """Rows and columns from the cell's own place."""

    def features(self, values: Bytes, rows: Indices, columns: Indices) -> Bytes:
        """What the layer (channels, height, width) has around cells: (cells, features)."""
        _, height, width = values.shape
        down, across = np.array(self.around).T
        at_rows = rows[:, None] * CELL // self.cell + down
        at_columns = columns[:, None] * CELL // self.cell + across
        is_outside = (at_rows < 0) | (at_rows >= height) | (at_columns < 0) | (at_columns >= width)
        places = np.clip(at_rows, 0, height - 1) * width + np.clip(at_columns, 0, width - 1)
        around = values.reshape(len(values), -1).take(places, axis=1).transpose(1, 2, 0)
        around[is_outside] = self.zero
        return np.asarray(around.reshape(len(rows), -1), np.uint8)


def _square(first: int, last: int) -> list[tuple[int, int]]:
    places = range(first, last + 1)
    return [(down, across) for down in places for across in places]


LAYERS = (
    Layer("413_QuantizeLinear_Output", 8, 124, [p for p in _square(-2, 2) if sum(map(abs, p)) < 4]),
    Layer("474_QuantizeLinear_Output", 16, 145, _square(-1, 1)),
    Layer("525_QuantizeLinear_Output", 8, 0, _square(-1, 1)),
    Layer("535_QuantizeLinear_Output", 4, 0, _square(-1, 2)),
)
"""The ends of two stages of the network, of 32 and 96 channels; the sum of fine and coarse stages,
and what the heads read, of 24 channels each."""
COARSE = 1
"""Index of the coarse layer: twice as large cells."""


@dataclass(frozen=True, eq=False)
class SmallFaces:
    """The network, for features as bytes, and what rejects most cells before it."""

    gate: Floats
    """One weight for each channel of the coarse layer."""
    gate_bias: Floats | np.float32
    """A cell is rejected where the sum is below 0."""
    hidden: Floats
    """Shape (features, units)."""
    hidden_bias: Floats
    output: Floats
    """Shape (units, 5)."""
    output_bias: Floats

    def detect(self, heat: Heat, layers: Sequence[Bytes], size: tuple[int, int]) -> list[Detection]:
        """The faces that are proposed, each with the score ``SCORE``.

        Args:
            heat: The scores.
            layers: The values of ``LAYERS``, each (channels, height, width).
            size: Height and width in pixels of the picture, without what was added to it.
        """
        rows, columns = self._cells(heat, layers[COARSE], size)
        if not len(rows):
            return []
        values = self.values(features(layers, rows, columns))
        chosen = _largest(values[:, 0], rows, columns)
        return [
            _detection(*cell)
            for cell in zip(values[chosen], rows[chosen], columns[chosen], strict=True)
        ]

    def _cells(self, heat: Heat, coarse: Bytes, size: tuple[int, int]) -> tuple[Indices, Indices]:
        """Rows and columns of the cells to judge: peaks that the coarse layer does not reject."""
        sums = self.gate @ coarse.reshape(len(coarse), -1).astype(np.float32) + self.gate_bias
        is_passed = (sums >= 0).reshape(coarse.shape[1:])
        highest = cv2.dilate(heat, np.ones((3, 3), np.uint8))
        rows, columns = np.nonzero((heat >= MIN_HEAT) & (heat >= highest))
        is_chosen = is_passed[rows // 4, columns // 4]
        is_chosen &= (rows < size[0] / HEAT_CELL) & (columns < size[1] / HEAT_CELL)
        wide = heat.shape[1] // 2
        cells = np.unique(rows[is_chosen] // 2 * wide + columns[is_chosen] // 2)
        return cells // wide, cells % wide

    def values(self, rows: Bytes) -> Floats:
        """Log-odds, right, down, size and rotation, for rows of features: (n, 5)."""
        units = np.maximum(rows.astype(np.float32) @ self.hidden + self.hidden_bias, 0)
        return np.asarray(units @ self.output + self.output_bias, np.float32)


def features(layers: Sequence[Bytes], rows: Indices, columns: Indices) -> Bytes:
    """The features of cells: (cells, 2138)."""
    parts = [
        layer.features(values, rows, columns) for layer, values in zip(LAYERS, layers, strict=True)
    ]
    parity = EVEN_AND_ODD * np.stack([rows % 2, columns % 2], axis=1)
    return np.concatenate([*parts, parity.astype(np.uint8)], axis=1)


def small_faces() -> SmallFaces:
    """The network that was fitted.

    Raises:
        ModelUnavailable: The weight file is missing or is not the one that was measured.
    """
    return SmallFaces(**own_arrays(WEIGHTS, SHA256))


def _largest(log_odds: Floats, rows: Indices, columns: Indices) -> Indices:
    """The cells with enough log-odds, none of whose eight neighbours has more."""
    grid = np.full((rows.max() + 1, columns.max() + 1), -math.inf, np.float32)
    grid[rows, columns] = log_odds
    around = cv2.dilate(grid, np.ones((3, 3), np.uint8))[rows, columns]
    return np.flatnonzero((log_odds >= MIN_LOG_ODDS) & (log_odds >= around))


def _detection(values: Floats, row: int, column: int) -> Detection:
    """The face that a cell proposes, in pixels."""
    _, right, down, size, turn = (float(value) for value in values)
    x, y = CELL * (column + 0.5) + STEP * right, CELL * (row + 0.5) + STEP * down
    height = HEIGHT * math.exp(SIZES * min(max(size, -MAX_SIZES), MAX_SIZES))
    angle = math.radians(EIGHTH_OF_A_TURN * min(max(turn, -1), 1))
    turned = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    landmarks = np.array([x, y]) + height * LANDMARKS @ turned
    corner = x - WIDTH * height / 2, y - height / 2
    marks = landmarks.astype(np.float32)
    return Detection(*corner, WIDTH * height, height, SCORE, marks, NAME)
