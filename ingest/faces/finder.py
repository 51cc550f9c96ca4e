"""Every face in a picture: several detectors, at several sizes, and how far they agree.

A face nobody saw is a child released by mistake, so the search is wide before it is sure:

1. The whole picture at two sizes, the smaller one mirrored as well, by every detector.
2. A picture larger than that: overlapping tiles at full resolution by the quickest detector, and
   by all of them in tiles where it saw something small that the wide look had not.
3. The picture on its sides and upside down by the quickest detector, and by all of them when it
   saw a face there that stands out, or when no face with eyes above its mouth was found.
4. Boxes that mean one face are merged; ``agreement`` says which are faces and which may be.

What each step adds, and what it costs, is in docs/adr/0003-detection-ensemble.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from consent_gate.errors import GateError
from consent_gate.model import FaceKind
from ingest.faces.agreement import FLOORS
from ingest.faces.detectors import CenterFace, RetinaFace, YuNet
from ingest.faces.merge import Boxes, overlaps
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace
from ingest.faces.settle import settle
from ingest.faces.views import View, resized, tiles

SAME_PLACE = 0.3
"""Intersection over union from which something found anew is nothing new."""


class UnusablePixels(GateError):
    """What was handed in is not a picture."""

    next_step = "The picture is held; open the file to see whether it is damaged."


@dataclass(frozen=True)
class FinderSettings:
    """Sizes in pixels. Measured by benchmarks/faces/detection.py; see docs/adr/0003."""

    wide: int = 1280
    """Long side of the larger whole view."""
    small: int = 832
    """Long side of the smaller whole view, which is also mirrored and turned."""
    enlarge_at_most: float = 3.0
    """A picture of 416 px is looked at in 832 and 1248 px."""
    tile: int = 1100
    """Longest side of a tile: larger ones overlap less, smaller ones are confirmed sooner."""
    tiles_from: float = 1.25
    """Tiles are searched in pictures so many times larger than ``wide``."""
    small_face: float = 28.0
    """Height in the ``wide`` view below which a face may have been missed there."""
    scout_score: float = 0.5
    """Score of the quickest detector, in a tile or a turned view, that calls in the others."""
    smallest_face: float = 8.0
    """Height in the picture below which a box is nobody's face."""
    mirror: bool = True
    turn: bool = True


PORTRAIT = FinderSettings(wide=640, small=416, enlarge_at_most=1.5, mirror=False)
"""For enrolment photos: one large face, and bystanders matter only when nearly as large. On 25
portraits of ../shared/data/school, on a busy machine: 0.17 s of processor time instead of 0.94 s,
as many faces as the full search on 22, one instead of two on 3 (2026-11-22)."""


class FaceFinder:
    """Finds the faces of one picture. Not to be shared between threads.

    ``scout`` is the quickest detector; ``others`` see what it does not, and confirm it.
    """

    def __init__(
        self,
        scout: Detector,
        others: Sequence[Detector],
        settings: FinderSettings | None = None,
    ) -> None:
        self._scout = scout
        self._others = tuple(others)
        self.settings = settings or FinderSettings()

    def with_settings(self, settings: FinderSettings) -> FaceFinder:
        """The same loaded detectors, looking otherwise."""
        return FaceFinder(self._scout, self._others, settings)

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
        views = self.whole_views(rgb)
        detections = self.all_in(views)
        detections += self.in_tiles(rgb, detections)
        faces = settle(detections, width, height)
        return self._with_turned(views[0], faces, rgb) if self.settings.turn else faces

    def whole_views(self, rgb: RGB) -> list[View]:
        """The whole picture: small, wide and, if so set, small in a mirror."""
        chosen = self.settings
        wide = resized(rgb, chosen.wide, chosen.enlarge_at_most)
        # Shrinking twelve megapixels once is enough; enlarging twice would blur.
        source = wide if max(rgb.shape[:2]) > chosen.wide else View(rgb, np.eye(3))
        small = source.resized(chosen.small, chosen.enlarge_at_most)
        return [small, wide, small.mirror()] if chosen.mirror else [small, wide]

    def all_in(self, views: Iterable[View]) -> list[Detection]:
        """What every detector sees in these views."""
        return [
            found
            for view in views
            for detector in (self._scout, *self._others)
            for found in view.detect(detector)
            if found.height >= self.settings.smallest_face
        ]

    def in_tiles(self, rgb: RGB, known: list[Detection]) -> list[Detection]:
        """Small faces of a large picture that the whole views may have missed."""
        chosen = self.settings
        larger = max(rgb.shape[:2]) / chosen.wide
        if larger <= chosen.tiles_from:
            return []
        heights = (chosen.smallest_face, chosen.small_face * larger)
        confirmed = _boxes(d for d in known if d.detector != self._scout.name)
        small: list[Detection] = []
        for tile in tiles(rgb, chosen.tile, overlap=min(math.ceil(heights[1]), chosen.tile // 2)):
            scouted = _between(heights, tile.detect(self._scout))
            small += scouted
            if any(self._stands_out(found, confirmed) for found in scouted):
                for detector in self._others:
                    small += _between(heights, tile.detect(detector))
        return small

    def _with_turned(self, view: View, upright: list[FoundFace], rgb: RGB) -> list[FoundFace]:
        """The upright faces and those lying on a side or upside down."""
        faces = upright
        for quarters in (1, 2, 3):
            turned = view.turn(quarters)
            sure = [face for face in faces if face.kind is FaceKind.FACE and _is_upright(face)]
            scouted = turned.detect(self._scout)
            if sure and not any(self._stands_out(found, _boxes(sure)) for found in scouted):
                continue
            lying = settle(self.all_in([turned]), rgb.shape[1], rgb.shape[0])
            faces = _replacing(faces, [face for face in lying if face.kind is FaceKind.FACE])
        return faces

    def _stands_out(self, found: Detection, known: Boxes) -> bool:
        """The scout is fairly sure and nobody has seen a face there yet."""
        return found.score >= self.settings.scout_score and not _any_at(found, known)


def default_finder(settings: FinderSettings | None = None) -> FaceFinder:
    """The product's finder, for one thread: workers are the parallelism.

    Raises ModelUnavailable when weights are missing or are not the ones that were measured.
    """
    cv2.setNumThreads(1)
    others: list[Detector] = [RetinaFace(FLOORS["retinaface"]), CenterFace(FLOORS["centerface"])]
    return FaceFinder(YuNet(FLOORS["yunet"]), others, settings)


def _is_upright(face: FoundFace) -> bool:
    """The line from the eyes to the mouth runs down more than across."""
    across, down = face.landmarks[3:].mean(axis=0) - face.landmarks[:2].mean(axis=0)
    return bool(down > abs(across))


def _replacing(faces: list[FoundFace], lying: list[FoundFace]) -> list[FoundFace]:
    """Lying faces take the place of boxes less sure; what is surely upright stays."""
    for found in lying:
        same = [bool(_any_at(found, _boxes([face]))) for face in faces]
        rivals = [face for face, is_same in zip(faces, same, strict=True) if is_same]
        if all(rival.score < found.score for rival in rivals):
            faces = [face for face in faces if face not in rivals] + [found]
    return faces


def _between(heights: tuple[float, float], found: list[Detection]) -> list[Detection]:
    return [detection for detection in found if heights[0] <= detection.height <= heights[1]]


def _any_at(found: Detection | FoundFace, known: Boxes) -> bool:
    if not len(known):
        return False
    return bool(overlaps(_boxes([found])[0], known).max() >= SAME_PLACE)


def _boxes(found: Iterable[Detection | FoundFace]) -> Boxes:
    places = [one.box if isinstance(one, FoundFace) else one for one in found]
    rows = [[place.x, place.y, place.width, place.height] for place in places]
    return np.array(rows, dtype=np.float64).reshape(-1, 4)
