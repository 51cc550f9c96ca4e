"""Measure the quality of a face and compare it with the thresholds for matching.

The measurements come from the aligned 112x112 RGB crop, except the height, which is that of the
found box, and the yaw, which comes from the landmarks. ``benchmarks/faces/recognition.py`` measures
the error rates by quality on which the thresholds rest.
"""

from __future__ import annotations

import cv2
import numpy as np

from consent_gate.matching.thresholds import QualityThresholds
from consent_gate.model import Quality
from ingest.faces.protocols import RGB, FoundFace, Landmarks

NO_MIRROR_AGREEMENT = 0.0
"""Mirror agreement of a face that was not embedded."""


def measure(face: FoundFace, crop: RGB, mirror_agreement: float) -> Quality:
    """Measure one found face.

    Args:
        face: The face as found.
        crop: Aligned, shape (112, 112, 3), dtype uint8, colour order RGB.
        mirror_agreement: Cosine between the embeddings of the crop and of its mirror image.
    """
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return Quality(
        height_px=face.box.height,
        sharpness=float(cv2.Laplacian(luma, cv2.CV_64F).var()),
        yaw=yaw(face.landmarks),
        brightness=float(luma.mean()),
        contrast=float(luma.std()),
        mirror_agreement=mirror_agreement,
    )


def turn(landmarks: Landmarks) -> float:
    """Distance of the nose from the point midway between the eyes, along their line.

    The unit is the distance of the eyes: 0 is frontal, about 0.5 a head turned by 45 degrees. It is
    positive where the nose points to the right of the picture. Infinity where both eyes are at the
    same point, as in a full profile. A flat picture of a face that is turned keeps its value,
    because the nose stays between the eyes where it was.
    """
    right, left, nose = landmarks[:3].astype(np.float64)
    axis = left - right
    length = float(np.linalg.norm(axis))
    if not length > 1e-6:
        return float("inf")
    return float((nose - (right + left) / 2) @ axis) / length**2


def yaw(landmarks: Landmarks) -> float:
    """How far the head is turned to either side: the amount of ``turn``."""
    return abs(turn(landmarks))


def quality_failure(
    quality: Quality, floors: QualityThresholds, *, embedded: bool = True
) -> str | None:
    """A short phrase for staff on the first threshold that is not met, or None.

    ``embedded=False`` skips the mirror agreement, which is unknown before embedding. The
    comparisons are written so that NaN does not meet a threshold.
    """
    checks = [
        (quality.height_px >= floors.height_px, "the face is too small"),
        (quality.yaw <= floors.yaw, "the face is turned too far"),
        (quality.brightness >= floors.brightness, "the face is too dark"),
        (quality.contrast >= floors.contrast, "the face has too little contrast"),
        (quality.sharpness >= floors.sharpness, "the face is blurred"),
        (
            not embedded or quality.mirror_agreement >= floors.mirror_agreement,
            "the face can't be measured reliably",
        ),
    ]
    return next((phrase for passed, phrase in checks if not passed), None)
