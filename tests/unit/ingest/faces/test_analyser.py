"""Recognition and enrolment by the real models: who is matched, and which portraits are refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from consent_gate.matching.gallery import Gallery, Template, gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Box, FaceEvidence, FaceKind, Match, NotMatched, Reason, Unknown
from ingest.faces.align import ARCFACE_TEMPLATE
from ingest.faces.analyser import FaceAnalyser
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import MirrorEmbedding, SFaceEmbedder
from ingest.faces.enrolment_face import EnrolmentFace, NotEnrollable, NotEnrollableReason
from ingest.faces.finder import default_finder
from ingest.faces.finder_settings import PORTRAIT
from ingest.faces.protocols import RGB, FoundFace
from tests.support.face_photos import FacePhotos, face_photos
from tests.support.images import read_photo

pytestmark = pytest.mark.costly

__all__ = ["face_photos"]

BLACK: RGB = np.zeros((400, 400, 3), np.uint8)


class Found:
    """A finder's answer, given."""

    def __init__(self, *faces: FoundFace) -> None:
        self._faces = list(faces)

    def find(self, rgb: RGB) -> list[FoundFace]:
        return self._faces


def face(x: int, y: int, side: int, kind: FaceKind = FaceKind.FACE) -> FoundFace:
    points = (ARCFACE_TEMPLATE * side / 112 + np.array([x, y])).astype(np.float32)
    return FoundFace(Box(x, y, side, side), 0.9, kind, points)


@pytest.fixture(scope="module")
def models() -> tuple[SFaceEmbedder, DlibEmbedder]:
    return SFaceEmbedder(), DlibEmbedder()


def verdict(
    models: tuple[SFaceEmbedder, DlibEmbedder], *faces: FoundFace
) -> NotEnrollableReason | None:
    """Why the black portrait with these faces isn't enrolled; it is always at least too dark."""
    answer = FaceAnalyser(Found(*faces), *models, shipped_thresholds()).enrol(BLACK)
    return answer.reason if isinstance(answer, NotEnrollable) else None


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
def gallery(analyser: FaceAnalyser, face_photos: FacePhotos) -> Gallery:
    people = enumerate(face_photos.people)
    return gallery_of([enrolled(analyser, pictures[0], str(name)) for name, pictures in people])


def enrolled(analyser: FaceAnalyser, picture: RGB, name: str) -> Template:
    face = analyser.enrol(picture)
    assert isinstance(face, EnrolmentFace)
    return Template(name, face.vectors, face.versions)


def middle_one(faces: Sequence[FaceEvidence]) -> FaceEvidence:
    """The face nearest to the middle of a 250 x 250 photo."""
    return min(faces, key=lambda face: abs(face.box.x + face.box.width / 2 - 125))


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list | tuple) and len(value) < 50:
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


class NoFigures(SFaceEmbedder):
    """An embedder whose network answers with nothing usable."""

    def embed_crop(self, crop: RGB) -> MirrorEmbedding:
        return MirrorEmbedding(np.full(128, np.nan, np.float32), 1.0)


def test_a_portrait_without_a_face(models: tuple[SFaceEmbedder, DlibEmbedder]) -> None:
    assert verdict(models) is NotEnrollableReason.NO_FACE
    assert verdict(models, face(100, 100, 200, FaceKind.POSSIBLE)) is NotEnrollableReason.NO_FACE


@pytest.mark.parametrize(
    "faces",
    [
        [face(20, 100, 150), face(230, 100, 150)],
        [face(100, 100, 200), face(300, 0, 99), face(0, 0, 150)],
        [face(0, 0, 180), face(185, 185, 60)],
    ],
    ids=["two side by side", "a third nearly as large", "a child in the middle beside a parent"],
)
def test_a_portrait_of_two_people_is_nobodys(
    models: tuple[SFaceEmbedder, DlibEmbedder], faces: list[FoundFace]
) -> None:
    assert verdict(models, *faces) is NotEnrollableReason.TWO_FACES


@pytest.mark.parametrize(
    "faces",
    [
        [face(100, 100, 200)],
        [face(100, 100, 200), face(0, 0, 90)],
        [face(100, 100, 200), face(60, 80, 210)],
    ],
    ids=["alone", "a bystander in the corner", "the same face found twice"],
)
def test_a_portrait_of_one_person_fails_only_for_its_darkness(
    models: tuple[SFaceEmbedder, DlibEmbedder], faces: list[FoundFace]
) -> None:
    assert verdict(models, *faces) is NotEnrollableReason.POOR_PICTURE


def test_a_picture_of_the_webcam_may_show_no_second_face_however_small(
    models: tuple[SFaceEmbedder, DlibEmbedder],
) -> None:
    def reason(*faces: FoundFace) -> NotEnrollableReason | None:
        answer = FaceAnalyser(Found(*faces), *models, shipped_thresholds()).enrol_alone(BLACK)
        return answer.reason if isinstance(answer, NotEnrollable) else None

    pupil, behind, twice = face(100, 100, 200), face(0, 0, 30), face(150, 150, 90)
    assert reason() is NotEnrollableReason.NO_FACE
    assert reason(pupil, behind) is NotEnrollableReason.TWO_FACES
    assert reason(pupil, twice) is NotEnrollableReason.POOR_PICTURE
    assert reason(pupil) is NotEnrollableReason.POOR_PICTURE


def test_the_reason_is_a_sentence_for_staff(models: tuple[SFaceEmbedder, DlibEmbedder]) -> None:
    analyser = FaceAnalyser(Found(face(100, 100, 200)), *models, shipped_thresholds())
    answer = analyser.enrol(BLACK)
    assert isinstance(answer, NotEnrollable)
    assert answer.message == "The quality of the portrait is too low: the face is too dark."


def test_enrolled_people_are_mostly_recognised_and_never_as_another(
    analyser: FaceAnalyser, gallery: Gallery, face_photos: FacePhotos
) -> None:
    right = met = 0
    for name, pictures in enumerate(face_photos.people):
        for picture in pictures[1:]:
            identity = middle_one(analyser.analyse(picture, gallery)).identity
            assert not isinstance(identity, Match) or identity.pupil == str(name)
            right += isinstance(identity, Match)
            met += 1
    assert right >= 0.75 * met


def test_strangers_are_unknown(
    analyser: FaceAnalyser, gallery: Gallery, face_photos: FacePhotos
) -> None:
    for picture in face_photos.strangers:
        for face in analyser.analyse(picture, gallery):
            assert not isinstance(face.identity, Match)


def test_the_second_opinion_is_asked_only_where_it_can_change_the_verdict(
    analyser: FaceAnalyser,
    second_opinion: CountingDlib,
    gallery: Gallery,
    face_photos: FacePhotos,
) -> None:
    before = second_opinion.asked
    enrolment = face_photos.people[0][0]
    assert isinstance(middle_one(analyser.analyse(enrolment, gallery)).identity, Match)
    analyser.analyse(face_photos.strangers[0], gallery)
    assert second_opinion.asked == before


def test_no_vector_of_a_face_leaves_the_analysis(
    analyser: FaceAnalyser, gallery: Gallery, face_photos: FacePhotos
) -> None:
    evidence = analyser.analyse(face_photos.people[0][1], gallery)
    for value in leaves([dataclasses.asdict(face) for face in evidence]):
        assert isinstance(value, str | int | float | None)


def test_with_nobody_enrolled_every_face_is_unknown(
    analyser: FaceAnalyser, face_photos: FacePhotos
) -> None:
    faces = analyser.analyse(face_photos.people[0][0], gallery_of([]))
    assert [face.identity for face in faces if face.kind is FaceKind.FACE] == [Unknown()]


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda rgb: (rgb * 0.01).astype(np.uint8), "dark"),
        (lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 12), "blurred"),
    ],
)
def test_a_poor_portrait_is_never_enrolled(
    analyser: FaceAnalyser, face_photos: FacePhotos, spoil: object, word: str
) -> None:
    assert callable(spoil)
    answer = analyser.enrol(spoil(face_photos.people[0][0]))
    assert isinstance(answer, NotEnrollable)
    assert answer.reason is NotEnrollableReason.NO_FACE or word in answer.message


def test_a_landscape_is_not_a_portrait(analyser: FaceAnalyser) -> None:
    slope = np.linspace(40, 220, 300).astype(np.uint8)
    picture = np.repeat(np.tile(slope[:, None], (1, 300))[:, :, None], 3, axis=2)
    answer = analyser.enrol(picture)
    assert isinstance(answer, NotEnrollable)
    assert answer.reason is NotEnrollableReason.NO_FACE


def test_a_picture_of_two_people_is_not_a_portrait(
    analyser: FaceAnalyser, face_photos: FacePhotos
) -> None:
    side_by_side = np.hstack([pictures[0] for pictures in face_photos.people[:2]])
    answer = analyser.enrol(np.ascontiguousarray(side_by_side))
    assert isinstance(answer, NotEnrollable)
    assert answer.reason is NotEnrollableReason.TWO_FACES


def test_a_bystander_in_the_corner_does_not_spoil_a_portrait(
    analyser: FaceAnalyser, face_photos: FacePhotos
) -> None:
    portrait = cv2.resize(face_photos.people[0][0], (500, 500))
    portrait[:120, :120] = cv2.resize(face_photos.people[1][0], (120, 120))
    alone = enrolled(analyser, face_photos.people[0][0], "0")
    answer = analyser.enrol(np.asarray(portrait, np.uint8))
    assert isinstance(answer, EnrolmentFace)
    assert float(answer.vectors["sface"] @ alone.vectors["sface"]) > 0.9


@pytest.mark.shared_data
def test_school_portraits_with_people_behind_are_usable(
    analyser: FaceAnalyser, shared_data: Path
) -> None:
    for pupil in ("004291", "004483", "004204", "004411", "004072", "004294"):
        picture = read_photo(shared_data / "school" / "portraits" / f"{pupil}.jpg")
        assert isinstance(analyser.enrol(picture), EnrolmentFace), pupil


def test_a_face_that_cannot_be_measured_is_held_not_unknown(
    second_opinion: CountingDlib, gallery: Gallery, face_photos: FacePhotos
) -> None:
    broken = FaceAnalyser(default_finder(), NoFigures(), second_opinion, shipped_thresholds())
    picture = face_photos.people[0][0]
    identity = middle_one(broken.analyse(picture, gallery)).identity
    assert isinstance(identity, NotMatched)
    assert identity.reason is Reason.NOT_EXAMINED
    assert isinstance(broken.enrol(picture), NotEnrollable)
