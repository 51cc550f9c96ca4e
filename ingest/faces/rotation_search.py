"""Find faces at every in-plane angle.

The detectors find small faces that are rotated by up to about 25 degrees, large ones up to 45. So
the picture is searched at eight angles, 45 degrees apart, at the largest size at which it may be
published. A smaller copy is searched at quarter turns for faces that are larger than a tile. Quick
detectors propose places; ``verification`` decides which of them show a face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ingest.faces.augmentation import AugmentedView
from ingest.faces.clustering import Boxes
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace
from ingest.faces.rotated_tiles import rotated_tiles, texture_mask, with_mirrored_edges
from ingest.faces.verification import Proposal, verify_proposal

STRAIGHT = (0.0, 90.0, 180.0, 270.0)
DIAGONAL = (45.0, 135.0, 225.0, 315.0)
"""At these angles the tiles have half as many pixels again, because of empty corners."""
OVERVIEW_ANGLES = (90.0, 180.0, 270.0)
"""The upright search has found large upright faces already."""
MAX_ROLL = 25.0
"""Degrees by which landmarks may correct the angle of a view."""
MAX_DISTANCE_OUTSIDE = 0.1
"""How far outside the picture the centre of a face may lie, in heights of the face."""
SAME_PLACE = 0.4
"""Distance of two centres, in heights of the larger face, below which two faces of similar size are
one. The faces of two people cannot be so close."""


@dataclass(frozen=True)
class RotationSettings:
    """Sizes in pixels. Measured by ``python -m benchmarks.coverage``; see docs/adr/0003."""

    max_side: int = 3000
    """Long side of the largest picture that may be published (``max_side`` of the channels)."""
    overview: int = 640
    """Long side of the smaller copy; at most half of the larger one's."""
    tile: int = 640
    overlap: int = 96
    """Every tile may cut larger faces; the overview shows them whole."""
    mirrored_edge: int = 48
    """The width of the mirrored margin that is added on each side."""
    min_contrast: int = 10
    """A place is left out if its grey levels differ by less than this within some 20 px."""
    max_places: int = 300
    """The number of places verified in one picture, those with the highest scores first. It limits
    the time that a picture takes."""


@dataclass(frozen=True, eq=False)
class DetectorPass:
    """One detector searches the picture at some angles."""

    detector: Detector
    """Must return landmarks."""
    angles: Sequence[float]
    """Degrees, anticlockwise."""
    min_score: float
    """The score from which a place is verified."""


class RotationSearch:
    """Finds faces at any angle. Not thread-safe."""

    def __init__(
        self,
        passes: Sequence[DetectorPass],
        verifiers: Sequence[Detector],
        settings: RotationSettings | None = None,
    ) -> None:
        """Build a search.

        Args:
            passes: The detectors that propose places. The first one also searches the overview.
            verifiers: The detectors that verify each place.
            settings: Sizes and limits.
        """
        self._passes = passes
        self._verifiers = verifiers
        self._settings = settings or RotationSettings()

    def find(self, rgb: RGB, known: Boxes) -> list[FoundFace]:
        """The faces and possible faces at places other than ``known``, highest score first.

        Args:
            rgb: The picture: (height, width, 3), uint8, RGB.
            known: One row (x, y, width, height) in pixels of the picture for each face already
                found with certainty.
        """
        height, width = rgb.shape[:2]
        places = [
            place
            for place in _without_duplicates(self.proposals(rgb))
            if _is_inside(place, width, height) and not _is_known(place, known)
        ]
        places = places[: self._settings.max_places]
        found = [verify_proposal(rgb, place, self._verifiers) for place in places]
        return sorted((face for face in found if face is not None), key=lambda face: -face.score)

    def proposals(self, rgb: RGB) -> list[Proposal]:
        """All places proposed at any angle and size; the same face may be proposed many times."""
        settings = self._settings
        large = AugmentedView(rgb, np.eye(3)).resized(settings.max_side, 1.0)
        half = max(large.pixels.shape[:2]) // 2
        overview = large.resized(min(settings.overview, half), 1.0)
        return self._propose(large, self._passes) + self._propose(
            overview, [replace(self._passes[0], angles=OVERVIEW_ANGLES)]
        )

    def _propose(self, plain: AugmentedView, passes: Sequence[DetectorPass]) -> list[Proposal]:
        settings = self._settings
        view = with_mirrored_edges(plain, settings.mirrored_edge)
        mask = texture_mask(view.pixels, settings.min_contrast)
        return [
            _proposal(tile, found, degrees)
            for detector_pass in passes
            for degrees in detector_pass.angles
            for tile in rotated_tiles(view, degrees, mask, settings.tile, settings.overlap)
            for found in detector_pass.detector.detect(tile.pixels)
            if found.score >= detector_pass.min_score
        ]


def _proposal(tile: AugmentedView, found: Detection, degrees: float) -> Proposal:
    centre = np.array([found.x + found.width / 2, found.y + found.height / 2, 1.0])
    x, y = (tile.to_picture @ centre)[:2]
    return Proposal(
        (float(x), float(y)), found.height * tile.scale, degrees + _roll(found), found.score
    )


def _roll(found: Detection) -> float:
    """The remaining rotation in degrees, from the line between the eyes and the mouth."""
    if found.landmarks is None:
        return 0.0
    across, down = found.landmarks[3:].mean(axis=0) - found.landmarks[:2].mean(axis=0)
    roll = math.degrees(math.atan2(-across, down))
    return min(max(roll, -MAX_ROLL), MAX_ROLL)


def _without_duplicates(proposals: Sequence[Proposal]) -> list[Proposal]:
    """The proposal with the highest score for each place and size."""
    kept: list[Proposal] = []
    for proposal in sorted(proposals, key=lambda proposal: -proposal.score):
        if not any(_is_same_place(proposal, other.centre, other.height) for other in kept):
            kept.append(proposal)
    return kept


def _is_inside(proposal: Proposal, width: int, height: int) -> bool:
    """Whether about half of the face or more is in the picture, not in the mirrored margin."""
    x, y = proposal.centre
    room = MAX_DISTANCE_OUTSIDE * proposal.height
    return -room <= x <= width + room and -room <= y <= height + room


def _is_known(proposal: Proposal, known: Boxes) -> bool:
    return any(
        _is_same_place(proposal, (x + width / 2, y + height / 2), max(width, height))
        for x, y, width, height in known
    )


def _is_same_place(proposal: Proposal, centre: tuple[float, float], height: float) -> bool:
    is_similar_size = 0.5 < proposal.height / max(height, 1e-6) < 2
    distance = math.dist(proposal.centre, centre)
    return is_similar_size and distance < SAME_PLACE * max(proposal.height, height)
