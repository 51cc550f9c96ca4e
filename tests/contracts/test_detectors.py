"""Every face detector, alone, on a photo of one person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.faces.detectors import Hog, RetinaFace
from consent_gate.operations import demo
from ingest.faces.detectors import CenterFace, YuNet
from ingest.faces.protocols import RGB, Detector
from tests.support.images import read_photo

PORTRAIT = Path(demo.__file__).parent / "demo_photos" / "hopper_us_navy.jpg"
FACE = (177, 117, 177, 218)
"""x, y, width, height of the face in it, drawn by hand."""


@pytest.fixture(scope="module")
def portrait() -> RGB:
    return read_photo(PORTRAIT)


class DetectorContract:
    """A subclass gives the fixture ``detector``."""

    def test_it_finds_the_one_face_in_a_portrait(self, detector: Detector, portrait: RGB) -> None:
        best = detector.detect(portrait)[0]
        x, y, width, height = FACE
        assert abs(best.x + best.width / 2 - (x + width / 2)) < width / 4
        assert abs(best.y + best.height / 2 - (y + height / 2)) < height / 4
        assert 0.7 < best.height / height < 1.3
        assert best.score > 0.7
        assert best.detector == detector.name

    def test_its_boxes_come_best_first(self, detector: Detector, portrait: RGB) -> None:
        scores = [found.score for found in detector.detect(portrait)]
        assert scores == sorted(scores, reverse=True)

    def test_it_answers_the_same_after_it_saw_another_size(
        self, detector: Detector, portrait: RGB
    ) -> None:
        before = detector.detect(portrait)[0]
        detector.detect(np.ascontiguousarray(portrait[:333, :401]))
        after = detector.detect(portrait)[0]
        assert (after.x, after.y, after.score) == pytest.approx((before.x, before.y, before.score))

    @pytest.mark.parametrize("size", [(1, 1), (1, 700), (31, 33), (64, 64)])
    def test_a_black_picture_of_any_size_has_no_face(
        self, detector: Detector, size: tuple[int, int]
    ) -> None:
        assert detector.detect(np.zeros((*size, 3), np.uint8)) == []


class LandmarkContract(DetectorContract):
    """For those that place eyes, nose and mouth as well."""

    def test_landmarks_start_with_the_eye_on_the_left_of_the_picture(
        self, detector: Detector, portrait: RGB
    ) -> None:
        landmarks = detector.detect(portrait)[0].landmarks
        assert landmarks is not None
        right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
        assert right_eye[0] < nose[0] < left_eye[0]
        assert right_mouth[0] < left_mouth[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


class TestYuNet(LandmarkContract):
    """The scout."""

    @pytest.fixture(scope="class")
    @classmethod
    def detector(cls) -> Detector:
        return YuNet()


class TestRetinaFace(LandmarkContract):
    """For the detection benchmark alone."""

    @pytest.fixture(scope="class")
    @classmethod
    def detector(cls) -> Detector:
        return RetinaFace()


class TestCenterFace(LandmarkContract):
    """Trained for anonymising."""

    @pytest.fixture(scope="class")
    @classmethod
    def detector(cls) -> Detector:
        return CenterFace()


class TestHog(DetectorContract):
    """dlib's, without a network and without landmarks."""

    @pytest.fixture(scope="class")
    @classmethod
    def detector(cls) -> Detector:
        return Hog()
