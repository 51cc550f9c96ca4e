"""Boxes of several detectors and passes that mean one face become one candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.faces.protocols import Detection, Landmarks

SAME_FACE = 0.4
"""Intersection over union from which two boxes mean the same face."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One place where at least one detector saw a face."""

    box: NDArray[np.float64]
    """x, y, width, height in pixels: the mean of the members, weighted by their scores."""
    scores: dict[str, float]
    """Best score of each detector that saw it."""
    landmarks: Landmarks | None


def merge(detections: Sequence[Detection]) -> list[Candidate]:
    """Group boxes around the surest ones and average each group."""
    if not detections:
        return []
    ordered = sorted(detections, key=lambda detection: -detection.score)
    boxes = np.array([[d.x, d.y, d.width, d.height] for d in ordered], dtype=np.float64)
    free = np.ones(len(ordered), dtype=bool)
    candidates = []
    for i in range(len(ordered)):
        if not free[i]:
            continue
        group = np.flatnonzero(free & (overlaps(boxes[i], boxes) >= SAME_FACE))
        group = np.union1d(group, [i])
        free[group] = False
        candidates.append(_candidate([ordered[j] for j in group], boxes[group]))
    return candidates


def overlaps(box: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box with each row of ``boxes`` (x, y, width, height)."""
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    whole = np.prod(box[2:]) + np.prod(boxes[:, 2:], axis=1) - shared
    return np.asarray(shared / np.maximum(whole, 1e-9))


def _candidate(members: list[Detection], boxes: NDArray[np.float64]) -> Candidate:
    weights = np.array([member.score for member in members])
    scores: dict[str, float] = {}
    for member in members:
        scores[member.detector] = max(scores.get(member.detector, 0.0), member.score)
    landmarks = next((m.landmarks for m in members if m.landmarks is not None), None)
    return Candidate(np.average(boxes, axis=0, weights=weights), scores, landmarks)
