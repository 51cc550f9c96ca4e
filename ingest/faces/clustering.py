"""Boxes of several detectors and views that mean one face become one candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.faces.protocols import Detection, Landmarks

SAME_FACE = 0.4
"""Intersection over union from which two boxes mean the same face."""
GOOD_LANDMARKS = 0.6
"""Score from which a detector's landmarks are taken before those of the next in line."""
LANDMARKS_FROM = ("yunet", "centerface")
"""Whose landmarks to prefer: SFace was published to be used with YuNet's."""

Boxes = NDArray[np.float64]
"""Shape (n, 4): x, y, width, height in pixels."""


@dataclass(frozen=True, eq=False)
class FaceCandidate:
    """One place where at least one detector saw a face."""

    box: NDArray[np.float64]
    """x, y, width, height in pixels: the mean of the members, weighted by their scores squared."""
    scores: dict[str, float]
    """Best score of each detector that saw it."""
    landmarks: Landmarks | None
    """None where no detector gave any."""


def merge_detections(detections: Sequence[Detection]) -> list[FaceCandidate]:
    """Group boxes around the surest ones and average each group; surest first."""
    if not detections:
        return []
    ordered = sorted(detections, key=lambda detection: -detection.score)
    boxes = np.array([[d.x, d.y, d.width, d.height] for d in ordered], dtype=np.float64)
    free = np.ones(len(ordered), dtype=bool)
    candidates: list[FaceCandidate] = []
    for i in range(len(ordered)):
        if not free[i]:
            continue
        rest = np.flatnonzero(free)
        group = rest[overlaps(boxes[i], boxes[rest]) >= SAME_FACE]
        free[group] = False
        free[i] = False  # a box without area overlaps nothing, not even itself
        if len(group):
            candidates.append(_candidate([ordered[j] for j in group], boxes[group]))
    return _without_repeats(candidates)


def overlaps(box: NDArray[np.float64], boxes: Boxes) -> NDArray[np.float64]:
    """Intersection over union of one box with each of ``boxes``."""
    shared = _shared(box, boxes)
    whole = box[2] * box[3] + boxes[:, 2] * boxes[:, 3] - shared
    return np.asarray(shared / np.maximum(whole, 1e-9))


def contained(box: NDArray[np.float64], boxes: Boxes) -> NDArray[np.float64]:
    """Share of ``box`` that lies in each of ``boxes``."""
    return np.asarray(_shared(box, boxes) / max(float(box[2] * box[3]), 1e-9))


def _shared(box: NDArray[np.float64], boxes: Boxes) -> NDArray[np.float64]:
    low = np.maximum(box[:2], boxes[:, :2])
    high = np.minimum(box[:2] + box[2:], boxes[:, :2] + boxes[:, 2:])
    return np.asarray(np.prod(np.clip(high - low, 0, None), axis=1))


def _without_repeats(candidates: list[FaceCandidate]) -> list[FaceCandidate]:
    """Averaging moves boxes: two groups can end on the same face. The surer one keeps its box and
    takes over what spoke for the other: dropped, a face seen by two could look seen by one."""
    kept: list[FaceCandidate] = []
    for candidate in candidates:
        boxes = np.array([other.box for other in kept]).reshape(-1, 4)
        shares = overlaps(candidate.box, boxes)
        if not kept or shares.max() < SAME_FACE:
            kept.append(candidate)
            continue
        same = kept[int(shares.argmax())]
        for name, score in candidate.scores.items():
            same.scores[name] = max(score, same.scores.get(name, 0.0))
    return kept


def _candidate(members: list[Detection], boxes: Boxes) -> FaceCandidate:
    weights = np.array([member.score**2 for member in members])
    best: dict[str, Detection] = {}
    for member in members:  # surest first
        best.setdefault(member.detector, member)
    scores = {name: member.score for name, member in best.items()}
    return FaceCandidate(np.average(boxes, axis=0, weights=weights), scores, _landmarks(best))


def _landmarks(best: dict[str, Detection]) -> Landmarks | None:
    for name in LANDMARKS_FROM:
        member = best.get(name)
        if member is not None and member.landmarks is not None and member.score >= GOOD_LANDMARKS:
            return member.landmarks
    return next((m.landmarks for m in best.values() if m.landmarks is not None), None)
