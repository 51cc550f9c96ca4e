"""When three webcam pictures are good, and show one child in three poses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from consent_gate.matching.gallery import MODELS
from consent_gate.model import Quality
from ingest.enrolment.webcam_poses import (
    GOOD_BRIGHTNESS,
    GOOD_HEIGHT_PX,
    GOOD_MIRROR_AGREEMENT,
    LEAST_TURN,
    MOST_TURN,
    MOST_TURN_STRAIGHT,
    NO_FACE,
    NOT_STRAIGHT,
    NOT_TURNED,
    OTHER_CHILD,
    SAME_SIDE,
    TOO_DARK,
    TOO_SMALL,
    TURNED_TOO_FAR,
    TWO_FACES,
    UNCLEAR,
    Pose,
    different_people,
    pose_problems,
    quality_problem,
    refusal_message,
)
from ingest.faces.enrolment_face import EnrolmentFace, NotEnrollableReason, not_enrollable

GOOD = Quality(200, 100.0, 0.0, 120.0, 40.0, 0.98)
NAN = float("nan")


def face(turn: float = 0.0, quality: Quality = GOOD) -> EnrolmentFace:
    vectors = {model: np.ones(128, np.float32) for model in MODELS}
    return EnrolmentFace(vectors, dict.fromkeys(vectors, "v1"), quality, b"", turn)


def poses(straight: float, left: float, right: float) -> dict[Pose, EnrolmentFace]:
    return {Pose.STRAIGHT: face(straight), Pose.LEFT: face(left), Pose.RIGHT: face(right)}


@pytest.mark.parametrize("turns", [(0.0, -0.2, 0.2), (0.05, 0.3, -0.2), (-0.1, 0.03, -0.3)])
def test_a_head_turned_a_little_to_each_side_is_as_asked(turns: tuple[float, ...]) -> None:
    assert pose_problems(poses(*turns)) == {}


@pytest.mark.parametrize(
    ("turns", "problems"),
    [
        ((MOST_TURN_STRAIGHT + 0.01, -0.2, 0.4), {Pose.STRAIGHT: NOT_STRAIGHT}),
        ((0.0, LEAST_TURN - 0.01, -0.2), {Pose.LEFT: NOT_TURNED}),
        ((0.0, 0.0, 0.0), {Pose.LEFT: NOT_TURNED, Pose.RIGHT: NOT_TURNED}),
        ((0.0, 0.2, MOST_TURN + 0.01), {Pose.RIGHT: TURNED_TOO_FAR}),
        ((0.0, 0.2, 0.25), {Pose.RIGHT: SAME_SIDE}),
        ((0.0, -0.2, -0.25), {Pose.RIGHT: SAME_SIDE}),
        ((NAN, 0.2, -0.2), {Pose.STRAIGHT: NOT_STRAIGHT}),
        ((0.0, NAN, -0.2), {Pose.LEFT: TURNED_TOO_FAR}),
        ((0.0, float("inf"), -0.2), {Pose.LEFT: TURNED_TOO_FAR}),
    ],
)
def test_other_poses_are_refused_with_the_reason(
    turns: tuple[float, ...], problems: dict[Pose, str]
) -> None:
    assert pose_problems(poses(*turns)) == problems


@pytest.mark.parametrize(
    ("quality", "problem"),
    [
        (GOOD, ""),
        (replace(GOOD, height_px=GOOD_HEIGHT_PX - 1), TOO_SMALL),
        (replace(GOOD, brightness=GOOD_BRIGHTNESS - 1), TOO_DARK),
        (replace(GOOD, brightness=NAN), TOO_DARK),
        (replace(GOOD, mirror_agreement=GOOD_MIRROR_AGREEMENT - 0.01), UNCLEAR),
        (replace(GOOD, mirror_agreement=NAN), UNCLEAR),
    ],
)
def test_only_a_good_face_becomes_a_portrait(quality: Quality, problem: str) -> None:
    assert quality_problem(face(quality=quality)) == problem


def test_the_picture_that_shows_somebody_else_is_named() -> None:
    faces = poses(0.0, 0.2, -0.2)
    other = faces[Pose.LEFT]

    def score(first: EnrolmentFace, second: EnrolmentFace) -> float:
        return 0.1 if other is first or other is second else 0.8

    assert different_people(faces, score, 0.4) == {Pose.LEFT: OTHER_CHILD}
    assert different_people(faces, lambda *_: 0.4, 0.4) == {}
    assert set(different_people(faces, lambda *_: NAN, 0.4)) == set(Pose)


def test_staff_read_what_is_wrong_in_few_words() -> None:
    reasons = NotEnrollableReason
    assert refusal_message(not_enrollable(reasons.TWO_FACES)) == TWO_FACES
    assert refusal_message(not_enrollable(reasons.NO_FACE)) == NO_FACE
    poor = not_enrollable(reasons.POOR_PICTURE, "the face is blurred")
    assert refusal_message(poor).endswith("the face is blurred.")
