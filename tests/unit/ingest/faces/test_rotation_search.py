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
from ingest.faces.place_proposals import PlaceProposer, RotationSettings
from ingest.faces.protocols import RGB, FoundFace
from ingest.faces.rotation_search import CLEAR, RotationSearch
from ingest.faces.verification import LARGE

PICTURE = np.zeros((300, 400, 3), np.uint8)
UPRIGHT, TURNED = (Proposal((200.0, 150.0), 60.0, degrees, 0.3) for degrees in (0.0, 90.0))
ELSEWHERE = Proposal((60.0, 60.0), 40.0, 0.0, 0.1)


class FixedPlaces(PlaceProposer):
    """Proposes these places."""

    def __init__(self, places: Sequence[Proposal], max_side: int = 3000) -> None:
        self.settings = RotationSettings(max_side=max_side)
        self._places = list(places)

    def places(self, rgb: RGB) -> list[Proposal]:
        """The fixed places."""
        return self._places


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Angles at which places were verified. The place is certain at 90 degrees only."""
    angles: list[float] = []

    def verify(_views: object, place: Proposal, *_: object) -> FoundFace:
        angles.append(place.degrees)
        kind = FaceKind.FACE if place.degrees == 90 else FaceKind.POSSIBLE
        box = Box(int(place.centre[0]) - 20, int(place.centre[1]) - 20, 40, 40)
        score = 0.9 if kind is FaceKind.FACE else 0.01
        return FoundFace(box, score, kind, np.zeros((5, 2), np.float32))

    monkeypatch.setattr(rotation_search, "verify_proposal", verify)
    monkeypatch.setattr(rotation_search, "likely_places", lambda _views, places, *_: places)
    return angles


def searching(proposer: PlaceProposer) -> RotationSearch:
    return RotationSearch(proposer, (), PlaceClassifier())


def kinds(places: Sequence[Proposal]) -> list[FaceKind]:
    return [face.kind for face in searching(FixedPlaces(places)).find(PICTURE, lambda _: False)]


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


@pytest.mark.parametrize("score", [0.05, 0.9])
def test_a_hint_is_verified_only_where_nothing_was_found(
    verified: list[float], score: float
) -> None:
    """It comes after all places that a detector proposed, whatever its score."""
    hint = replace(UPRIGHT, degrees=45.0, score=score, is_hint=True)
    other = replace(ELSEWHERE, degrees=135.0, score=score, is_hint=True)
    assert kinds([hint, other, UPRIGHT]) == [FaceKind.POSSIBLE] * 2
    assert verified == [0, 135]


@pytest.mark.parametrize(
    ("max_side", "scale"), [(3000, 1.0), (400, 1.0), (PICTURE.shape[1] // 2, 2.0)]
)
def test_heights_are_compared_in_the_largest_rendition(
    monkeypatch: pytest.MonkeyPatch, max_side: int, scale: float
) -> None:
    asked: list[object] = []

    def verify(*arguments: object) -> None:
        asked.append(arguments[-1])

    def likely(*arguments: object) -> object:
        asked.append(arguments[-1])
        return arguments[1]

    monkeypatch.setattr(rotation_search, "likely_places", likely)
    monkeypatch.setattr(rotation_search, "verify_proposal", verify)
    searching(FixedPlaces([UPRIGHT], max_side)).find(PICTURE, lambda _: False)
    assert asked == [scale * LARGE, scale * LARGE, scale]
