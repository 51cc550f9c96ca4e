"""Choose the frames of a track that are examined, and keep only the pixels around the face."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from consent_gate.model import Box, FaceKind
from ingest.faces.protocols import RGB, FoundFace
from ingest.faces.quality import yaw
from ingest.faces.resolve import clipped
from ingest.film.frames import JudgedFrame
from ingest.film.sightings import grey_of
from ingest.film.tracks import Place, Sighting

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
    unverified: Box | None = None
    """``Sighting.unverified`` in the kept pixels."""
    is_upright: bool = True
    """Whether it was found upright too."""


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
    candidates.append(cut_out(frame, sighting, rank))


def cut_out(frame: JudgedFrame, sighting: Sighting, rank: float) -> Candidate:
    """Cut out the surroundings of a face; a large face is scaled down."""
    x, y, width, height = sighting.place
    # A square that is rotated by 45 degrees needs a larger one around it.
    side = WINDOW * math.sqrt(2) if sighting.unverified else WINDOW
    half = side / 2 * max(width, height)
    frame_height, frame_width = frame.rgb.shape[:2]
    left, top = max(0, int(x + width / 2 - half)), max(0, int(y + height / 2 - half))
    right = min(frame_width, int(x + width / 2 + half) + 1)
    bottom = min(frame_height, int(y + height / 2 + half) + 1)
    window = frame.rgb[top:bottom, left:right]
    factor = min(1.0, WINDOW_FACE / max(height, 1.0))
    if factor < 1:
        size = (max(1, round(window.shape[1] * factor)), max(1, round(window.shape[0] * factor)))
        window = np.asarray(cv2.resize(window, size, interpolation=cv2.INTER_AREA), np.uint8)

    def in_window(place: Place) -> Box | None:
        left_, top_, across, down = place
        moved = [(left_ - left) * factor, (top_ - top) * factor, across * factor, down * factor]
        return clipped(moved, window.shape[1], window.shape[0])

    box = in_window(sighting.place) or Box(0, 0, 1, 1)
    landmarks = (sighting.landmarks - np.array([left, top], np.float32)) * np.float32(factor)
    return Candidate(
        frame.time,
        rank,
        np.ascontiguousarray(window),
        FoundFace(box, sighting.score, FaceKind.FACE, np.asarray(landmarks, np.float32)),
        factor,
        sighting.cut_off,
        None if sighting.unverified is None else in_window(sighting.unverified),
        sighting.seen_by_scout or sighting.by_ensemble,
    )


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
