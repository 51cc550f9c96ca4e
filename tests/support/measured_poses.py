"""Webcam pictures whose faces a test chooses, in place of the face models."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TypeVar, TypeVarTuple, cast

from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.model import Quality, Reason
from ingest.enrolment.plan import PhotoToEnrol
from ingest.enrolment.session import EnrolmentSession, NewPhoto
from ingest.enrolment.webcam_poses import Pose
from ingest.faces.enrolment_face import EnrolmentFace, NotEnrollable
from publish.renditions.rendition import RenditionRefused
from tests.support.face_vectors import VERSIONS, seen_again, someone

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

PoseResult = EnrolmentFace | NotEnrollable | RenditionRefused
GOOD = Quality(200, 100.0, 0.0, 120.0, 40.0, 0.98)
TURNS = {Pose.STRAIGHT: 0.0, Pose.LEFT: -0.2, Pose.RIGHT: 0.2}


def face_of(person: int, picture: int = 0, *, change: float = 0.3, turn: float = 0.0) -> PoseResult:
    """A good face of a made-up person in one of their pictures."""
    vectors = seen_again(someone(person), 1000 * person + picture, change)
    return EnrolmentFace(vectors, VERSIONS, GOOD, b"\xff\xd8portrait", turn)


def poses_of(person: int) -> dict[Pose, PoseResult]:
    """The three poses of one person, as asked."""
    return {
        pose: face_of(person, number, turn=TURNS[pose]) for number, pose in enumerate(Pose, start=1)
    }


def pictures(label: str = "") -> dict[Pose, bytes]:
    """Three files; ``MeasuredPool`` tells them apart by their last word."""
    return {pose: b"\xff\xd8" + f"{label} {pose}".encode() for pose in Pose}


def enrolled(home: Home, number: str, person: int) -> None:
    """Store one portrait of a made-up person for a pupil."""
    enrol_one(home, number, f"{number:0>64}", cast("EnrolmentFace", face_of(person)))


def enrol_one(home: Home, number: str, digest: str, face: EnrolmentFace) -> None:
    """Store one portrait of a pupil. Nobody has confirmed it yet."""
    session = EnrolmentSession(home, "office")
    session.begin()
    today = home.now().date()
    session.accept(NewPhoto(PhotoToEnrol(f"{number}.jpg", number, today), digest, today), face)
    assert session.refused == []
    session.finish()


class MeasuredPool:
    """Where production opens an ``AnalysisPool``: answers what a test says of each pose."""

    size = 1

    def __init__(self, outcomes: Mapping[Pose, PoseResult]) -> None:
        self.outcomes = outcomes
        self.opened: list[bytes] = []

    def __call__(self, _home: Home, _gallery: Gallery) -> MeasuredPool:
        return self

    def __enter__(self) -> MeasuredPool:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing runs."""

    def submit(self, _task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        """Answer at once."""
        (data,) = cast("tuple[bytes]", arguments)
        self.opened.append(data)
        future: Future[T] = Future()
        future.set_result(cast("T", self.answer(data)))
        return future

    def answer(self, data: bytes) -> PoseResult:
        """The face of the picture; a picture that was made elsewhere cannot be read."""
        unread = RenditionRefused(Reason.NOT_EXAMINED, "The picture cannot be read.")
        pose = data.split()[-1].decode(errors="replace")
        return self.outcomes.get(cast("Pose", pose), unread)
