"""Every face in a picture: two detectors, at several sizes and angles, and how far they agree.

A face that no detector sees is a child released by mistake, so the search is wide before it is
sure. The ``scout`` is quick, so it looks everywhere; the ``second`` is surer and takes five times
as long.

1. Both see the whole picture, the second once more, smaller, in a mirror; the scout smaller too,
   for faces so large that it would not know them from near.
2. The scout sees a large picture in tiles at full resolution as well, and the second sees those
   places where the scout half believes in a small face that the second has not seen yet.
3. Quick detectors search the picture as large as it may be published, upright everywhere, and at
   seven other angles where a map says that a face may be. They propose places
   (``place_proposals``), which are verified one by one (``rotation_search``, ``verification``).
4. Boxes that mean one face are merged; ``ensemble`` says which are faces and which may be.

What each step adds, and what it costs, is in docs/adr/0003-detection-ensemble.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from consent_gate.errors import GateError
from consent_gate.model import FAR_SMALLER, Box, FaceKind
from ingest.faces.augmentation import AugmentedView, halvings
from ingest.faces.clustering import Boxes
from ingest.faces.detectors import CenterFace, YuNet
from ingest.faces.detectors.centerface_int8 import CenterFaceInt8, MappingCenterFaceInt8
from ingest.faces.detectors.small_faces import small_faces
from ingest.faces.ensemble import FLOORS
from ingest.faces.finder_settings import FinderSettings
from ingest.faces.place_classifier import PlaceClassifier
from ingest.faces.place_crops import Proposal
from ingest.faces.place_proposals import (
    DIAGONAL,
    STRAIGHT,
    WITHOUT_UPRIGHT,
    DetectorPass,
    PlaceProposer,
    RotationSettings,
)
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace
from ingest.faces.resolve import any_at, boxes_of, resolve_faces, shows_part, with_rotated
from ingest.faces.rotation_search import RotationSearch, is_any_of

MIN_PROPOSAL_SCORE = 0.02
"""Score of the 8-bit CenterFace and of the scout from which a place is verified. In 60 pictures of
the fit half, 0.06 proposed 72 to 83 % of the partly hidden faces of 20 to 32 px, 0.03 83 to 97 %
and 0.02 92 to 100 %."""
MIN_RENDITION_PROPOSAL_SCORE = 0.3
"""The same in a rendered picture, where the scout searches at all angles."""


class UnusablePixels(GateError):
    """What was handed in is not a picture."""

    next_step = "The picture is held; open the file to see whether it is damaged."


@dataclass(frozen=True, eq=False)
class ScaledViews:
    """The whole picture in three sizes."""

    small: AugmentedView
    wide: AugmentedView
    close: AugmentedView


class FaceFinder:
    """Finds the faces of one picture. Keeps no state between two pictures."""

    def __init__(
        self,
        scout: Detector,
        second: Detector,
        rotations: RotationSearch,
        rendition_rotations: RotationSearch,
        settings: FinderSettings | None = None,
    ) -> None:
        self.scout = scout
        self._second = second
        self._rotations = rotations
        self._rendition_rotations = rendition_rotations
        self.settings = settings or FinderSettings()

    def with_settings(self, settings: FinderSettings) -> FaceFinder:
        """The same loaded detectors, looking otherwise."""
        return FaceFinder(
            self.scout, self._second, self._rotations, self._rendition_rotations, settings
        )

    @property
    def quick_detector(self) -> Detector:
        """The quick detector that proposes places near the upright one: surer than the scout."""
        return self._rotations.quick_detector

    def upright_only(self) -> FaceFinder:
        """The same loaded detectors, without the search at other angles."""
        return self.with_settings(replace(self.settings, turn=False))

    def turning_at_most(self, max_side: int) -> FaceFinder:
        """The same loaded detectors; the search at other angles uses at most this long side."""
        rotations = self._rotations.at_most(max_side)
        return FaceFinder(
            self.scout, self._second, rotations, self._rendition_rotations, self.settings
        )

    def find(self, rgb: RGB) -> list[FoundFace]:
        """All faces and possible faces in ``rgb`` (height, width, 3, uint8, RGB).

        Empty for a picture without any, or too small to hold one. Raises UnusablePixels for an
        array of another shape or type.
        """
        if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8:
            raise UnusablePixels(f"Expected RGB pixels, got {rgb.dtype} of shape {rgb.shape}.")
        height, width = rgb.shape[:2]
        if min(height, width) < self.settings.smallest_face:
            return []
        views = self.views(rgb)
        detections = self.detect_full(views)
        detections += self.detect_tiles(rgb, views, detections)
        faces = resolve_faces(detections, width, height)
        if not self.settings.turn:
            return faces
        if not self.settings.turn_always and any(map(_is_surely_upright, faces)):
            return faces
        sure = [face for face in faces if face.kind is FaceKind.FACE]
        known = boxes_of(sure)
        return with_rotated(faces, self._rotations.find(rgb, lambda place: is_any_of(place, known)))

    def find_in_rendition(
        self, rgb: RGB, judged: Sequence[Box], covered: Sequence[Box] = ()
    ) -> list[FoundFace]:
        """Faces and possible faces at any angle in a rendered picture that nobody judged.

        YuNet proposes the places, while in ``find`` CenterFace proposes most of them. A face whose
        centre lies in a judged one is left out if it is not far smaller. So is a possible face that
        shows a part of a judged face or of a cover: a covered head with its hair and shoulders
        looks like a hidden face.

        Args:
            rgb: The rendered picture: (height, width, 3), uint8, RGB.
            judged: The faces that were judged, in pixels of the rendered picture.
            covered: The heads that were covered, in the same pixels.
        """
        found = self._rendition_rotations.find(
            rgb, lambda place: any(_is_place_of(box, place) for box in judged)
        )
        around = [*judged, *covered]
        return [
            face for face in found if face.kind is FaceKind.FACE or not shows_part(face, around)
        ]

    def verified(self, rgb: RGB, place: Proposal, scale: float) -> FoundFace | None:
        """What a place of ``rgb`` shows, at any angle; see ``verification.verify_proposal``."""
        return self._rotations.verified(halvings(rgb), place, scale)

    def places(self, rgb: RGB) -> list[Proposal]:
        """The places that ``find`` verifies at every angle, highest score first."""
        return self._rotations.places(rgb)

    def views(self, rgb: RGB) -> ScaledViews:
        """The whole picture: small, wide and close."""
        chosen, picture = self.settings, AugmentedView(rgb, np.eye(3))
        wide = picture.resized(chosen.wide, chosen.enlarge_at_most)
        # Shrinking twelve megapixels once is enough; enlarging twice would blur.
        source = wide if wide.scale > 1 else picture
        small = source.resized(chosen.small, chosen.enlarge_at_most)
        if self._is_large(rgb):
            return ScaledViews(small, wide, wide)
        return ScaledViews(small, wide, picture.resized(chosen.close, chosen.enlarge_at_most))

    def detect_full(self, views: ScaledViews) -> list[Detection]:
        """What is seen in the whole picture."""
        small = views.small.mirror() if self.settings.mirror else views.small
        found = views.wide.detect(self._second) + small.detect(self._second)
        found += views.close.detect(self.scout)
        least = self.settings.large_face * views.small.scale
        found += [large for large in views.small.detect(self.scout) if large.height >= least]
        return self._without_tiny(found)

    def detect_tiles(
        self, rgb: RGB, views: ScaledViews, known: Sequence[Detection]
    ) -> list[Detection]:
        """Small faces of a large picture that the whole views may have missed."""
        if not self._is_large(rgb):
            return []
        chosen, picture = self.settings, AugmentedView(rgb, np.eye(3))
        most = chosen.small_face * views.wide.scale
        small: list[Detection] = []
        for tile in picture.tiles(chosen.tile, min(math.ceil(most), chosen.tile // 2)):
            small += [found for found in tile.detect(self.scout) if found.height <= most]
        seen = boxes_of(d for d in known if d.detector == self._second.name)
        hints = [found for found in small if self._above_floor(found, chosen.hint, seen)]
        windows: list[AugmentedView] = []
        for hint in sorted(hints, key=lambda found: -found.score):
            if any(window.shows(hint) for window in windows):
                continue
            middle = hint.x + hint.width / 2, hint.y + hint.height / 2
            side = max(chosen.window, 2 * math.ceil(max(hint.width, hint.height)))
            windows.append(picture.window(middle, side))
            small += windows[-1].detect(self._second)
        return self._without_tiny([found for found in small if found.height <= most])

    def _is_large(self, rgb: RGB) -> bool:
        return self.settings.tiles and max(rgb.shape[:2]) > self.settings.close

    def _without_tiny(self, found: list[Detection]) -> list[Detection]:
        return [one for one in found if one.height >= self.settings.smallest_face]

    @staticmethod
    def _above_floor(found: Detection, least: float, known: Boxes) -> bool:
        """The scout is that sure, and nobody has seen a face there yet."""
        return found.score >= least and not any_at(found, known)


def default_finder(
    settings: FinderSettings | None = None, rotations: RotationSettings | None = None
) -> FaceFinder:
    """The product's finder, for one thread: workers are the parallelism.

    Args:
        settings: Sizes of the upright search.
        rotations: Sizes and limits of the search at every angle.

    Raises:
        ModelUnavailable: Weights are missing or are not the ones that were measured.
    """
    cv2.setNumThreads(1)
    scout, second = YuNet(FLOORS["yunet"]), CenterFace(FLOORS["centerface"])
    verifiers = (scout, second)
    classifier, small = PlaceClassifier(), small_faces()
    passes = (
        DetectorPass(
            CenterFaceInt8(MIN_PROPOSAL_SCORE, small), STRAIGHT, MIN_PROPOSAL_SCORE, WITHOUT_UPRIGHT
        ),
        DetectorPass(YuNet(MIN_PROPOSAL_SCORE), DIAGONAL, MIN_PROPOSAL_SCORE),
    )
    rendition_passes = [
        DetectorPass(scout, degrees, MIN_RENDITION_PROPOSAL_SCORE)
        for degrees in (STRAIGHT, DIAGONAL)
    ]
    upright = MappingCenterFaceInt8(MIN_PROPOSAL_SCORE, small)
    rendition_upright = MappingCenterFaceInt8(MIN_RENDITION_PROPOSAL_SCORE)
    return FaceFinder(
        scout,
        second,
        RotationSearch(PlaceProposer(upright, passes, rotations), verifiers, classifier),
        RotationSearch(
            PlaceProposer(rendition_upright, rendition_passes, rotations), verifiers, classifier
        ),
        settings,
    )


def _is_place_of(box: Box, place: Proposal) -> bool:
    """Whether a place may show the face of a box, and not a far smaller one before it."""
    return box.contains(place.centre) and place.height >= FAR_SMALLER * box.height


def _is_surely_upright(face: FoundFace) -> bool:
    return face.kind is FaceKind.FACE and _is_upright(face)


def _is_upright(face: FoundFace) -> bool:
    """The line from the eyes to the mouth runs down more than across."""
    across, down = face.landmarks[3:].mean(axis=0) - face.landmarks[:2].mean(axis=0)
    return bool(down > abs(across))
