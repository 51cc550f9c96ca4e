"""A stranger who lies, hangs or stands on the head in a film for a moment, beside a pupil.

In most tests the people are drawn: a face is a square, its colour is the person, and a black bar
is the hair. The detectors see a face only where the hair is above it, as real ones do.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Examined, FaceEvidence, FaceKind, Reason
from ingest.decoding.decode import DecodeLimits
from ingest.faces.protocols import RGB, Detection, FoundFace
from ingest.film.decode import FilmReader
from ingest.film.examine import FilmExaminer
from ingest.workers import worker
from ingest.workers.worker_config import WorkerConfig
from tests.attacks.test_unseen_faces import photo
from tests.support.cached_analysis import start_worker
from tests.support.core_factories import ANN as ANNS_NUMBER
from tests.support.core_factories import (
    assert_held,
    assert_released,
    make_pupil,
    make_register,
    signed_input,
    website_verdict,
)
from tests.support.drawn_people import (
    ANN,
    SIDE,
    STRANGER,
    DrawnDetector,
    DrawnFinder,
    drawn_film,
    examine_drawn,
    scene,
    stored_evidence,
)

SCHOOL = make_register(make_pupil(ANNS_NUMBER))
HAIR = 8
FRAMES = 40


class Detector(DrawnDetector):
    """Sees each person who is upright in the picture that it is shown."""

    def detect(self, rgb: RGB) -> list[Detection]:
        return [one for one in super().detect(rgb) if is_upright(rgb, one)]


class Finder(DrawnFinder):
    """All detectors, which happen to search at other angles when nobody lies there."""

    def __init__(self) -> None:
        super().__init__(scout=Detector("yunet"))

    def find(self, rgb: RGB) -> list[FoundFace]:
        upright = [(one.x, one.y) for one in self.scout.detect(rgb)]
        return [face for face in super().find(rgb) if (face.box.x, face.box.y) in upright]


def is_upright(rgb: RGB, found: Detection) -> bool:
    above = rgb[max(0, int(found.y) - 6) : max(0, int(found.y) - 2), int(found.x + 10)]
    return bool(above.size) and above.max() < 60


def person(colour: tuple[int, int, int], quarters: int) -> RGB:
    """A face with hair, turned anticlockwise by so many quarters."""
    picture = np.zeros((SIDE + HAIR, SIDE + HAIR, 3), np.uint8)
    picture[:] = 128
    picture[:HAIR, :SIDE] = 0
    picture[HAIR:, :SIDE] = colour
    return np.rot90(picture, quarters)


def frames(quarters: int, first: int, count: int, x: int = 200) -> Iterator[RGB]:
    """Ann, and a stranger beside her in some frames."""
    for number in range(FRAMES):
        picture = scene()
        people = [(ANN, 0, 20)]
        if first <= number < first + count:
            people.append((STRANGER, quarters, x))
        for colour, turn, left in people:
            one = person(colour, turn)
            picture[100 : 100 + one.shape[0], left : left + one.shape[1]] = one
        yield picture


def examined(pictures: Iterator[RGB]) -> Examined:
    scout, second = Detector("yunet"), Detector("centerface")
    found = examine_drawn(drawn_film(pictures), scout, second, Finder())
    return stored_evidence(found)


def test_a_film_of_ann_alone_is_released() -> None:
    evidence = examined(frames(0, 0, 0))
    assert_released(website_verdict(evidence, SCHOOL, signed_input()))


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_stranger_who_is_never_upright_is_judged(quarters: int) -> None:
    evidence = examined(frames(quarters, 20, 3))
    assert len(evidence.faces) == 2
    assert_held(website_verdict(evidence, SCHOOL, signed_input()), Reason.UNKNOWN_FACE)


# --- with the real detectors ---

WIDTH, HEIGHT, RATE = 640, 360, 25


def film_with(degrees: float, first: int, count: int, *, moves: bool) -> bytes:
    """A stranger of 70 pixels, turned, before a wall; the camera may move."""
    face = photo("hopper_us_navy")[95:345, 130:400]
    side = 120
    face = np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), degrees, 1.0)
    face = np.asarray(cv2.warpAffine(face, turn, (side, side)), np.uint8)
    mask = np.zeros((side, side), np.uint8)
    cv2.ellipse(mask, (side // 2, side // 2), (44, 52), degrees, 0, 360, 1, -1)
    coarse = np.random.default_rng(3).integers(60, 200, (9, 16, 3), dtype=np.uint8)
    wall = np.asarray(cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)
    pictures = []
    for number in range(FRAMES):
        picture = np.roll(wall, 6 * number if moves else 0, axis=1).copy()
        if first <= number < first + count:
            place = picture[120 : 120 + side, 350 : 350 + side]
            place[mask > 0] = face[mask > 0]
        pictures.append(picture)
    return drawn_film(pictures)


def faces_of(film: bytes) -> tuple[FaceEvidence, ...]:
    models = worker.loaded_worker()
    examiner = FilmExaminer(
        models.film_scout, models.film_second, models.finder, models.analyser, gallery_of(())
    )
    with FilmReader(io.BytesIO(film)) as reader:
        return examiner.examine(reader).faces


@pytest.mark.slow
@pytest.mark.parametrize("degrees", [60, 90, 135, 180, 225, 270, 300])
@pytest.mark.parametrize(("count", "moves"), [(3, False), (10, True)])
def test_a_real_face_that_is_turned_is_found(degrees: int, count: int, *, moves: bool) -> None:
    start_worker(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    faces = faces_of(film_with(degrees, 20, count, moves=moves))
    assert FaceKind.FACE in [face.kind for face in faces]
