"""Steps of a fit (Kingma and Ba: "Adam", 2015)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOMENTUM, SCALE_MOMENTUM = 0.9, 0.999
"""Of the means of slopes and of their squares."""


class Adam:
    """Changes the arrays of a network with one hidden layer in place, batch after batch."""

    def __init__(
        self, weights: Sequence[NDArray[np.float32]], total: int, rate: float, decay: float
    ) -> None:
        """Begin a fit.

        Args:
            weights: Hidden weights and bias, output weights and bias. They are changed.
            total: The number of steps.
            rate: The first learning rate; it falls to 0 along half a cosine.
            decay: Share of the weights that is taken away at each step, times the learning rate.
                The biases keep theirs.
        """
        self._weights = weights
        self._means: list[NDArray[Any]] = [np.zeros_like(one) for one in weights]
        self._squares: list[NDArray[Any]] = [np.zeros_like(one) for one in weights]
        self._total, self._rate, self._decay = total, rate, decay
        self._count = 0

    def step(self, slopes: Sequence[NDArray[Any]]) -> None:
        """Take one step against the slopes of the loss, one for each array."""
        self._count += 1
        rate = self._rate * 0.5 * (1 + np.cos(np.pi * self._count / self._total))
        for index, slope in enumerate(slopes):
            mean = MOMENTUM * self._means[index] + (1 - MOMENTUM) * slope
            square = SCALE_MOMENTUM * self._squares[index] + (1 - SCALE_MOMENTUM) * slope**2
            self._means[index], self._squares[index] = mean, square
            size = np.sqrt(square / (1 - SCALE_MOMENTUM**self._count)) + 1e-8
            decay = self._decay * self._weights[index] if index in {0, 2} else 0
            change = rate * (mean / (1 - MOMENTUM**self._count) / size + decay)
            np.subtract(self._weights[index], change, out=self._weights[index], casting="same_kind")
