"""Every face in a picture: several detectors at several sizes, and how far they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from consent_gate.model import Box, FaceKind
from ingest.faces.detectors import CenterFace, RetinaFace, YuNet
from ingest.faces.merge import Candidate, merge
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace, Landmarks

SURE = {"yunet": 0.8, "centerface": 0.7, "retinaface": 0.9}
FLOOR = {"yunet": 0.5, "centerface": 0.3, "retinaface": 0.5}
SMALLEST = 16
OVERVIEW = 1280

TEMPLATE = np.array(
    [[0.31, 0.46], [0.69, 0.46], [0.50, 0.64], [0.35, 0.82], [0.65, 0.82]], dtype=np.float32
)
"""Where the landmarks of an upright frontal face lie in its box."""


class FaceFinder:
    """Finds the faces of one picture with several detectors."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._detectors = tuple(detectors)

    def find(self, rgb: RGB) -> list[FoundFace]:
        """All faces and possible faces in ``rgb`` (height, width, 3, uint8, RGB)."""
        height, width = rgb.shape[:2]
        if min(height, width) < SMALLEST:
            return []
        scale = min(OVERVIEW / max(height, width), 2.0)
        size = (max(32, round(width * scale)), max(32, round(height * scale)))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        found = [
            _scaled(detection, width / size[0], height / size[1])
            for detector in self._detectors
            for detection in detector.detect(small)
            if detection.score >= FLOOR[detection.detector]
        ]
        faces = [_face(candidate, width, height) for candidate in merge(found)]
        return [face for face in faces if face is not None]


def default_finder() -> FaceFinder:
    """The product's finder. Raises ModelUnavailable when weights are missing or altered."""
    cv2.setNumThreads(1)
    return FaceFinder([YuNet(), RetinaFace(), CenterFace()])


def _face(candidate: Candidate, width: int, height: int) -> FoundFace | None:
    left, top = np.maximum(np.floor(candidate.box[:2]), 0).astype(int)
    right, bottom = np.ceil(candidate.box[:2] + candidate.box[2:]).astype(int)
    right, bottom = min(right, width), min(bottom, height)
    if right <= left or bottom <= top:
        return None
    sure = len(candidate.scores) > 1 or any(
        score >= SURE[name] for name, score in candidate.scores.items()
    )
    landmarks = candidate.landmarks
    if landmarks is None:
        landmarks = estimated_landmarks(Box(left, top, right - left, bottom - top))
    return FoundFace(
        Box(int(left), int(top), int(right - left), int(bottom - top)),
        max(candidate.scores.values()),
        FaceKind.FACE if sure else FaceKind.POSSIBLE,
        landmarks,
    )


def estimated_landmarks(box: Box) -> Landmarks:
    """Where the landmarks of an upright frontal face would lie."""
    size = np.array([box.width, box.height], np.float32)
    return np.asarray(TEMPLATE * size + np.array([box.x, box.y], np.float32), dtype=np.float32)


def _scaled(detection: Detection, across: float, down: float) -> Detection:
    points = detection.landmarks
    return replace(
        detection,
        x=detection.x * across,
        y=detection.y * down,
        width=detection.width * across,
        height=detection.height * down,
        landmarks=None if points is None else points * np.array([across, down], np.float32),
    )
