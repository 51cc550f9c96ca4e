"""Real photos, real models: who is let through, who is enrolled, what never leaves."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from consent_gate.matching.gallery import Gallery, Template, gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Box, FaceEvidence, FaceKind, Match, NotMatched, Reason, Unknown
from consent_gate.operations import demo
from ingest.faces.analyser import (
    EnrolmentFace,
    FaceAnalyser,
    NotEnrollable,
    NotEnrollableReason,
)
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import MirrorEmbedding, SFaceEmbedder
from ingest.faces.finder import PORTRAIT, default_finder
from ingest.faces.landmark_refinement import LandmarkRefiner
from ingest.faces.protocols import RGB, FoundFace
from tests.conftest import SHARED, THE_PHOTOS_ARE_HERE

DEMO = Path(demo.__file__).parent / "demo_photos"


@dataclasses.dataclass(frozen=True)
class Sitters:
    """Photos of people, of whom the one meant is in the middle."""

    people: tuple[tuple[RGB, ...], ...]
    """By person: the first is fit to enrol, the others show the person again."""
    strangers: tuple[RGB, ...]


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


@pytest.fixture(scope="module", params=["demo", "given"] if THE_PHOTOS_ARE_HERE else ["demo"])
def sitters(request: pytest.FixtureRequest) -> Sitters:
    """The demonstration's adults; and eight people of many, spread over the alphabet."""
    if request.param == "demo":
        again = tuple(portrait(f"obama_white_house_{number}") for number in (1, 2, 3))
        others = tuple((portrait(name),) for name in ("collins_nasa", "hopper_us_navy"))
        return Sitters((again, *others), (portrait("biden_white_house"),))
    faces = SHARED / "data" / "faces"
    folders = sorted((faces / "people").iterdir())[1::40]
    return Sitters(
        tuple(tuple(photo(path) for path in sorted(one.iterdir())[:3]) for one in folders),
        tuple(photo(path) for path in sorted((faces / "strangers").iterdir())[::80]),
    )


@pytest.fixture(scope="module")
def gallery(analyser: FaceAnalyser, sitters: Sitters) -> Gallery:
    people = enumerate(sitters.people)
    return gallery_of([enrolled(analyser, pictures[0], str(name)) for name, pictures in people])


def enrolled(analyser: FaceAnalyser, picture: RGB, name: str) -> Template:
    face = analyser.enrol(picture)
    assert isinstance(face, EnrolmentFace)
    return Template(name, face.vectors, face.versions)


def portrait(name: str) -> RGB:
    """A photo of the demonstration, cut square and small as the others are."""
    with Image.open(DEMO / f"{name}.jpg") as image:
        return np.asarray(ImageOps.fit(image.convert("RGB"), (250, 250), centering=(0.5, 0.2)))


def photo(path: Path) -> RGB:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def middle_one(faces: Sequence[FaceEvidence]) -> FaceEvidence:
    """The face nearest to the middle of a 250 x 250 photo."""
    return min(faces, key=lambda face: abs(face.box.x + face.box.width / 2 - 125))


def test_members_met_again_are_mostly_recognised_and_never_as_another(
    analyser: FaceAnalyser, gallery: Gallery, sitters: Sitters
) -> None:
    right = met = 0
    for name, pictures in enumerate(sitters.people):
        for picture in pictures[1:]:
            identity = middle_one(analyser.analyse(picture, gallery)).identity
            assert not isinstance(identity, Match) or identity.pupil == str(name)
            right += isinstance(identity, Match)
            met += 1
    assert right >= 0.75 * met


def test_strangers_are_unknown(analyser: FaceAnalyser, gallery: Gallery, sitters: Sitters) -> None:
    for picture in sitters.strangers:
        for face in analyser.analyse(picture, gallery):
            assert not isinstance(face.identity, Match)


def test_the_second_opinion_is_asked_only_where_it_can_change_the_verdict(
    analyser: FaceAnalyser,
    second_opinion: CountingDlib,
    gallery: Gallery,
    sitters: Sitters,
) -> None:
    before = second_opinion.asked
    enrolment = sitters.people[0][0]
    assert isinstance(middle_one(analyser.analyse(enrolment, gallery)).identity, Match)
    analyser.analyse(sitters.strangers[0], gallery)
    assert second_opinion.asked == before


def test_no_vector_of_a_face_leaves_the_analysis(
    analyser: FaceAnalyser, gallery: Gallery, sitters: Sitters
) -> None:
    evidence = analyser.analyse(sitters.people[0][1], gallery)
    for value in leaves([dataclasses.asdict(face) for face in evidence]):
        assert isinstance(value, str | int | float | None)


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    if isinstance(value, list | tuple) and len(value) < 50:
        return [leaf for part in value for leaf in leaves(part)]
    return [value]


def test_with_nobody_enrolled_every_face_is_unknown(
    analyser: FaceAnalyser, sitters: Sitters
) -> None:
    faces = analyser.analyse(sitters.people[0][0], gallery_of([]))
    assert [face.identity for face in faces if face.kind is FaceKind.FACE] == [Unknown()]


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda rgb: (rgb * 0.01).astype(np.uint8), "dark"),
        (lambda rgb: cv2.GaussianBlur(rgb, (0, 0), 12), "blurred"),
    ],
)
def test_a_spoilt_portrait_is_never_enrolled(
    analyser: FaceAnalyser, sitters: Sitters, spoil: object, word: str
) -> None:
    assert callable(spoil)
    answer = analyser.enrol(spoil(sitters.people[0][0]))
    assert isinstance(answer, NotEnrollable)
    assert answer.reason is NotEnrollableReason.NO_FACE or word in answer.message


def test_a_landscape_is_not_a_portrait(analyser: FaceAnalyser) -> None:
    slope = np.linspace(40, 220, 300).astype(np.uint8)
    picture = np.repeat(np.tile(slope[:, None], (1, 300))[:, :, None], 3, axis=2)
    answer = analyser.enrol(picture)
    assert isinstance(answer, NotEnrollable)
    assert answer.reason is NotEnrollableReason.NO_FACE


def test_a_picture_of_two_people_is_not_a_portrait(
    analyser: FaceAnalyser, sitters: Sitters
) -> None:
    side_by_side = np.hstack([pictures[0] for pictures in sitters.people[:2]])
    answer = analyser.enrol(np.ascontiguousarray(side_by_side))
    assert isinstance(answer, NotEnrollable)
    assert answer.reason is NotEnrollableReason.TWO_FACES


def test_a_bystander_in_the_corner_does_not_spoil_a_portrait(
    analyser: FaceAnalyser, sitters: Sitters
) -> None:
    portrait = cv2.resize(sitters.people[0][0], (500, 500))
    portrait[:120, :120] = cv2.resize(sitters.people[1][0], (120, 120))
    alone = enrolled(analyser, sitters.people[0][0], "0")
    answer = analyser.enrol(np.asarray(portrait, np.uint8))
    assert isinstance(answer, EnrolmentFace)
    assert float(answer.vectors["sface"] @ alone.vectors["sface"]) > 0.9


@pytest.mark.shared_data
def test_school_portraits_with_people_behind_are_usable(
    analyser: FaceAnalyser, shared_data: Path
) -> None:
    for pupil in ("004291", "004483", "004204", "004411", "004072", "004294"):
        picture = photo(shared_data / "school" / "portraits" / f"{pupil}.jpg")
        assert isinstance(analyser.enrol(picture), EnrolmentFace), pupil


def test_roughly_placed_landmarks_are_placed_anew(sitters: Sitters) -> None:
    picture = sitters.people[0][0]
    found = min(
        default_finder().find(picture), key=lambda face: abs(face.box.x + face.box.width / 2 - 125)
    )
    look = LandmarkRefiner()
    rough = dataclasses.replace(found, landmarks=found.landmarks + np.float32(6))
    assert (
        np.abs(look.refine(picture, rough).landmarks - look.refine(picture, found).landmarks).max()
        < 0.5
    )


def test_landmarks_of_another_face_are_never_taken(sitters: Sitters) -> None:
    picture = sitters.people[0][0]
    far = FoundFace(
        Box(90, 90, 70, 70), 0.9, FaceKind.FACE, np.full((5, 2), -400, dtype=np.float32)
    )
    assert LandmarkRefiner().refine(picture, far) is far


class NoFigures(SFaceEmbedder):
    """An embedder whose network answers with nothing usable."""

    def embed_crop(self, crop: RGB) -> MirrorEmbedding:
        return MirrorEmbedding(np.full(128, np.nan, np.float32), 1.0)


def test_a_face_that_cannot_be_measured_is_held_not_unknown(
    second_opinion: CountingDlib, gallery: Gallery, sitters: Sitters
) -> None:
    broken = FaceAnalyser(default_finder(), NoFigures(), second_opinion, shipped_thresholds())
    picture = sitters.people[0][0]
    identity = middle_one(broken.analyse(picture, gallery)).identity
    assert isinstance(identity, NotMatched)
    assert identity.reason is Reason.NOT_EXAMINED
    assert isinstance(broken.enrol(picture), NotEnrollable)
