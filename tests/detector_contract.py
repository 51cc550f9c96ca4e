"""What every face detector must do, in the product or in a benchmark: subclasses name one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ingest.faces.protocols import RGB, Detector

PORTRAIT = Path(__file__).parents[1] / "consent_gate" / "demo_photos" / "hopper_us_navy.jpg"
FACE = (177, 117, 177, 218)
"""x, y, width, height of the face in it, drawn by hand."""


def one_portrait() -> RGB:
    """The picture with the one face."""
    return np.asarray(cv2.cvtColor(cv2.imread(str(PORTRAIT)), cv2.COLOR_BGR2RGB), dtype=np.uint8)


class DetectorContract:
    make: Callable[[], Detector]

    @pytest.fixture
    def detector(self) -> Detector:
        return type(self).make()

    def test_it_finds_the_one_face_in_a_portrait(self, detector: Detector) -> None:
        best = detector.detect(one_portrait())[0]
        x, y, width, height = FACE
        assert abs(best.x + best.width / 2 - (x + width / 2)) < width / 4
        assert abs(best.y + best.height / 2 - (y + height / 2)) < height / 4
        assert 0.7 < best.height / height < 1.3
        assert best.score > 0.7

    def test_it_answers_the_same_after_it_saw_another_size(self, detector: Detector) -> None:
        portrait = one_portrait()
        before = detector.detect(portrait)[0]
        detector.detect(np.ascontiguousarray(portrait[:333, :401]))
        after = detector.detect(portrait)[0]
        assert (after.x, after.y, after.score) == pytest.approx((before.x, before.y, before.score))

    @pytest.mark.parametrize("size", [(1, 1), (1, 700), (31, 33), (64, 64)])
    def test_a_black_picture_of_any_size_has_no_face(
        self, detector: Detector, size: tuple[int, int]
    ) -> None:
        assert detector.detect(np.zeros((*size, 3), np.uint8)) == []


class LandmarksContract(DetectorContract):
    def test_landmarks_start_with_the_eye_on_the_left_of_the_picture(
        self, detector: Detector
    ) -> None:
        landmarks = detector.detect(one_portrait())[0].landmarks
        assert landmarks is not None
        right_eye, left_eye, nose, right_mouth, left_mouth = landmarks
        assert right_eye[0] < nose[0] < left_eye[0]
        assert right_mouth[0] < left_mouth[0]
        assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])
