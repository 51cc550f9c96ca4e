"""Searching a picture at every in-plane angle.

The detectors know small faces up to about 25 degrees off the vertical, large ones up to 45. So the
picture is searched at eight angles, 45 degrees apart, as large as it may be published: what a
reader cannot see nobody can recognise. It is searched once more a few times smaller, at quarter
turns, for faces that fill the picture. Quick detectors propose places; ``verification`` says which
of them show a face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ingest.faces.merge import Boxes
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace
from ingest.faces.rotated_tiles import rotated_tiles, texture_mask, with_mirrored_edges
from ingest.faces.verification import Proposal, verified
from ingest.faces.views import View

STRAIGHT = (0.0, 90.0, 180.0, 270.0)
DIAGONAL = (45.0, 135.0, 225.0, 315.0)
"""At these angles tiles cover half as much again: empty corners."""
OVERVIEW_ANGLES = (90.0, 180.0, 270.0)
"""Upright, the finder has seen large faces already."""
LARGEST_ROLL = 25.0
"""Degrees by which landmarks may correct the angle of a view."""
BEYOND = 0.1
"""How far outside the picture a face's middle may lie, in its heights."""
SAME_PLACE = 0.4
"""Distance of two middles, in heights of the larger face, within which faces of alike size are one:
two people's faces cannot be so close."""


@dataclass(frozen=True)
class RotationSettings:
    """Sizes in pixels. Measured by ``python -m benchmarks.coverage``; see docs/adr/0003."""

    largest: int = 3000
    """Long side of the largest picture that may be published (``max_side`` of the channels)."""
    overview: int = 640
    """Long side of the smaller picture; at most half of the first one's."""
    tile: int = 640
    overlap: int = 96
    """Larger faces may be cut by every tile; the overview shows them whole."""
    mirrored_edge: int = 48
    """How far the picture is continued beyond its edges."""
    flat_below: int = 10
    """Grey levels within some 20 px under which there is nothing to be seen: sky, a bare wall."""
    most: int = 300
    """Places verified in one picture, surest first: a bound on the time it takes."""


@dataclass(frozen=True, eq=False)
class Sweep:
    """One detector looks at the picture turned by these angles."""

    detector: Detector
    """Must give landmarks."""
    angles: Sequence[float]
    """Degrees, anticlockwise."""
    proposed_from: float
    """Its score from which a place is verified."""


class RotationSearch:
    """Finds faces at any angle. Not to be shared between threads."""

    def __init__(
        self,
        sweeps: Sequence[Sweep],
        judges: Sequence[Detector],
        settings: RotationSettings | None = None,
    ) -> None:
        """``sweeps`` propose places, the first one also in the overview; ``judges`` verify them."""
        self._sweeps = sweeps
        self._judges = judges
        self._settings = settings or RotationSettings()

    def find(self, rgb: RGB, known: Boxes) -> list[FoundFace]:
        """The faces and possible faces where none is known yet, surest first.

        ``rgb`` has shape (height, width, 3), dtype uint8, colour order RGB; ``known`` has one row
        (x, y, width, height) in its pixels for each face that was surely found.
        """
        height, width = rgb.shape[:2]
        places = [
            place
            for place in _surest(self.proposals(rgb))
            if _is_inside(place, width, height) and not _is_known(place, known)
        ]
        found = [verified(rgb, place, self._judges) for place in places[: self._settings.most]]
        return sorted((face for face in found if face is not None), key=lambda face: -face.score)

    def proposals(self, rgb: RGB) -> list[Proposal]:
        """All places proposed at any angle and size; one face may be proposed many times."""
        chosen = self._settings
        large = View(rgb, np.eye(3)).resized(chosen.largest, 1.0)
        half = max(large.pixels.shape[:2]) // 2
        overview = large.resized(min(chosen.overview, half), 1.0)
        return self._swept(large, self._sweeps) + self._swept(
            overview, [replace(self._sweeps[0], angles=OVERVIEW_ANGLES)]
        )

    def _swept(self, plain: View, sweeps: Sequence[Sweep]) -> list[Proposal]:
        chosen = self._settings
        view = with_mirrored_edges(plain, chosen.mirrored_edge)
        mask = texture_mask(view.pixels, chosen.flat_below)
        return [
            _proposal(tile, found, degrees)
            for sweep in sweeps
            for degrees in sweep.angles
            for tile in rotated_tiles(view, degrees, mask, chosen.tile, chosen.overlap)
            for found in sweep.detector.detect(tile.pixels)
            if found.score >= sweep.proposed_from
        ]


def _proposal(tile: View, found: Detection, degrees: float) -> Proposal:
    middle = np.array([found.x + found.width / 2, found.y + found.height / 2, 1.0])
    x, y = (tile.to_picture @ middle)[:2]
    return Proposal(
        (float(x), float(y)), found.height * tile.scale, degrees + _roll(found), found.score
    )


def _roll(found: Detection) -> float:
    """Degrees by which the face is still turned: from the line between its eyes and its mouth."""
    if found.landmarks is None:
        return 0.0
    across, down = found.landmarks[3:].mean(axis=0) - found.landmarks[:2].mean(axis=0)
    roll = math.degrees(math.atan2(-across, down))
    return min(max(roll, -LARGEST_ROLL), LARGEST_ROLL)


def _surest(proposals: Sequence[Proposal]) -> list[Proposal]:
    """The surest proposal for each place and size."""
    kept: list[Proposal] = []
    for one in sorted(proposals, key=lambda proposal: -proposal.score):
        if not any(_is_same_place(one, other.middle, other.height) for other in kept):
            kept.append(one)
    return kept


def _is_inside(proposal: Proposal, width: int, height: int) -> bool:
    """Whether about half of it or more is in the picture, not in the mirror beyond its edge."""
    x, y = proposal.middle
    room = BEYOND * proposal.height
    return -room <= x <= width + room and -room <= y <= height + room


def _is_known(proposal: Proposal, known: Boxes) -> bool:
    return any(
        _is_same_place(proposal, (x + width / 2, y + height / 2), max(width, height))
        for x, y, width, height in known
    )


def _is_same_place(one: Proposal, middle: tuple[float, float], height: float) -> bool:
    alike = 0.5 < one.height / max(height, 1e-6) < 2
    return alike and math.dist(one.middle, middle) < SAME_PLACE * max(one.height, height)
