"""Fits a network with one hidden layer to the features of places."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.coverage.adam import Adam
from ingest.faces.place_classifier import Perceptron

UNITS = 48
EPOCHS = 6
BATCH = 256
RATE = 1e-3
"""The first learning rate."""
DECAY = 3e-3
DROPPED = 0.3
"""Share of the features that is left out at each step, so that no feature counts alone."""
OTHERS_WEIGHT = 1.5
"""Weight of all places without a face together, against that of all faces."""


def fitted_network(
    features: NDArray[np.float16], labels: NDArray[np.bool_], seed: int = 0
) -> Perceptron:
    """The network that separates the rows with a label from the others."""
    rng = np.random.default_rng(seed)
    count, width = features.shape
    sample = features[::3].astype(np.float32)
    spread = sample.std(axis=0)
    model = Perceptron(
        sample.mean(axis=0),
        spread + 0.01 * spread.mean() + np.float32(1e-3),
        rng.normal(0, math.sqrt(2 / width), (width, UNITS)).astype(np.float32),
        np.zeros(UNITS, np.float32),
        rng.normal(0, math.sqrt(1 / UNITS), UNITS).astype(np.float32),
        np.zeros(1, np.float32),
    )
    of_faces = count / (2 * labels.sum())
    weights = np.where(labels, of_faces, OTHERS_WEIGHT * count / (2 * (~labels).sum()))
    arrays = [model.hidden, model.hidden_bias, model.output, model.output_bias]
    adam = Adam(arrays, EPOCHS * (count // BATCH), RATE, DECAY)
    for _ in range(EPOCHS):
        order = rng.permutation(count)
        for start in range(0, count - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            inputs = model.standardised(features[rows].astype(np.float32))
            kept = rng.random(inputs.shape, dtype=np.float32) > DROPPED
            inputs *= kept / np.float32(1 - DROPPED)
            adam.step(_slopes(model, inputs, labels[rows], weights[rows].astype(np.float32)))
    return model


def averaged(networks: Sequence[Perceptron]) -> Perceptron:
    """One network that gives the mean of the log-odds of several with the same mean and spread."""
    first, count = networks[0], np.float32(len(networks))
    return Perceptron(
        first.mean,
        first.spread,
        np.concatenate([network.hidden for network in networks], axis=1),
        np.concatenate([network.hidden_bias for network in networks]),
        np.asarray(np.concatenate([network.output for network in networks]) / count, np.float32),
        np.asarray(sum(network.output_bias for network in networks) / count, np.float32),
    )


def _slopes(
    model: Perceptron,
    inputs: NDArray[np.float32],
    labels: NDArray[np.bool_],
    weight: NDArray[np.float32],
) -> list[NDArray[np.float32]]:
    """The slope of the loss of one batch, for each array of the network.

    Args:
        model: The network.
        inputs: Standardised features.
        labels: Whether they show a face.
        weight: The weights of the rows.
    """
    units = np.maximum(inputs @ model.hidden + model.hidden_bias, 0)
    log_odds = units @ model.output + model.output_bias
    wrong = weight * (1 / (1 + np.exp(-log_odds)) - labels) / np.float32(len(labels))
    back = np.where(units > 0, wrong[:, None] * model.output, 0).astype(np.float32)
    return [inputs.T @ back, back.sum(axis=0), units.T @ wrong, wrong.sum(keepdims=True)]
