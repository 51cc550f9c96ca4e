"""The discrete cosine transform of perceptual hashes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def lowest_frequencies(frequencies: int, side: int) -> npt.NDArray[np.float64]:
    """Return the lowest frequencies of the orthonormal DCT-II as a matrix.

    ``scipy.fft`` gives the same numbers, but its import takes 0.2 s in each worker process.

    Args:
        frequencies: How many frequencies.
        side: Number of values that are transformed.

    Returns:
        Shape ``(frequencies, side)``.
    """
    frequency, cell = np.arange(frequencies)[:, None], np.arange(side)
    cosines: npt.NDArray[np.float64] = np.cos(np.pi * frequency * (2 * cell + 1) / (2 * side))
    return cosines * np.sqrt(np.where(frequency == 0, 1, 2) / side)
