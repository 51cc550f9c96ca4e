"""Choose the frames of a track that are examined, and keep only the pixels around the face."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from consent_gate.model import Box, FaceKind
from ingest.faces.clustering import merge_detections
from ingest.faces.ensemble import FITTED_ENSEMBLE
from ingest.faces.protocols import RGB, Detector, FoundFace
from ingest.faces.quality import yaw
from ingest.faces.resolve import clipped
from ingest.film.frames import JudgedFrame
from ingest.film.sightings import SAME_FACE, grey_of, place_from, resized, scaled
from ingest.film.tracks import Place, Sighting, overlap

CLOSE_FACE = 96
"""Height in pixels to which a face is scaled for the search of its window."""
MAX_ENLARGEMENT = 2.0
WINDOW = 3.0
"""Side of the square that is kept around a face, as a multiple of the face's longer side."""
WINDOW_FACE = 160
"""Largest height of the face in the kept pixels, in pixels. A larger face is scaled down."""
MIN_LOOK_SPACING = 0.1
"""Seconds between two frames of one part that are examined."""
FULL_SHARPNESS = 150.0
"""Variance of the Laplacian from which more sharpness does not raise the rank."""
FULL_HEIGHT = 120.0
"""Height in pixels from which a larger face does not raise the rank."""


@dataclass(eq=False)
class Candidate:
    """A frame that may be examined: the pixels around the face, and the face in them."""

    time: float
    """Seconds since the first frame."""
    rank: float
    """How good the frame is for comparing the face; larger is better."""
    window: RGB
    face: FoundFace
    enlargement: float
    """Size of the window's pixels: a face of 80 px in the frame has 160 px here at 2."""
    cut_off: bool
    """Whether the edge of the frame cuts the face."""


def keep_best(
    candidates: list[Candidate],
    most: int,
    rank: float,
    frame: JudgedFrame,
    sighting: Sighting,
) -> None:
    """Add a frame to the candidates of the present part of a track if it is among the best.

    Args:
        candidates: The candidates so far; changed in place.
        most: Largest number of candidates.
        rank: Rank of this frame (``rank_of``).
        frame: The judged frame.
        sighting: The face in it.
    """
    near = [one for one in candidates if frame.time - one.time < MIN_LOOK_SPACING]
    if near:
        if rank <= max(one.rank for one in near):
            return
        for one in near:
            candidates.remove(one)
    elif len(candidates) >= most:
        worst = min(candidates, key=lambda one: one.rank)
        if rank <= worst.rank:
            return
        candidates.remove(worst)
    candidates.append(_cut_out(frame, sighting, rank))


def _cut_out(frame: JudgedFrame, sighting: Sighting, rank: float) -> Candidate:
    """Cut out the surroundings of a face; a large face is scaled down."""
    x, y, width, height = sighting.place
    half = WINDOW / 2 * max(width, height)
    frame_height, frame_width = frame.rgb.shape[:2]
    left, top = max(0, int(x + width / 2 - half)), max(0, int(y + height / 2 - half))
    right = min(frame_width, int(x + width / 2 + half) + 1)
    bottom = min(frame_height, int(y + height / 2 + half) + 1)
    window = frame.rgb[top:bottom, left:right]
    factor = min(1.0, WINDOW_FACE / max(height, 1.0))
    if factor < 1:
        size = (max(1, round(window.shape[1] * factor)), max(1, round(window.shape[0] * factor)))
        window = np.asarray(cv2.resize(window, size, interpolation=cv2.INTER_AREA), np.uint8)
    place = [(x - left) * factor, (y - top) * factor, width * factor, height * factor]
    box = clipped(place, window.shape[1], window.shape[0]) or Box(0, 0, 1, 1)
    landmarks = (sighting.landmarks - np.array([left, top], np.float32)) * np.float32(factor)
    face = FoundFace(box, sighting.score, FaceKind.FACE, np.asarray(landmarks, np.float32))
    return Candidate(frame.time, rank, np.ascontiguousarray(window), face, factor, sighting.cut_off)


def rank_of(rgb: RGB, sighting: Sighting) -> float:
    """Return how good a frame is for comparing the face: higher if sure, large, frontal, sharp."""
    height = min(sighting.place[3] / FULL_HEIGHT, 1.0)
    frontal = 1.0 - min(yaw(sighting.landmarks), 0.9)
    sharp = min(_sharpness(rgb, sighting.place) / FULL_SHARPNESS, 1.0)
    rank = sighting.score * (0.2 + height) * frontal * (0.2 + sharp)
    return rank * (0.1 if sighting.cut_off else 1.0)


def _sharpness(rgb: RGB, place: Place) -> float:
    grey = grey_of(rgb, place, 48)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var()) if grey is not None else 0.0


def search_window(
    candidate: Candidate, detectors: Sequence[Detector]
) -> tuple[FaceKind | None, float]:
    """Search the enlarged window of a face.

    Returns:
        The kind that the ensemble gives it, None for no face; and its probability, 0-1.
    """
    height = candidate.face.box.height
    factor = min(CLOSE_FACE / max(height, 1), MAX_ENLARGEMENT)
    side = max(round(max(candidate.window.shape[:2]) * factor), 64)
    view, back = resized(candidate.window, side, enlarge=True)
    found = [scaled(one, back) for detector in detectors for one in detector.detect(view)]
    box = candidate.face.box
    place = (float(box.x), float(box.y), float(box.width), float(box.height))
    groups = [
        group
        for group in merge_detections(found)
        if overlap(place_from(group.box.tolist()), place) >= SAME_FACE
    ]
    if not groups:
        return None, 0.0
    best = max(groups, key=lambda group: FITTED_ENSEMBLE.log_odds(group.scores))
    in_frame = float(best.box[3]) / candidate.enlargement
    return FITTED_ENSEMBLE.kind(best.scores, in_frame), FITTED_ENSEMBLE.probability(best.scores)
