"""Of several places at one face the surest counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from consent_gate.model import Box, FaceKind
from ingest.faces import rotation_search
from ingest.faces.place_classifier import PlaceClassifier
from ingest.faces.place_crops import Proposal
from ingest.faces.protocols import RGB, FoundFace
from ingest.faces.rotation_search import CLEAR, RotationSearch, RotationSettings
from ingest.faces.verification import LARGE

PICTURE = np.zeros((300, 400, 3), np.uint8)
UPRIGHT, TURNED = (Proposal((200.0, 150.0), 60.0, degrees, 0.3) for degrees in (0.0, 90.0))
ELSEWHERE = Proposal((60.0, 60.0), 40.0, 0.0, 0.1)


class FixedSearch(RotationSearch):
    """Proposes these places."""

    def __init__(self, places: Sequence[Proposal], max_side: int = 3000) -> None:
        super().__init__((), (), PlaceClassifier(), RotationSettings(max_side=max_side))
        self._places = list(places)

    def places(self, rgb: RGB) -> list[Proposal]:
        """The fixed places."""
        return self._places


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Angles at which places were verified. The place is certain at 90 degrees only."""
    angles: list[float] = []

    def verify(_views: object, place: Proposal, *_: object, is_large: bool) -> FoundFace:
        angles.append(place.degrees)
        kind = FaceKind.FACE if place.degrees == 90 else FaceKind.POSSIBLE
        box = Box(int(place.centre[0]) - 20, int(place.centre[1]) - 20, 40, 40)
        score = 0.9 if kind is FaceKind.FACE else 0.01
        return FoundFace(box, score, kind, np.zeros((5, 2), np.float32))

    monkeypatch.setattr(rotation_search, "verify_proposal", verify)
    monkeypatch.setattr(rotation_search, "likely_places", lambda _views, places, *_: places)
    return angles


def kinds(places: Sequence[Proposal]) -> list[FaceKind]:
    return [face.kind for face in FixedSearch(places).find(PICTURE, lambda _: False)]


@pytest.mark.usefixtures("verified")
def test_a_possible_face_does_not_end_the_search_for_a_certain_one_at_its_place() -> None:
    assert kinds([UPRIGHT, TURNED]) == [FaceKind.FACE]
    assert kinds([UPRIGHT, TURNED, ELSEWHERE]) == [FaceKind.FACE, FaceKind.POSSIBLE]


def test_no_more_is_verified_at_the_place_of_a_certain_face(verified: list[float]) -> None:
    assert kinds([TURNED, UPRIGHT]) == [FaceKind.FACE]
    assert verified == [90]


def test_places_of_clear_faces_are_verified_before_likelier_ones(verified: list[float]) -> None:
    """The small crop does not tell which of several angles shows the face upright."""
    exact = replace(TURNED, score=CLEAR)
    likelier = replace(UPRIGHT, score=CLEAR - 0.01)
    assert kinds([likelier, exact]) == [FaceKind.FACE]
    assert verified == [90]


@pytest.mark.parametrize(
    ("height", "max_side", "is_large"),
    [
        (LARGE - 1, 3000, False),
        (LARGE, 3000, True),
        (2 * LARGE - 1, PICTURE.shape[1] // 2, False),
        (2 * LARGE, PICTURE.shape[1] // 2, True),
    ],
)
def test_more_is_asked_of_a_place_that_is_large_in_the_largest_rendition(
    monkeypatch: pytest.MonkeyPatch, height: float, max_side: int, is_large: bool
) -> None:
    asked: list[bool] = []

    def verify(*_: object, is_large: bool) -> None:
        asked.append(is_large)

    monkeypatch.setattr(rotation_search, "likely_places", lambda _views, places, *_: places)
    monkeypatch.setattr(rotation_search, "verify_proposal", verify)
    FixedSearch([replace(UPRIGHT, height=height)], max_side).find(PICTURE, lambda _: False)
    assert asked == [is_large]
