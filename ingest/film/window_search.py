"""Search the pixels around a face of a film: is it a face, a possible face or none?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from consent_gate.model import Box, FaceKind
from ingest.faces.clustering import merge_detections
from ingest.faces.ensemble import FITTED_ENSEMBLE
from ingest.faces.finder import FaceFinder
from ingest.faces.place_crops import Proposal
from ingest.faces.protocols import Detector, FoundFace
from ingest.faces.verification import TYPICAL_WIDTH
from ingest.film.candidates import Candidate
from ingest.film.search import ANY_ANGLE_SIDE
from ingest.film.sightings import SAME_FACE, place_from, resized, scaled
from ingest.film.tracks import overlap

CLOSE_FACE = 96
"""Height in pixels to which a face is scaled for the search of its window."""
MAX_ENLARGEMENT = 2.0


@dataclass(frozen=True, eq=False)
class InWindow:
    """What was found in a window."""

    face: FoundFace | None
    """The face that is measured; None where there is nothing to be measured."""
    kind: FaceKind | None
    """None for no face."""
    score: float
    """0-1."""


class WindowSearch:
    """Searches windows. The models belong to the worker process."""

    def __init__(self, detectors: Sequence[Detector], finder: FaceFinder) -> None:
        """Keep the models.

        Args:
            detectors: Search the window of an upright face.
            finder: Verifies what quick detectors found.
        """
        self._detectors = detectors
        self._finder = finder
        self._scale = 1.0

    def set_side(self, side: float) -> None:
        """Say how long the longer side of the judged frames is, in pixels."""
        self._scale = max(1.0, side / ANY_ANGLE_SIDE)

    def find(self, candidate: Candidate, *, is_certain: bool) -> InWindow:
        """Search one window. ``is_certain`` says that the track is a face for certain."""
        if candidate.unverified is not None:
            found = self._verified(candidate, candidate.unverified)
            if found is not None:
                return InWindow(found, found.kind, found.score)
            if not candidate.is_upright:
                return InWindow(None, None, 0.0)
        if is_certain:
            return InWindow(candidate.face, None, 0.0)
        return InWindow(candidate.face, *self._upright(candidate))

    def _verified(self, candidate: Candidate, place: Box) -> FoundFace | None:
        """A face that was found at another angle, as it is verified in photos."""
        landmarks = candidate.face.landmarks
        across, down = (landmarks[3:].mean(axis=0) - landmarks[:2].mean(axis=0)).tolist()
        # The box has the sum of the upright one's sides.
        height = (place.width + place.height) / (1 + TYPICAL_WIDTH)
        degrees = math.degrees(math.atan2(-across, down))
        proposal = Proposal(place.middle, height, degrees, candidate.face.score)
        return self._finder.verified(
            candidate.window, proposal, self._scale * candidate.enlargement
        )

    def _upright(self, candidate: Candidate) -> tuple[FaceKind | None, float]:
        """The kind that the ensemble gives an upright face, and its probability."""
        height = candidate.face.box.height
        factor = min(CLOSE_FACE / max(height, 1), MAX_ENLARGEMENT)
        side = max(round(max(candidate.window.shape[:2]) * factor), 64)
        view, back = resized(candidate.window, side, enlarge=True)
        found = [scaled(one, back) for detector in self._detectors for one in detector.detect(view)]
        place = place_from(candidate.face.box.as_list())
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
