"""What was measured of one face of a picture."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from consent_gate.model import NotMatched, Quality


@dataclass(frozen=True, eq=False)
class MeasuredFace:
    """The measurement of one face: a refusal, or its quality and SFace vector."""

    refusal: NotMatched | None
    quality: Quality | None = None
    vector: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
