"""Fitting what the detectors' words weigh, on the fit half of the crowd pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.faces.crowd import Boxes, Face, matches, recall
from ingest.faces.clustering import merge_detections
from ingest.faces.ensemble import FLOORS as PRODUCT_FLOORS
from ingest.faces.ensemble import UNSEEN, DetectorEnsemble, score_log_odds
from ingest.faces.protocols import Detection
from ingest.faces.resolve import resolve_faces

FLOORS: Mapping[str, float] = {**PRODUCT_FLOORS, "retinaface": 0.08}
"""Of the detectors that are measured, in the product or not."""
NEEDED_MORE = ((40, 2.0), (20, 0.0), (12, 1.5), (0, 5.0))
"""Log-odds asked of a box beyond what is asked of one of 20-40 px, by height from so many px up."""
ANY_HEIGHT = ((0, 0.001),)
"""Next to no belief is needed, whatever the height."""
SMALLEST_FITTED = 9.0
"""Smaller boxes are too many and too vague to learn from."""
SHRINKAGE = 1.0
"""Of the logistic regression: the weights have a normal prior of this precision."""

Sightings = Mapping[str, Sequence[Detection]]
"""By file name, all that the detectors under test saw in the views under test."""


def fitted(sightings: Sightings, faces: Mapping[str, Sequence[Face]]) -> DetectorEnsemble:
    """Weights by logistic regression over the candidates; asks nothing yet of any height."""
    names = sorted({d.detector for seen in sightings.values() for d in seen})
    rows, labels = [], []
    for file, seen in sightings.items():
        candidates = [c for c in merge_detections(seen) if c.box[3] >= SMALLEST_FITTED]
        features = [
            [score_log_odds(c.scores.get(name, UNSEEN * FLOORS[name])) for name in names]
            for c in candidates
        ]
        places = np.array([c.box for c in candidates]).reshape(-1, 4)
        order = np.array([sum(row) for row in features])
        for row, verdict in zip(features, matches(Boxes(places, order), faces[file]), strict=True):
            if verdict is not True:
                rows.append(row)
                labels.append(verdict is not False)
    weights = _logistic(np.array(rows), np.array(labels, dtype=float))
    by_name = dict(zip(names, weights[1:].tolist(), strict=True))
    return DetectorEnsemble(by_name, float(weights[0]), FLOORS, ANY_HEIGHT)


def with_cutoff(agreement: DetectorEnsemble, cutoff: float) -> DetectorEnsemble:
    """Asks these log-odds of boxes of 20-40 px, and accordingly more of others."""
    needed = tuple(
        (height, float(1 / (1 + np.exp(-(cutoff + more))))) for height, more in NEEDED_MORE
    )
    return replace(agreement, possible_from=needed)


def chosen_cutoff(
    sightings: Sightings,
    faces: Mapping[str, Sequence[Face]],
    sizes: Mapping[str, tuple[int, int]],
    agreement: DetectorEnsemble,
    most_false: float,
) -> float:
    """The lowest cut-off with at most so many false boxes a picture."""
    return recall(ranked(sightings, sizes, agreement), faces, most_false).cutoff


def ranked(
    sightings: Sightings, sizes: Mapping[str, tuple[int, int]], agreement: DetectorEnsemble
) -> dict[str, Boxes]:
    """The product's boxes, however little believed, scored by log-odds over what their height
    needs at cut-off 0. ``sizes``: width and height of the pictures."""
    anything = replace(agreement, possible_from=ANY_HEIGHT)
    at_zero = with_cutoff(agreement, 0.0)
    ranked_boxes = {}
    for file, seen in sightings.items():
        found = resolve_faces(seen, *sizes[file], anything)
        places = np.array([face.box.as_list() for face in found], dtype=np.float64)
        needed = [
            next(score_log_odds(least) for height, least in at_zero.possible_from if h >= height)
            for h in places.reshape(-1, 4)[:, 3]
        ]
        scores = np.array([score_log_odds(face.score) for face in found]) - np.array(needed)
        ranked_boxes[file] = Boxes(places.reshape(-1, 4), scores)
    return ranked_boxes


def _logistic(rows: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intercept and weights of a logistic regression, by Newton's method."""
    design = np.column_stack([np.ones(len(rows)), rows])
    prior = SHRINKAGE * np.diag([0.0, *np.ones(rows.shape[1])])
    weights = np.zeros(design.shape[1])
    for _ in range(30):
        expected = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (labels - expected) - prior @ weights
        curvature = (design * (expected * (1 - expected))[:, None]).T @ design + prior
        weights += np.linalg.solve(curvature, gradient)
    return weights
