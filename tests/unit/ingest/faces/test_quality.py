"""A face of poor quality is not judged, and the reviewer is told why."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Box, FaceKind, Quality
from ingest.faces.align import ARCFACE_TEMPLATE
from ingest.faces.protocols import FoundFace
from ingest.faces.quality import measure, quality_failure, turn, yaw

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


def test_a_head_turned_to_the_other_side_turns_the_other_way() -> None:
    left, right = ARCFACE_TEMPLATE.copy(), ARCFACE_TEMPLATE.copy()
    left[2, 0] -= 18
    right[2, 0] += 18
    assert turn(right) == pytest.approx(-turn(left), abs=0.05)
    assert turn(right) > 0.4


def test_a_tilted_picture_of_a_face_turns_no_head() -> None:
    """A photo or a screen that is turned is only made narrower."""
    narrow = ARCFACE_TEMPLATE * np.array([0.7, 1.0], np.float32)
    assert turn(narrow) == pytest.approx(turn(ARCFACE_TEMPLATE), abs=0.01)


def test_eyes_in_one_place_are_turned_too_far() -> None:
    flat = ARCFACE_TEMPLATE.copy()
    flat[1] = flat[0]
    assert yaw(flat) == float("inf")
