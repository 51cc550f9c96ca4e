"""Fit the detectors' weights in the ensemble on the fit half of the crowd pictures."""

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
"""Lowest score of each measured detector, in the product or not."""
EXTRA_LOG_ODDS = ((40, 2.0), (20, 0.0), (12, 1.5), (0, 5.0))
"""(Lowest height in pixels, log-odds required beyond those of a box of 20-40 px)."""
ANY_HEIGHT = ((0, 0.001),)
"""Accepts almost every box, whatever its height."""
SMALLEST_FITTED = 9.0
"""Height in pixels. Smaller boxes are too many and too uncertain for the fit."""
SHRINKAGE = 1.0
"""Precision of the normal prior of the logistic regression's weights."""

DetectionsByFile = Mapping[str, Sequence[Detection]]
"""By file name: all detections of the tested detectors in the tested views."""


def fitted(detections: DetectionsByFile, faces: Mapping[str, Sequence[Face]]) -> DetectorEnsemble:
    """Fit the weights by logistic regression over the candidate boxes; no cut-off yet."""
    names = sorted({d.detector for seen in detections.values() for d in seen})
    rows, labels = [], []
    for file, seen in detections.items():
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
    """Require these log-odds of boxes of 20-40 px, and ``EXTRA_LOG_ODDS`` more of others."""
    needed = tuple(
        (height, float(1 / (1 + np.exp(-(cutoff + more))))) for height, more in EXTRA_LOG_ODDS
    )
    return replace(agreement, possible_from=needed)


def chosen_cutoff(
    detections: DetectionsByFile,
    faces: Mapping[str, Sequence[Face]],
    sizes: Mapping[str, tuple[int, int]],
    agreement: DetectorEnsemble,
    most_false: float,
) -> float:
    """The lowest cut-off with at most ``most_false`` false boxes a picture."""
    return recall(ranked(detections, sizes, agreement), faces, most_false).cutoff


def ranked(
    detections: DetectionsByFile, sizes: Mapping[str, tuple[int, int]], agreement: DetectorEnsemble
) -> dict[str, Boxes]:
    """The product's boxes, however little believed, scored by log-odds over what their height
    needs at cut-off 0. ``sizes``: width and height of the pictures."""
    anything = replace(agreement, possible_from=ANY_HEIGHT)
    at_zero = with_cutoff(agreement, 0.0)
    ranked_boxes = {}
    for file, seen in detections.items():
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
