"""How good a picture of a face is, and whether that is enough to say whose it is.

Every figure is measured on the aligned 112x112 RGB crop except the height, which is that of the
found box, and the yaw, which comes from the landmarks. The floors are part of the thresholds;
``benchmarks/faces/recognition.py`` shows the error rates by quality that they rest on.
"""

from __future__ import annotations

import cv2
import numpy as np

from consent_gate.matching.thresholds import QualityThresholds
from consent_gate.model import Quality
from ingest.faces.protocols import RGB, FoundFace, Landmarks

UNSEEN_AGREEMENT = 0.0
"""Mirror agreement of a face that wasn't embedded: none was shown."""


def measure(face: FoundFace, crop: RGB, mirror_agreement: float) -> Quality:
    """The measurements of one found face and its aligned crop (112, 112, 3)."""
    luma = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    return Quality(
        height_px=face.box.height,
        sharpness=float(cv2.Laplacian(luma, cv2.CV_64F).var()),
        yaw=yaw(face.landmarks),
        brightness=float(luma.mean()),
        contrast=float(luma.std()),
        mirror_agreement=mirror_agreement,
    )


def yaw(landmarks: Landmarks) -> float:
    """How far the nose lies from midway between the eyes, along their line, in eye distances.

    0 is frontal, about 0.5 is a head turned by 45 degrees. Landmarks whose eyes coincide are a
    full profile at best: infinity.
    """
    right, left, nose = landmarks[:3].astype(np.float64)
    axis = left - right
    length = float(np.linalg.norm(axis))
    if not length > 1e-6:
        return float("inf")
    return abs(float((nose - (right + left) / 2) @ axis)) / length**2


def quality_failure(
    quality: Quality, floors: QualityThresholds, *, embedded: bool = True
) -> str | None:
    """A short phrase for staff naming the first floor missed, or None.

    ``embedded=False`` leaves out the mirror agreement, which isn't known before embedding.
    Written so that a figure that isn't a number counts as missed.
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
