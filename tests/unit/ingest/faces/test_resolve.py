"""Which merged detections count as a face, as a possible face, or as nothing."""

from __future__ import annotations

import numpy as np
import pytest

from consent_gate.model import Box, FaceKind
from ingest.faces.protocols import Detection, FoundFace
from ingest.faces.resolve import resolve_faces, shows_part

NETWORKS = ("yunet", "centerface")


def seen(
    detector: str, score: float, at: tuple[float, float, float, float] = (50, 50, 40, 50)
) -> Detection:
    return Detection(*at, score=score, landmarks=None, detector=detector)


def test_what_all_detectors_are_sure_of_is_a_face() -> None:
    (face,) = resolve_faces([seen("yunet", 0.9), seen("centerface", 0.8)], 200, 200)
    assert face.kind is FaceKind.FACE


def test_what_one_detector_half_believes_is_a_possible_face() -> None:
    (face,) = resolve_faces([seen("centerface", 0.6)], 200, 200)
    assert face.kind is FaceKind.POSSIBLE


def test_one_detector_alone_never_makes_a_face() -> None:
    for name in NETWORKS:
        assert FaceKind.FACE not in {f.kind for f in resolve_faces([seen(name, 0.999)], 200, 200)}


def test_what_one_detector_hardly_believes_is_nothing() -> None:
    assert resolve_faces([seen("yunet", 0.2)], 200, 200) == []


def test_boxes_on_one_face_become_one_between_them() -> None:
    boxes = [seen("yunet", 0.8, (50, 50, 40, 50)), seen("centerface", 0.8, (54, 50, 40, 50))]
    (face,) = resolve_faces(boxes, 200, 200)
    assert face.box.as_list() == [52, 50, 40, 50]


def test_eyes_and_nose_of_a_large_face_are_not_another_face() -> None:
    whole = [seen(n, 0.9, (50, 50, 200, 250)) for n in NETWORKS]
    part = [seen("yunet", 0.4, (80, 90, 110, 120)), seen("centerface", 0.3, (80, 90, 110, 120))]
    assert len(resolve_faces(whole + part, 400, 400)) == 1
    assert len(resolve_faces(part, 400, 400)) == 1


def test_the_features_of_a_large_face_seen_again_are_not_another_face() -> None:
    """One detector alone gives the part a score from which it keeps a child before a poster."""
    whole = [seen(n, 0.9, (50, 50, 200, 250)) for n in NETWORKS]
    assert (
        len(resolve_faces([*whole, seen("centerface", 0.55, (95, 120, 110, 115))], 400, 400)) == 1
    )
    assert len(resolve_faces([*whole, seen("centerface", 0.55, (60, 60, 80, 100))], 400, 400)) == 2


def test_a_child_in_front_of_a_large_face_is_not_swallowed_by_it() -> None:
    adult = [seen(n, 0.9, (50, 50, 200, 250)) for n in NETWORKS]
    child = [seen(n, 0.8, (120, 180, 70, 90)) for n in NETWORKS]
    assert [f.kind for f in resolve_faces(adult + child, 400, 400)] == [FaceKind.FACE] * 2


@pytest.mark.parametrize(("score", "child_size", "mouth_size"), [(0.003, 28, 34), (0.2, 36, 42)])
def test_a_possible_face_is_a_part_of_a_larger_one_only_if_it_is_not_far_smaller(
    score: float, child_size: int, mouth_size: int
) -> None:
    """A half hidden child before a poster has a low score."""
    poster = Box(100, 100, 80, 100)
    child, mouth = (
        FoundFace(Box(120, 130, size, size), score, FaceKind.POSSIBLE, np.zeros((5, 2), np.float32))
        for size in (child_size, mouth_size)
    )
    assert not shows_part(child, [poster])
    assert shows_part(mouth, [poster])


def test_a_box_outside_or_without_size_is_no_face() -> None:
    assert (
        resolve_faces(
            [seen("yunet", 0.9, (300, 50, 40, 50)), seen("yunet", 0.9, (5, 5, 0, 0))], 200, 200
        )
        == []
    )


def test_landmarks_are_estimated_where_no_detector_gives_any() -> None:
    (face,) = resolve_faces([seen("yunet", 0.9), seen("centerface", 0.9)], 200, 200)
    assert face.landmarks.shape == (5, 2)
    right_eye, left_eye = face.landmarks[:2]
    assert 50 < right_eye[0] < left_eye[0] < 90
