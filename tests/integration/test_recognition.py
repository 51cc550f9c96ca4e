"""Real photos, real models: who is let through, who is enrolled, what never leaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from consent_gate.gallery import Gallery, Template, gallery_of
from consent_gate.model import Box, FaceEvidence, FaceKind, Match, NotJudged, Reason, Unknown
from consent_gate.shipped_thresholds import shipped_thresholds
from ingest.faces.analyser import (
    EnrolmentFace,
    FaceAnalyser,
    NotEnrollable,
    WhyNotEnrollable,
)
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import MirrorEmbedding, SFaceEmbedder
from ingest.faces.finder import PORTRAIT, default_finder
from ingest.faces.landmarks import CloseLook
from ingest.faces.protocols import RGB, FoundFace

pytestmark = pytest.mark.shared_data


class CountingDlib(DlibEmbedder):
    """The real second opinion, counting how many faces it was asked for."""

    asked = 0

    def embed(self, rgb: RGB, faces: Sequence[FoundFace]) -> NDArray[np.float32]:
        self.asked += len(faces)
        return super().embed(rgb, faces)


@pytest.fixture(scope="module")
def second_opinion() -> CountingDlib:
    return CountingDlib()


@pytest.fixture(scope="module")
def analyser(second_opinion: CountingDlib) -> FaceAnalyser:
    """As a worker has it: enrolment photos are looked at more quickly."""
    finder, portraits = default_finder(), default_finder(PORTRAIT)
    return FaceAnalyser(finder, SFaceEmbedder(), second_opinion, shipped_thresholds(), portraits)


@pytest.fixture(scope="module")
def people(shared_data: Path) -> list[Path]:
    """Eight members' folders, spread over the alphabet; the first pictures are fit to enrol."""
    return sorted((shared_data / "faces" / "people").iterdir())[1::40]


@pytest.fixture(scope="module")
def gallery(analyser: FaceAnalyser, people: list[Path]) -> Gallery:
    return gallery_of([enrolled(analyser, person) for person in people])


def enrolled(analyser: FaceAnalyser, person: Path) -> Template:
    face = analyser.enrol(photo(sorted(person.iterdir())[0]))
    assert isinstance(face, EnrolmentFace)
    return Template(person.name, face.vectors, face.versions)


def photo(path: Path) -> RGB:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def middle_one(faces: Sequence[FaceEvidence]) -> FaceEvidence:
    """The face nearest to the middle of a 250 x 250 photo."""
    return min(faces, key=lambda face: abs(face.box.x + face.box.width / 2 - 125))


def test_members_met_again_are_mostly_recognised_and_never_as_another(
    analyser: FaceAnalyser, gallery: Gallery, people: list[Path]
) -> None:
    right = 0
    for person in people:
        for path in sorted(person.iterdir())[1:3]:
            identity = middle_one(analyser.analyse(photo(path), gallery)).identity
            assert not isinstance(identity, Match) or identity.pupil == person.name
            right += isinstance(identity, Match)
    assert right >= 0.75 * 2 * len(people)


def test_strangers_are_unknown(analyser: FaceAnalyser, gallery: Gallery, shared_data: Path) -> None:
    for path in sorted((shared_data / "faces" / "strangers").iterdir())[::80]:
        for face in analyser.analyse(photo(path), gallery):
            assert not isinstance(face.identity, Match)


def test_the_second_opinion_is_asked_only_where_it_can_change_the_verdict(
    analyser: FaceAnalyser,
    second_opinion: CountingDlib,
    gallery: Gallery,
    people: list[Path],
    shared_data: Path,
) -> None:
    before = second_opinion.asked
    portrait = photo(sorted(people[0].iterdir())[0])
    assert isinstance(middle_one(analyser.analyse(portrait, gallery)).identity, Match)
    analyser.analyse(photo(sorted((shared_data / "faces" / "strangers").iterdir())[0]), gallery)
    assert second_opinion.asked == before


def test_no_vector_of_a_face_leaves_the_analysis(
    analyser: FaceAnalyser, gallery: Gallery, people: list[Path]
) -> None:
    evidence = analyser.analyse(photo(sorted(people[0].iterdir())[1]), gallery)
    for value in leaves([dataclasses.asdict(face) for face in evidence]):
        assert isinstance(value, str | int | float | None)


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list | tuple) and len(value) < 50:
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def test_with_nobody_enrolled_every_face_is_unknown(
    analyser: FaceAnalyser, people: list[Path]
) -> None:
    faces = analyser.analyse(photo(sorted(people[0].iterdir())[0]), gallery_of([]))
    assert [face.identity for face in faces if face.kind is FaceKind.FACE] == [Unknown()]


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda rgb: (rgb * 0.01).astype(np.uint8), "dark"),
        (lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 12), "blurred"),
    ],
)
def test_a_spoilt_portrait_is_never_enrolled(
    analyser: FaceAnalyser, people: list[Path], spoil: object, word: str
) -> None:
    assert callable(spoil)
    answer = analyser.enrol(spoil(photo(sorted(people[0].iterdir())[0])))
    assert isinstance(answer, NotEnrollable)
    assert answer.reason is WhyNotEnrollable.NO_FACE or word in answer.sentence


def test_a_landscape_is_not_a_portrait(analyser: FaceAnalyser) -> None:
    slope = np.linspace(40, 220, 300).astype(np.uint8)
    picture = np.repeat(np.tile(slope[:, None], (1, 300))[:, :, None], 3, axis=2)
    answer = analyser.enrol(picture)
    assert isinstance(answer, NotEnrollable)
    assert answer.reason is WhyNotEnrollable.NO_FACE


def test_a_picture_of_two_people_is_not_a_portrait(
    analyser: FaceAnalyser, people: list[Path]
) -> None:
    side_by_side = np.hstack([photo(sorted(person.iterdir())[0]) for person in people[:2]])
    answer = analyser.enrol(np.ascontiguousarray(side_by_side))
    assert isinstance(answer, NotEnrollable)
    assert answer.reason is WhyNotEnrollable.TWO_FACES


def test_a_bystander_in_the_corner_does_not_spoil_a_portrait(
    analyser: FaceAnalyser, people: list[Path]
) -> None:
    portrait = cv2.resize(photo(sorted(people[0].iterdir())[0]), (500, 500))
    portrait[:120, :120] = cv2.resize(photo(sorted(people[1].iterdir())[0]), (120, 120))
    alone = enrolled(analyser, people[0])
    answer = analyser.enrol(np.asarray(portrait, np.uint8))
    assert isinstance(answer, EnrolmentFace)
    assert float(answer.vectors["sface"] @ alone.vectors["sface"]) > 0.9


@pytest.mark.parametrize("pupil", ["004291", "004483", "004204", "004411", "004072", "004294"])
def test_school_portraits_with_people_behind_are_usable(
    analyser: FaceAnalyser, shared_data: Path, pupil: str
) -> None:
    portrait = photo(shared_data / "school" / "portraits" / f"{pupil}.jpg")
    assert isinstance(analyser.enrol(portrait), EnrolmentFace)


def test_roughly_placed_landmarks_are_placed_anew(people: list[Path]) -> None:
    picture = photo(sorted(people[0].iterdir())[0])
    found = min(
        default_finder().find(picture), key=lambda face: abs(face.box.x + face.box.width / 2 - 125)
    )
    look = CloseLook()
    rough = dataclasses.replace(found, landmarks=found.landmarks + np.float32(6))
    assert np.abs(look.at(picture, rough).landmarks - look.at(picture, found).landmarks).max() < 0.5


def test_landmarks_of_another_face_are_never_taken(people: list[Path]) -> None:
    picture = photo(sorted(people[0].iterdir())[0])
    far = FoundFace(
        Box(90, 90, 70, 70), 0.9, FaceKind.FACE, np.full((5, 2), -400, dtype=np.float32)
    )
    assert CloseLook().at(picture, far) is far


class NoFigures(SFaceEmbedder):
    """An embedder whose network answers with nothing usable."""

    def embed_crop(self, crop: RGB) -> MirrorEmbedding:
        return MirrorEmbedding(np.full(128, np.nan, np.float32), 1.0)


def test_a_face_that_cannot_be_measured_is_held_not_unknown(
    second_opinion: CountingDlib, gallery: Gallery, people: list[Path]
) -> None:
    broken = FaceAnalyser(default_finder(), NoFigures(), second_opinion, shipped_thresholds())
    picture = photo(sorted(people[0].iterdir())[0])
    identity = middle_one(broken.analyse(picture, gallery)).identity
    assert isinstance(identity, NotJudged)
    assert identity.reason is Reason.NOT_EXAMINED
    assert isinstance(broken.enrol(picture), NotEnrollable)
