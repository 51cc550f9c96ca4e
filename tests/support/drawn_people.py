"""Films with drawn people: a face is a square, and its colour is the person."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import Gallery, gallery_of
from consent_gate.model import Box, Examined, FaceKind, Identity, Match, NotMatched, Reason, Unknown
from ingest.faces.analyser import FaceAnalyser
from ingest.faces.measured_face import MeasuredFace
from ingest.faces.place_crops import Proposal
from ingest.faces.protocols import RGB, Detection, Detector, FoundFace
from ingest.faces.resolve import estimated_landmarks
from ingest.film.animation import open_frames
from ingest.film.examine import FilmExaminer, FilmResult
from tests.support.core_factories import CAMERA
from tests.support.factories import with_text_read
from tests.support.films import make_film

ANN, BEN, STRANGER = (220, 30, 30), (30, 200, 30), (30, 30, 220)
NAMES = {ANN: "000001", BEN: "000002"}
SIDE = 48


def scene(*people: tuple[tuple[int, int, int], int, int], grey: int = 128) -> RGB:
    """A frame with people at (x, y)."""
    picture = np.full((240, 320, 3), grey, np.uint8)
    for colour, x, y in people:
        picture[y : y + SIDE, x : x + SIDE] = colour
    return picture


def person_at(rgb: RGB, box: Box) -> tuple[int, int, int] | None:
    """Whose face a box shows."""
    inside = rgb[box.y : box.y + box.height, box.x : box.x + box.width].reshape(-1, 3).astype(int)
    for colour in (ANN, BEN, STRANGER):
        if np.abs(np.median(inside, axis=0) - colour).max() < 60:
            return colour
    return None


def found_in(rgb: RGB) -> list[Box]:
    """The squares of a frame, one of each colour."""
    boxes = []
    for colour in (ANN, BEN, STRANGER):
        middle = np.array(colour)
        mask = cv2.inRange(rgb, middle - 59, middle + 59)
        if cv2.countNonZero(mask) > 100:
            boxes.append(Box(*cv2.boundingRect(mask)))
    return boxes


class DrawnDetector:
    """Sees each coloured square as a face."""

    def __init__(self, name: str, score: float = 0.95) -> None:
        self.name, self._score = name, score
        self.calls = 0

    def detect(self, rgb: RGB) -> list[Detection]:
        self.calls += 1
        if not self._score:
            return []
        return [
            Detection(b.x, b.y, b.width, b.height, self._score, estimated_landmarks(b), self.name)
            for b in found_in(rgb)
        ]


class DrawnFinder:
    """All detectors: sees the same."""

    def __init__(
        self,
        sees: bool = True,
        scout: Detector | None = None,
        proposer: Detector | None = None,
    ) -> None:
        self._sees = sees
        self.scout = scout or DrawnDetector("yunet", score=0)
        """Searches turned views."""
        self.quick_detector = proposer or DrawnDetector("centerface_int8", score=0)
        """Searches the changed parts of frames."""
        self.calls = 0

    def upright_only(self) -> DrawnFinder:
        return self

    def turning_at_most(self, max_side: int) -> DrawnFinder:
        assert max_side > 0
        return self

    def find(self, rgb: RGB) -> list[FoundFace]:
        self.calls += 1
        boxes = found_in(rgb) if self._sees else []
        return [FoundFace(b, 0.9, FaceKind.FACE, estimated_landmarks(b)) for b in boxes]

    def verified(self, rgb: RGB, place: Proposal, scale: float) -> FoundFace | None:
        x, y = place.centre
        boxes = [box for box in found_in(rgb) if box.contains((x, y))]
        faces = [FoundFace(b, 0.9, FaceKind.FACE, estimated_landmarks(b)) for b in boxes]
        return next(iter(faces), None)


class DrawnAnalyser:
    """Vectors are one number a person. A face is too poor where ``is_poor`` says so."""

    def __init__(self, is_poor: Callable[[], bool] = lambda: False) -> None:
        self._is_poor = is_poor

    def measure_in_film(self, rgb: RGB, face: FoundFace) -> MeasuredFace:
        colour = person_at(rgb, face.box)
        if colour is None or self._is_poor():
            return MeasuredFace(NotMatched(Reason.LOW_QUALITY_FACE, "too poor"))
        vector = np.zeros(3, np.float32)
        vector[(ANN, BEN, STRANGER).index(colour)] = 1
        return MeasuredFace(None, None, vector)

    def identify_track(
        self, sface: NDArray[np.float32], samples: object, gallery: Gallery
    ) -> Identity:
        best = (ANN, BEN, STRANGER)[int(sface.mean(axis=0).argmax())]
        return Match(NAMES[best], 0.3, 0.2) if best in NAMES else Unknown()

    def likeness(
        self, first: NDArray[np.float32], second: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        return first @ second.T


def examine_drawn(
    film: bytes,
    scout: DrawnDetector | None = None,
    second: DrawnDetector | None = None,
    finder: DrawnFinder | None = None,
    analyser: DrawnAnalyser | FaceAnalyser | None = None,
    *,
    gallery: Gallery | None = None,
) -> FilmResult:
    """Examine a film with detectors and an analyser for drawn people, and whom a gallery has."""
    examiner = FilmExaminer(
        scout or DrawnDetector("yunet"),
        second or DrawnDetector("centerface"),
        finder or DrawnFinder(),  # type: ignore[arg-type]
        analyser or DrawnAnalyser(),  # type: ignore[arg-type]
        gallery or gallery_of(()),
    )
    with open_frames(io.BytesIO(film)) as reader:
        return examiner.examine(reader)


def drawn_film(frames: Iterable[RGB], **how: Any) -> bytes:
    """A film of drawn people, with little loss."""
    return make_film(frames, options={"crf": "5"}, **how)


def stored_evidence(found: FilmResult) -> Examined:
    """The evidence of a film of a known camera in which no text can be read, as it is stored."""
    size = found.width, found.height
    return with_text_read(
        Examined(*size, found.frames_sha256, found.faces, device=CAMERA, film=found.film)
    )
