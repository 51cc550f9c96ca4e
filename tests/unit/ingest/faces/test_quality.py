"""A face too poor to judge is held, and the reviewer is told why."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Box, FaceKind, Quality
from ingest.faces.align import ARCFACE_TEMPLATE, aligned_crop, dlib_square
from ingest.faces.protocols import FoundFace
from ingest.faces.quality import measure, quality_failure, yaw

FLOORS = shipped_thresholds().floors
GOOD = Quality(
    height_px=200, sharpness=500.0, yaw=0.05, brightness=120.0, contrast=50.0, mirror_agreement=0.95
)


def pattern(size: int = 112) -> NDArray[np.uint8]:
    """A picture with detail everywhere, the same each time."""
    random = np.random.default_rng(0)
    return random.integers(60, 200, size=(size, size, 3), dtype=np.uint8)


def face(height: int = 112, landmarks: NDArray[np.float32] = ARCFACE_TEMPLATE) -> FoundFace:
    return FoundFace(Box(0, 0, height, height), 0.9, FaceKind.FACE, landmarks)


def test_a_good_portrait_is_judged() -> None:
    assert quality_failure(GOOD, FLOORS) is None


@pytest.mark.parametrize(
    ("figure", "value", "word"),
    [
        ("height_px", 4, "small"),
        ("yaw", 2.0, "turned"),
        ("brightness", 1.0, "dark"),
        ("contrast", 0.5, "contrast"),
        ("sharpness", 0.0, "blurred"),
        ("mirror_agreement", 0.0, "reliably"),
        ("yaw", float("nan"), "turned"),
        ("sharpness", float("nan"), "blurred"),
    ],
)
def test_a_poor_face_is_not_judged_and_the_reviewer_is_told_why(
    figure: str, value: float, word: str
) -> None:
    poor = Quality(**{**dataclasses.asdict(GOOD), figure: value})
    assert word in (quality_failure(poor, FLOORS) or "")


def test_a_blurred_face_measures_less_sharp_and_a_dark_one_less_bright() -> None:
    sharp = pattern()
    blurred = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3), np.uint8)
    dark = (sharp // 8).astype(np.uint8)
    assert measure(face(), blurred, 1).sharpness < measure(face(), sharp, 1).sharpness / 5
    assert measure(face(), dark, 1).brightness < measure(face(), sharp, 1).brightness / 5
    assert measure(face(), dark, 1).contrast < measure(face(), sharp, 1).contrast / 5


def test_a_turned_head_has_its_nose_off_the_middle() -> None:
    turned = ARCFACE_TEMPLATE.copy()
    turned[2, 0] += 18
    assert yaw(ARCFACE_TEMPLATE) < 0.05
    assert yaw(turned) == pytest.approx(0.5, abs=0.05)


def test_eyes_in_one_place_are_turned_too_far() -> None:
    flat = ARCFACE_TEMPLATE.copy()
    flat[1] = flat[0]
    assert yaw(flat) == float("inf")


def test_an_aligned_face_stays_as_it_is() -> None:
    picture = pattern()
    assert np.array_equal(aligned_crop(picture, ARCFACE_TEMPLATE)[2:-2, 2:-2], picture[2:-2, 2:-2])


def test_a_face_lying_on_its_side_is_turned_upright() -> None:
    picture = pattern()
    on_its_side = np.ascontiguousarray(np.rot90(picture))
    points = np.stack([ARCFACE_TEMPLATE[:, 1], 111 - ARCFACE_TEMPLATE[:, 0]], axis=1)
    crop = aligned_crop(on_its_side, points.astype(np.float32)).astype(int)
    assert np.abs(crop - picture)[4:-4, 4:-4].mean() < 2


def test_a_large_face_is_averaged_down_not_sampled() -> None:
    checks = np.indices((1120, 1120)).sum(axis=0) % 2 * 255
    picture = np.repeat(checks[:, :, None], 3, axis=2).astype(np.uint8)
    crop = aligned_crop(picture, (ARCFACE_TEMPLATE * 10).astype(np.float32))
    assert np.abs(crop[4:-4, 4:-4].astype(int) - 128).max() < 20


def test_a_face_outside_the_picture_gives_a_black_crop() -> None:
    crop = aligned_crop(pattern(), ARCFACE_TEMPLATE + 5000)
    assert crop.shape == (112, 112, 3)
    assert not crop.any()


def test_landmarks_in_one_point_do_not_end_the_run() -> None:
    crop = aligned_crop(pattern(), np.zeros((5, 2), np.float32))
    assert crop.shape == (112, 112, 3)
    assert dlib_square(np.zeros((5, 2), np.float32))[2] >= 1
