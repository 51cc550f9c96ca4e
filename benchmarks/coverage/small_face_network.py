"""Fits the network that tells small faces from other cells; see ``fit_small_faces``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from benchmarks.coverage.adam import Adam
from ingest.faces.detectors.small_faces import (
    COARSE,
    LAYERS,
    MIN_HEAT,
    MIN_LOG_ODDS,
    WEIGHTS,
    SmallFaces,
)

UNITS, EPOCHS, ROWS = 48, 5, 512
RATE = 1e-3
DECAY = 3e-3
DROPPED = 0.2
"""Share of the features that is left out at each step."""
MOST = 8.0
"""Spreads from the mean at which a feature is cut off in the fit."""
MOST_WRONG = 1.5
"""Errors of the changes count no more than this."""
OTHERS_WEIGHT = 1.5
"""Weight of all cells without a face together, against that of all cells of faces."""
GATE_LOSES = 0.003
"""Share of the cells of faces that the gate rejects."""
GATE_PENALTY = 1e-3
CHANNELS = (32, 96, 24, 24)
"""Of ``LAYERS``."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells with and without a face."""

    features: NDArray[np.uint8]
    is_face: NDArray[np.bool_]
    changes: Floats
    """Right, down, size and rotation: (n, 4); 0 where there is no face."""
    scores: Floats
    """The highest score of CenterFace in the cell."""

    @staticmethod
    def joined(parts: Sequence[Cells]) -> Cells:
        names = ("features", "is_face", "changes", "scores")
        return Cells(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    @staticmethod
    def read(file: Path) -> Cells:
        with np.load(file, allow_pickle=False) as data:
            return Cells(**{name: data[name] for name in data.files})

    def write(self, file: Path) -> None:
        np.savez(file, allow_pickle=False, **vars(self))


def fit(cells: Cells, check: Cells) -> None:
    """Fit, print what is found in ``check``, and write the weights where the product reads them."""
    hidden, hidden_bias, output, output_bias = _network(cells)
    halves = [array.astype(np.float16).astype(np.float32) for array in (hidden, output)]
    rounded = halves[0], hidden_bias, halves[1], output_bias
    gate, gate_bias = _gate(cells, SmallFaces(np.zeros(1, np.float32), np.float32(0), *rounded))
    network = SmallFaces(gate, gate_bias, *rounded)
    log_odds = network.values(check.features)[:, 0]
    passed = check.features[:, _gate_columns()].astype(np.float32) @ gate + gate_bias >= 0
    for name, chosen in (("faces", check.is_face), ("others", ~check.is_face)):
        found = (log_odds >= MIN_LOG_ODDS) & passed & (check.scores >= MIN_HEAT)
        print(f"{100 * found[chosen].mean():.2f} % of {chosen.sum()} cells of {name}")
    _write(network)
    print("SHA256 =", hashlib.sha256(WEIGHTS.read_bytes()).hexdigest())


def _write(network: SmallFaces) -> None:
    """Write the weights, the large ones with 16 bits."""
    arrays = dict(vars(network))
    arrays |= {name: arrays[name].astype(np.float16) for name in ("hidden", "output")}
    np.savez_compressed(WEIGHTS, allow_pickle=False, **arrays)


def _network(cells: Cells) -> list[Floats]:
    """Weights for features as bytes."""
    rng = np.random.default_rng(0)
    count, width = cells.features.shape
    sample = cells.features[::5].astype(np.float32)
    mean, spread = sample.mean(0), sample.std(0)
    spread = spread + 0.01 * spread.mean() + np.float32(1e-3)
    weights = [
        rng.normal(0, np.sqrt(2 / width), (width, UNITS)).astype(np.float32),
        np.zeros(UNITS, np.float32),
        rng.normal(0, np.sqrt(1 / UNITS), (UNITS, 5)).astype(np.float32),
        np.zeros(5, np.float32),
    ]
    adam = Adam(weights, EPOCHS * (count // ROWS), RATE, DECAY)
    for _ in range(EPOCHS):
        order = rng.permutation(count)
        for start in range(0, count - ROWS + 1, ROWS):
            rows = order[start : start + ROWS]
            inputs = np.clip((cells.features[rows] - mean) / spread, -MOST, MOST)
            inputs = inputs * ((rng.random(inputs.shape, np.float32) > DROPPED) / (1 - DROPPED))
            adam.step(_slopes(weights, inputs, cells, rows))
    hidden = weights[0] / spread[:, None]
    return [hidden, weights[1] - mean @ hidden, *weights[2:]]


def _slopes(
    weights: Sequence[Floats], inputs: NDArray[Any], cells: Cells, rows: NDArray[np.intp]
) -> list[NDArray[Any]]:
    """The slope of the loss of some rows, for each array of weights."""
    hidden, hidden_bias, output, output_bias = weights
    is_face, count = cells.is_face[rows], len(cells.is_face)
    of_faces = count / (2 * cells.is_face.sum())
    of_others = OTHERS_WEIGHT * count / (2 * (~cells.is_face).sum())
    units = np.maximum(inputs @ hidden + hidden_bias, 0)
    values = units @ output + output_bias
    errors = np.zeros_like(values)
    errors[:, 0] = np.where(is_face, of_faces, of_others)
    errors[:, 0] *= 1 / (1 + np.exp(-values[:, 0])) - is_face
    wrong = np.clip(values[:, 1:] - cells.changes[rows], -MOST_WRONG, MOST_WRONG)
    errors[:, 1:] = 0.5 * of_faces * is_face[:, None] * wrong
    errors /= ROWS
    of_units = (errors @ output.T) * (units > 0)
    return [inputs.T @ of_units, of_units.sum(0), units.T @ errors, errors.sum(0)]


def _gate(cells: Cells, network: SmallFaces) -> tuple[Floats, np.float32]:
    """The weights of the coarse layer's channels, and the bias that rejects few faces."""
    chosen = cells.scores >= MIN_HEAT
    labels = cells.is_face[chosen].astype(np.float32)
    rows = cells.features[chosen][:, _gate_columns()].astype(np.float32)
    mean, spread = rows.mean(0), rows.std(0) + 1
    rows = (rows - mean) / spread
    share = np.where(labels > 0, 1 / labels.sum(), 1 / (1 - labels).sum()).astype(np.float32)

    def loss(values: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        log_odds = rows @ values[:-1].astype(np.float32) + np.float32(values[-1])
        slope = share * (1 / (1 + np.exp(-log_odds)) - labels)
        total = float((share * (np.logaddexp(0, log_odds) - labels * log_odds)).sum())
        penalty = GATE_PENALTY * float(values[:-1] @ values[:-1])
        slopes = np.append(slope @ rows + 2 * GATE_PENALTY * values[:-1], slope.sum())
        return total + penalty, slopes.astype(np.float64)

    start, limit = np.zeros(rows.shape[1] + 1), {"maxiter": 60}
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options=limit).x
    weights = (best[:-1] / spread).astype(np.float32)
    is_seen = (labels > 0) & (network.values(cells.features[chosen])[:, 0] >= MIN_LOG_ODDS)
    log_odds = cells.features[chosen][:, _gate_columns()].astype(np.float32) @ weights
    return weights, np.float32(-np.quantile(log_odds[is_seen], GATE_LOSES))


def _gate_columns() -> slice:
    """The columns of the features with the coarse layer at the cell itself."""
    before = CHANNELS[0] * len(LAYERS[0].around)
    first = before + CHANNELS[COARSE] * list(LAYERS[COARSE].around).index((0, 0))
    return slice(first, first + CHANNELS[COARSE])
