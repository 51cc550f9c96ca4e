"""Propose the places of a picture that may show a face at any in-plane angle.

The detectors find small faces that are rotated by up to about 25 degrees, large ones up to 45. So
there are eight angles, 45 degrees apart. The picture is searched at the largest size at which it
may be published: upright everywhere, at the other angles where a map of the upright search marks
it (``face_map``). A smaller copy is searched at quarter turns for faces larger than a tile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ingest.faces.augmentation import AugmentedView
from ingest.faces.detectors import small_faces
from ingest.faces.face_map import MappedTile, MappingDetector, marked_places
from ingest.faces.mask_cover import Mask
from ingest.faces.place_crops import Proposal
from ingest.faces.protocols import RGB, Detection, Detector
from ingest.faces.rotated_tiles import corner_mask, rotated_tiles, with_mirrored_edges
from ingest.faces.same_places import without_duplicates

STRAIGHT, DIAGONAL = 0.0, 45.0
"""Degrees by which tiles are rotated before their quarter turns. Diagonal tiles have half as many
pixels again, because of empty corners."""
ALL_QUARTERS = (0, 1, 2, 3)
WITHOUT_UPRIGHT = (1, 2, 3)
"""For sizes at which the upright search has found upright faces already."""
MAX_ROLL = 25.0
"""Degrees by which landmarks may correct the angle of a view."""
MAX_HINT_ROLL = 45.0
"""The same for the landmarks of ``small_faces``, which are made from the angle that it tells."""
MAX_DISTANCE_OUTSIDE = 0.1
"""How far outside the picture the centre of a face may lie, in heights of the face."""
MAX_PIXELS_OUTSIDE = 3.0
"""The same in pixels, which is added: small places are drawn some pixels off."""
SAME_CROP, SAME_CROP_SIZE = 0.2, 1.3
"""``SAME_PLACE`` and ``SAME_SIZE`` for places whose crops look alike to the classifier."""


@dataclass(frozen=True)
class RotationSettings:
    """Sizes in pixels. Measured by ``python -m benchmarks.coverage``; see docs/adr/0003."""

    max_side: int = 3000
    """Long side of the largest picture that may be published (``max_side`` of the channels)."""
    overview: int = 640
    """Long side of the smaller copy; at most half of the larger one's."""
    tile: int = 768
    """A tile has at most the area of a square of this side."""
    overlap: int = 96
    """Every tile may cut larger faces; the overview shows them whole."""
    mirrored_edge: int = 48
    """The width of the mirrored margin that is added on each side."""
    min_gradient: float = 2.0
    """Grey levels in 4 px by which a corner of a face changes in every direction at least; places
    far from such corners are left out. In the fit half the strongest corner of 1300 faces of 20 px
    and more changed by 3.7 or more at low contrast, by 10 or more otherwise."""
    min_log_odds: float = -3.0
    """Of a cell of the map of the upright search, from which other angles are searched around it.
    Of 785 faces of the fit half that were found with all angles everywhere, two had less."""
    min_height: float = 14.0
    """Lowest face, in pixels of the largest picture that may be published. Lower places are left
    out: nobody is recognised in them, and texture is often taken for such a face."""
    min_proposed_height: float = 10.5
    """The same for a place as it is proposed, which may be the size of a part of a face."""
    small: float = 24.0
    """Height below which a place is also judged as a larger face."""
    max_proposals: int = 8000
    """The number of proposals that are compared with each other, those with the highest scores.
    A picture of a full stadium has 19 000."""
    max_places: int = 4000
    """The number of places of one picture whose small crop is classified, those with the highest
    scores. It limits the time that a picture takes. In 12 pictures of the fit half the
    first 2000 places showed 65 of 72 small faces with dark glasses, 4000 showed 69."""
    max_verified: int = 600
    """The number of these that are verified, those with the highest log-odds."""

    def scale(self, rgb: RGB) -> float:
        """Pixels of the picture to one of the largest picture that may be published."""
        height, width = rgb.shape[:2]
        return max(1.0, float(max(height, width)) / self.max_side)


@dataclass(frozen=True, eq=False)
class DetectorPass:
    """One detector searches the picture at some angles."""

    detector: Detector
    """Must return landmarks."""
    degrees: float
    """Rotation of the tiles, anticlockwise."""
    min_score: float
    """The score from which a place is verified."""
    quarters: Sequence[int] = ALL_QUARTERS
    """Further quarter turns at which each tile is searched, anticlockwise."""


class PlaceProposer:
    """Proposes places of faces at any angle."""

    def __init__(
        self,
        upright: MappingDetector,
        passes: Sequence[DetectorPass],
        settings: RotationSettings | None = None,
    ) -> None:
        """Keep the detectors.

        Args:
            upright: Searches the whole picture and marks where ``passes`` search. All that it
                detects is proposed.
            passes: The detectors that propose places at other angles. The first one also searches
                the overview.
            settings: Sizes and limits.
        """
        self._upright = upright
        self._passes = passes
        self.settings = settings or RotationSettings()

    @property
    def quick_detector(self) -> Detector:
        """The detector of the first pass."""
        return self._passes[0].detector

    def at_most(self, max_side: int) -> PlaceProposer:
        """The same detectors in pictures of at most this long side."""
        settings = replace(self.settings, max_side=min(max_side, self.settings.max_side))
        return PlaceProposer(self._upright, self._passes, settings)

    def places(self, rgb: RGB) -> list[Proposal]:
        """The places to verify in ``rgb`` (height, width, 3; uint8; RGB), highest score first.

        Hints come last. So none is taken for the first proposal of a place that a detector sees.
        """
        proposals = sorted(self.proposals(rgb), key=lambda proposal: -proposal.score)
        hints = [proposal for proposal in proposals if proposal.is_hint]
        seen = [proposal for proposal in proposals if not proposal.is_hint]
        return self._distinct(rgb, seen) + self._distinct(rgb, hints)

    def _distinct(self, rgb: RGB, proposals: Sequence[Proposal]) -> list[Proposal]:
        """Proposals in the picture that are high enough, each place once for an angle."""
        height, width = rgb.shape[:2]
        lowest = self.settings.min_proposed_height * self.settings.scale(rgb)
        return [
            place
            for place in without_duplicates(
                proposals[: self.settings.max_proposals], SAME_CROP, SAME_CROP_SIZE
            )
            if place.height >= lowest and _is_inside(place, width, height)
        ]

    def proposals(self, rgb: RGB) -> list[Proposal]:
        """All places proposed at any angle and size; the same face may be proposed many times."""
        settings = self.settings
        large = AugmentedView(rgb, np.eye(3)).resized(settings.max_side, 1.0)
        half = max(large.pixels.shape[:2]) // 2
        overview = large.resized(min(settings.overview, half), 1.0)
        view, mask = self._to_search(overview)
        turned = replace(self._passes[0], quarters=WITHOUT_UPRIGHT)
        return self._in_full_size(large) + self._by_passes(view, mask, [turned])

    def _in_full_size(self, plain: AugmentedView) -> list[Proposal]:
        """The places of the picture: upright everywhere, at other angles where they are marked."""
        settings, (view, mask) = self.settings, self._to_search(plain)
        found: list[Proposal] = []
        maps: list[MappedTile] = []
        for tile in rotated_tiles(view, STRAIGHT, mask, settings.tile, settings.overlap):
            detections, log_odds = self._upright.detect_and_map(tile.pixels)
            found += _places_of(detections, tile, STRAIGHT)
            left, top = (np.linalg.inv(view.to_picture) @ tile.to_picture)[:2, 2]
            maps.append(MappedTile(round(left), round(top), log_odds))
        marked = marked_places(view.pixels.shape[:2], maps, settings.min_log_odds)
        return found + self._by_passes(view, np.minimum(mask, marked), self._passes)

    def _to_search(self, plain: AugmentedView) -> tuple[AugmentedView, Mask]:
        """The view with mirrored edges, and where it has corners."""
        view = with_mirrored_edges(plain, self.settings.mirrored_edge)
        return view, corner_mask(view.pixels, self.settings.min_gradient)

    def _by_passes(
        self, view: AugmentedView, mask: Mask, passes: Sequence[DetectorPass]
    ) -> list[Proposal]:
        settings = self.settings
        return [
            proposal
            for degrees in dict.fromkeys(detector_pass.degrees for detector_pass in passes)
            for tile in rotated_tiles(view, degrees, mask, settings.tile, settings.overlap)
            for detector_pass in passes
            if detector_pass.degrees == degrees
            for quarters in detector_pass.quarters
            for proposal in _places_after_turn(tile, quarters, detector_pass)
        ]


def _places_after_turn(
    tile: AugmentedView, quarters: int, searched: DetectorPass
) -> list[Proposal]:
    """The places that a detector proposes in a tile after further quarter turns."""
    turned = tile.turn(quarters)
    detections = [
        found
        for found in searched.detector.detect(turned.pixels)
        if found.score >= searched.min_score
    ]
    return _places_of(detections, turned, searched.degrees + 90.0 * quarters)


def _places_of(
    detections: Sequence[Detection], tile: AugmentedView, degrees: float
) -> list[Proposal]:
    """The places of detections in a tile that is rotated by these degrees."""
    scale, (to_x, to_y, _) = tile.scale, tile.to_picture.tolist()
    proposals = []
    for found in detections:
        x, y = found.x + found.width / 2, found.y + found.height / 2
        is_hint = found.detector == small_faces.NAME
        roll = _roll(found, MAX_HINT_ROLL if is_hint else MAX_ROLL)
        centre = to_x[0] * x + to_x[1] * y + to_x[2], to_y[0] * x + to_y[1] * y + to_y[2]
        proposals.append(
            Proposal(centre, found.height * scale, degrees + roll, found.score, is_hint)
        )
    return proposals


def _roll(found: Detection, most: float) -> float:
    """The remaining rotation in degrees, from the line between the eyes and the mouth.

    It is ``most`` at most, to either side.
    """
    if found.landmarks is None:
        return 0.0
    right_eye, left_eye, _, right_corner, left_corner = found.landmarks
    across, down = right_corner + left_corner - right_eye - left_eye
    roll = math.degrees(math.atan2(-across, down))
    return min(max(roll, -most), most)


def _is_inside(proposal: Proposal, width: int, height: int) -> bool:
    """Whether about half of the face or more is in the picture, not in the mirrored margin."""
    x, y = proposal.centre
    room = MAX_PIXELS_OUTSIDE + MAX_DISTANCE_OUTSIDE * proposal.height
    return -room <= x <= width + room and -room <= y <= height + room
