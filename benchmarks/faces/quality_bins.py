"""Define the measures of a face's quality and the bins for which error rates are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from benchmarks.faces.embeddings import Measured

Figures = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """One field of ``consent_gate.model.Quality``."""

    field: str
    """Name of the field in ``Quality`` and ``QualityThresholds``."""
    label: str
    edges: tuple[float, ...]
    """Ascending."""
    poor_is_high: bool = False

    def of(self, faces: Sequence[Measured]) -> Figures:
        """The value of each face, shape (faces,). A face must have been found in all of them."""
        return np.array([getattr(face.quality, self.field) for face in faces], dtype=np.float64)


MEASURES = (
    Measure("height_px", "height, px", (20, 28, 40, 56, 80, 112)),
    Measure("sharpness", "sharpness", (1, 1.5, 2, 3, 5, 10, 30, 60, 120, 250, 500)),
    Measure("yaw", "yaw", (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8), poor_is_high=True),
    Measure("brightness", "brightness", (2, 4, 6, 12, 24, 48, 96)),
    Measure("contrast", "contrast", (1, 2, 3, 6, 12, 24, 48)),
    Measure("mirror_agreement", "mirror agreement", (0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97)),
)


def bins(measure: Measure, values: Figures) -> list[tuple[float, NDArray[np.bool_]]]:
    """(lower edge, mask of the values in the bin) of each bin that is not empty."""
    edges = (-np.inf, *measure.edges, np.inf)
    parted = [(low, (values >= low) & (values < high)) for low, high in pairwise(edges)]
    return [(low, chosen) for low, chosen in parted if chosen.any()]
