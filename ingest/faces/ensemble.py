"""How far the detectors agree that a candidate is a face.

One logistic regression over each detector's best score. A detector that saw nothing counts as if
it had given just under its floor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from consent_gate.model import FaceKind

FLOORS: Mapping[str, float] = {"yunet": 0.1, "centerface": 0.1}
"""Scores below these say nothing; the detectors are built with them."""
UNSEEN = 0.7
"""A detector that saw nothing is taken to have given this share of its floor."""
FACE_FROM = 0.5
"""Belief from which a candidate that two detectors saw is a face."""


@dataclass(frozen=True)
class DetectorEnsemble:
    """What each detector's word weighs, and how much belief is needed."""

    weights: Mapping[str, float]
    """Of the log-odds of each detector's best score."""
    intercept: float
    floors: Mapping[str, float]
    """The least score that each detector gives."""
    possible_from: tuple[tuple[float, float], ...]
    """(height in pixels of the picture, belief needed from that height up), tallest first."""

    def probability(self, scores: Mapping[str, float]) -> float:
        """Probability, 0-1, that a candidate with these best scores by detector is a face."""
        return 1 / (1 + math.exp(-self.log_odds(scores)))

    def log_odds(self, scores: Mapping[str, float]) -> float:
        """The belief as log-odds."""
        return self.intercept + sum(
            weight * score_log_odds(scores.get(name, UNSEEN * self.floors[name]))
            for name, weight in self.weights.items()
        )

    def keep_margin(self, scores: Mapping[str, float], height: float) -> float:
        """Log-odds above what a box of this height needs to be kept; negative: not kept."""
        needed = next(least for from_height, least in self.possible_from if height >= from_height)
        return self.log_odds(scores) - score_log_odds(needed)

    def kind(self, scores: Mapping[str, float], height: float) -> FaceKind | None:
        """``face`` where detectors agree, ``possible`` where one half believes, else None."""
        if self.keep_margin(scores, height) < 0:
            return None
        agreed = len(scores) > 1 and self.probability(scores) >= FACE_FROM
        return FaceKind.FACE if agreed else FaceKind.POSSIBLE


def score_log_odds(score: float) -> float:
    """Natural log-odds of a score, kept within 0.001-0.999."""
    clipped = min(max(score, 0.001), 0.999)
    return math.log(clipped / (1 - clipped))


FITTED_ENSEMBLE = DetectorEnsemble(
    weights={"yunet": 0.547, "centerface": 1.782},
    intercept=0.929,
    floors=FLOORS,
    possible_from=((40, 0.1431), (20, 0.0221), (12, 0.092), (0, 0.7703)),
)
"""Fitted by ``python -m benchmarks.faces.detection --fit`` on the fit half (by hash of the file
name) of 100 crowd pictures from WIDER FACE's validation set, see docs/adr/0003. Least belief is
asked of faces of 20-40 px, where detectors hesitate most and a person may still be recognised;
most below 12 px, where nobody can be and crowds are full of specks."""
