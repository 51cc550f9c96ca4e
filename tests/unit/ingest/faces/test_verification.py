"""Classifier and detectors decide whether a place is a face, a possible face or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from consent_gate.model import FaceKind
from ingest.faces.augmentation import halvings
from ingest.faces.likely_places import MIN_QUICK, MIN_QUICK_CORRECTED, likely_places
from ingest.faces.nudges import CORRECTIONS, Nudge
from ingest.faces.place_classifier import SIDE, PlaceClassifier
from ingest.faces.place_crops import Proposal, place_crop
from ingest.faces.protocols import RGB, Detection
from ingest.faces.verification import (
    CLASSIFIED,
    MIN_CLASSIFIED,
    MIN_FIRST_CLASSIFIED,
    MIN_HINT_CLASSIFIED,
    MIN_NUDGED_CLASSIFIED,
    MIN_POSSIBLE_CLASSIFIED,
    MIN_POSSIBLE_LARGE_CLASSIFIED,
    MIN_SETTLED_CLASSIFIED,
    verify_proposal,
)

PLACE = Proposal((200.0, 200.0), 80.0, 0.0, 0.3)
SMALL_SCALE = 2.0
"""At this scale the place is a small one of 40 px."""


class FixedDetector:
    """Reports a face of half the crop's side in its centre, with the next score of a list."""

    def __init__(self, name: str, scores: Sequence[float]) -> None:
        self.name = name
        self._scores = list(scores)

    def detect(self, rgb: RGB) -> list[Detection]:
        """One detection, or none for a score of 0."""
        score, side = self._scores.pop(0), rgb.shape[0]
        height = 0.34 * side
        corner = side / 2 - height / 2
        points = np.full((5, 2), side / 2, np.float32)
        found = Detection(corner, corner, height, height, score, points, self.name)
        return [found] if score else []

    @property
    def crops_left(self) -> int:
        """How many scores of the list were not used."""
        return len(self._scores)


class FixedClassifier(PlaceClassifier):
    """Gives the next log-odds of a list, and always the same correction."""

    def __init__(self, *log_odds: float, correction: Nudge | None = None) -> None:
        self._log_odds = list(log_odds)
        self._correction = correction or Nudge()

    def log_odds(self, crop: RGB) -> float:
        """The next number; the last one for ever."""
        return self._log_odds.pop(0) if len(self._log_odds) > 1 else self._log_odds[0]

    def quick(self, crops: Sequence[RGB]) -> list[tuple[float, Nudge]]:
        """The next number for each crop."""
        return [(self.log_odds(crop), self._correction) for crop in crops]

    def corrections(self, crops: Sequence[RGB]) -> list[Nudge]:
        """The same for each crop."""
        return [self._correction for _ in crops]


UNSURE = FixedClassifier(MIN_CLASSIFIED)


def picture(levels: int) -> RGB:
    """A noisy grey picture whose pixels differ by so many grey levels."""
    grey = np.random.default_rng(1).integers(100, 101 + levels, (400, 400, 1))
    return np.repeat(grey, 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    ("scores", "kind"),
    [
        ((0.9, 0.9, 0.9, 0.9), FaceKind.FACE),
        ((0.55, 0.55, 0.55, 0.55), FaceKind.POSSIBLE),
        ((0.9, 0.0, 0.0, 0.0), None),
        ((0.0, 0.9, 0.9, 0.9), None),
    ],
)
def test_the_mean_of_all_crops_decides_where_the_classifier_is_unsure(
    scores: Sequence[float], kind: FaceKind | None
) -> None:
    verifiers = [FixedDetector(name, scores) for name in ("yunet", "centerface")]
    face = verify_proposal(halvings(picture(100)), PLACE, verifiers, UNSURE)
    assert (face.kind if face else None) == kind


def test_a_possible_face_without_contrast_is_left_out_and_a_face_is_not() -> None:
    def kind_at(score: float, levels: int) -> FaceKind | None:
        verifiers = [FixedDetector(name, [score] * 4) for name in ("yunet", "centerface")]
        face = verify_proposal(halvings(picture(levels)), PLACE, verifiers, UNSURE)
        return face.kind if face else None

    assert kind_at(0.55, 10) is None
    assert kind_at(0.55, 20) is FaceKind.POSSIBLE
    assert kind_at(0.9, 10) is FaceKind.FACE


@pytest.mark.parametrize(
    ("scores", "crops_left"),
    [((0.15, 0.0, 0.0, 0.0), 3), ((0.6, 0.05, 0.0, 0.0), 2), ((0.6, 0.3, 0.05, 0.0), 1)],
)
def test_no_more_crops_are_made_where_the_first_show_no_face(
    scores: Sequence[float], crops_left: int
) -> None:
    verifiers = [FixedDetector(name, scores) for name in ("yunet", "centerface")]
    assert verify_proposal(halvings(picture(100)), PLACE, verifiers, UNSURE) is None
    assert [verifier.crops_left for verifier in verifiers] == [crops_left, crops_left]


@pytest.mark.parametrize(
    ("after", "is_hint", "is_kept"),
    [
        (MIN_HINT_CLASSIFIED - 0.5, False, True),
        (MIN_HINT_CLASSIFIED - 0.5, True, True),
        (MIN_HINT_CLASSIFIED - 0.7, True, False),
    ],
)
def test_a_place_that_no_detector_proposed_needs_support_after_a_correction_too(
    after: float, is_hint: bool, is_kept: bool
) -> None:
    """Such a place has little more than what is needed before."""
    verifiers = [FixedDetector(name, [0.0] * 4) for name in ("yunet", "centerface")]
    before = [MIN_HINT_CLASSIFIED + 0.6] * len(CLASSIFIED)
    place = replace(PLACE, is_hint=is_hint)
    classifier = FixedClassifier(*before, after)
    face = verify_proposal(halvings(picture(100)), place, verifiers, classifier, SMALL_SCALE)
    assert (face is not None) is is_kept


def test_a_place_where_the_classifier_alone_is_sure_is_possible_with_a_box() -> None:
    verifiers = [FixedDetector(name, [0.0] * 4) for name in ("yunet", "centerface")]
    sure = FixedClassifier(MIN_POSSIBLE_CLASSIFIED)
    face = verify_proposal(halvings(picture(100)), PLACE, verifiers, sure, SMALL_SCALE)
    assert face is not None
    assert face.kind is FaceKind.POSSIBLE
    assert face.box.contains(PLACE.centre)
    assert 0.8 * PLACE.height < face.box.height < 1.2 * PLACE.height


def test_the_classifier_alone_needs_more_for_a_large_place() -> None:
    def is_possible(log_odds: float, scale: float) -> bool:
        verifiers = [FixedDetector(name, [0.0] * 4) for name in ("yunet", "centerface")]
        classifier = FixedClassifier(log_odds)
        views = halvings(picture(100))
        return verify_proposal(views, PLACE, verifiers, classifier, scale) is not None

    assert is_possible(MIN_POSSIBLE_LARGE_CLASSIFIED, 1.0)
    assert not is_possible(MIN_POSSIBLE_LARGE_CLASSIFIED - 0.1, 1.0)
    assert is_possible(MIN_POSSIBLE_CLASSIFIED, SMALL_SCALE)
    assert not is_possible(MIN_POSSIBLE_CLASSIFIED - 0.1, SMALL_SCALE)


@pytest.mark.parametrize(
    ("nudged", "scale", "is_found"),
    [
        (MIN_NUDGED_CLASSIFIED, SMALL_SCALE, True),
        (MIN_NUDGED_CLASSIFIED - 0.1, SMALL_SCALE, False),
        (MIN_NUDGED_CLASSIFIED, 1.0, False),
    ],
)
def test_a_small_place_is_possible_where_the_classifier_is_sure_after_a_nudge(
    nudged: float, scale: float, is_found: bool
) -> None:
    """The place itself, each correction and the first nudge are judged by two crops each."""
    verifiers = [FixedDetector(name, [0.0] * 4) for name in ("yunet", "centerface")]
    unsure = MIN_CLASSIFIED
    before = [unsure] * 2 * (1 + CORRECTIONS + 1)
    classifier = FixedClassifier(*before, nudged, nudged, unsure)
    face = verify_proposal(halvings(picture(100)), PLACE, verifiers, classifier, scale)
    assert (face is not None) == is_found
    if face is not None:
        assert face.kind is FaceKind.POSSIBLE
        assert face.box.height > 1.15 * PLACE.height, "the second nudge is larger"


@pytest.mark.parametrize(
    ("log_odds", "scale", "is_found"),
    [
        ((MIN_SETTLED_CLASSIFIED, MIN_SETTLED_CLASSIFIED), SMALL_SCALE, True),
        ((0.0, MIN_SETTLED_CLASSIFIED, MIN_SETTLED_CLASSIFIED), SMALL_SCALE, True),
        ((MIN_SETTLED_CLASSIFIED, MIN_SETTLED_CLASSIFIED - 0.1), SMALL_SCALE, False),
        ((-1.1, MIN_SETTLED_CLASSIFIED, MIN_SETTLED_CLASSIFIED), SMALL_SCALE, False),
        ((MIN_SETTLED_CLASSIFIED, MIN_SETTLED_CLASSIFIED), 1.0, False),
    ],
)
def test_a_denied_place_is_possible_where_the_classifier_stays_sure_of_the_corrected_one(
    log_odds: Sequence[float], scale: float, is_found: bool
) -> None:
    """A face of 40 px that was drawn too far up. Each number is that of both crops of a place."""
    denied = MIN_CLASSIFIED - 1
    numbers = [denied, denied, *(value for one in log_odds for value in (one, one)), denied]
    classifier = FixedClassifier(*numbers, correction=Nudge(down=0.2))
    verifiers = [FixedDetector(name, [0.0] * 4) for name in ("yunet", "centerface")]
    face = verify_proposal(halvings(picture(100)), PLACE, verifiers, classifier, scale)
    assert (face is not None) == is_found
    if face is not None:
        assert face.kind is FaceKind.POSSIBLE
        down = face.box.middle[1] - PLACE.centre[1]
        assert down == pytest.approx(0.2 * len(log_odds) * PLACE.height, abs=1)


def test_the_mean_of_both_large_crops_counts_unless_the_first_is_clear() -> None:
    def is_face(*log_odds: float) -> bool:
        verifiers = [FixedDetector(name, [0.9] * 4) for name in ("yunet", "centerface")]
        classifier = FixedClassifier(*log_odds)
        return verify_proposal(halvings(picture(100)), PLACE, verifiers, classifier) is not None

    first = MIN_FIRST_CLASSIFIED
    assert is_face(first, 2 * MIN_CLASSIFIED - first)
    assert not is_face(first, 2 * MIN_CLASSIFIED - first - 0.1)
    assert not is_face(first - 0.1, 100.0)


def test_places_whose_small_crop_may_show_a_face_are_verified_the_likeliest_first() -> None:
    places = [replace(PLACE, height=height) for height in (40.0, 50.0, 60.0, 70.0)]
    classifier = FixedClassifier(MIN_QUICK, MIN_QUICK_CORRECTED - 0.1, 3.0, 1.0)
    likely = likely_places(halvings(picture(100)), places, classifier, small=30, highest=96)
    assert [place.height for place in likely] == [60, 70, 40]


@pytest.mark.parametrize(("highest", "is_likely"), [(81, True), (80, False)])
def test_an_unlikely_place_counts_where_a_face_is_likely_beside_its_middle(
    highest: float, is_likely: bool
) -> None:
    places = [replace(PLACE, height=height) for height in (80.0, 81.0)]
    classifier = FixedClassifier(MIN_QUICK_CORRECTED, MIN_QUICK, MIN_QUICK)
    likely = likely_places(halvings(picture(100)), places, classifier, small=30, highest=highest)
    assert likely == (places if is_likely else places[1:])


@pytest.mark.parametrize(("as_proposed", "as_larger", "height"), [(1, 2, 28), (2, 1, 20)])
def test_a_small_place_gets_the_likelier_of_two_sizes(
    as_proposed: float, as_larger: float, height: float
) -> None:
    classifier = FixedClassifier(as_proposed, as_larger)
    places = [replace(PLACE, height=20.0)]
    likely = likely_places(halvings(picture(100)), places, classifier, small=24, highest=48)
    assert [place.height for place in likely] == [pytest.approx(height)]


@pytest.mark.parametrize("height", [30.0, 80.0, 300.0, 900.0])
def test_a_place_of_any_size_fills_half_of_the_crop(height: float) -> None:
    """A white square on black, as high as the face, whichever halving the crop is cut from."""
    rgb = np.zeros((2000, 2000, 3), np.uint8)
    half = round(height / 2)
    rgb[1000 - half : 1000 + half, 1000 - half : 1000 + half] = 255
    crop = place_crop(halvings(rgb), Proposal((1000.0, 1000.0), height, 0.0, 1.0), CLASSIFIED[0])
    assert crop.pixels.shape == (SIDE, SIDE, 3)
    white = (crop.pixels[:, :, 0] > 127).sum(axis=0).max()
    assert abs(int(white) - SIDE / 2) <= 2
