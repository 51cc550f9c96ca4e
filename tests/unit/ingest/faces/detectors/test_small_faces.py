"""Small hidden faces are proposed by the inner layers of CenterFace, where they are."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import pytest

from consent_gate.errors import ModelUnavailable
from ingest.faces.detectors import small_faces
from ingest.faces.detectors.centerface_int8 import CenterFaceInt8
from ingest.faces.detectors.small_faces import LAYERS, MAX_SIZES, NAME, SCORE
from ingest.faces.protocols import RGB, Detection
from tests.support.images import read_photo

PORTRAIT = (
    Path(__file__).parents[5] / "consent_gate" / "operations" / "demo_photos" / "hopper_us_navy.jpg"
)
X, Y, WIDTH, HEIGHT = 177, 117, 177, 218
"""The face, drawn by hand."""
MIDDLE, SIZE = (101.0, 73.0), 26.0


def picture_of_face(degrees: float) -> RGB:
    """The face with dark glasses, rotated anticlockwise, ``SIZE`` pixels high."""
    photo = read_photo(PORTRAIT).copy()
    photo[Y + HEIGHT // 4 : Y + HEIGHT // 2, X : X + WIDTH] = 20
    zoom = SIZE / HEIGHT
    near = cv2.GaussianBlur(photo, (0, 0), 0.4 / zoom)
    centre = X + WIDTH / 2, Y + HEIGHT / 2
    turn = np.asarray(cv2.getRotationMatrix2D(centre, degrees, zoom), np.float64)
    turn[:, 2] += np.array(MIDDLE) - np.array(centre)
    mode = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(near, turn, (200, 150), borderMode=mode), np.uint8)


def hints(picture: RGB) -> list[Detection]:
    detector = CenterFaceInt8(0.02, small_faces.small_faces())
    return [found for found in detector.detect(picture) if found.detector == NAME]


@pytest.mark.parametrize("degrees", [0, 30, -30])
def test_a_small_face_with_dark_glasses_is_proposed_at_its_place_and_angle(degrees: float) -> None:
    proposed = hints(picture_of_face(degrees))
    best = min(
        proposed,
        key=lambda found: math.dist(MIDDLE, (found.x + found.width / 2, found.y + SIZE / 2)),
    )
    middle = best.x + best.width / 2, best.y + best.height / 2
    assert math.dist(middle, MIDDLE) < 0.25 * SIZE
    assert best.height == pytest.approx(SIZE, rel=0.3)
    assert best.score == SCORE
    assert best.landmarks is not None
    across, down = best.landmarks[3:].sum(axis=0) - best.landmarks[:2].sum(axis=0)
    assert math.degrees(math.atan2(across, down)) == pytest.approx(degrees, abs=20)


def test_a_plain_picture_has_none_and_the_scores_are_those_without_small_faces() -> None:
    assert hints(np.full((100, 130, 3), 128, np.uint8)) == []
    picture = picture_of_face(0)
    plain = CenterFaceInt8(0.02).detect(picture)
    scored = CenterFaceInt8(0.02, small_faces.small_faces()).detect(picture)[: len(plain)]
    assert plain
    assert [(one.x, one.y, one.score) for one in scored] == [
        (one.x, one.y, one.score) for one in plain
    ]


def test_places_outside_a_layer_count_as_zero() -> None:
    layer = LAYERS[0]
    values = np.full((32, 4, 5), 200, np.uint8)
    corner, inside = layer.features(values, np.array([0, 2]), np.array([0, 2]))
    places = np.array(layer.around)
    is_outside = (places < 0).any(axis=1)
    read = corner.reshape(len(places), 32)
    assert (read[is_outside] == layer.zero).all()
    assert (read[~is_outside] == 200).all()
    assert (inside.reshape(len(places), 32)[(places < 2).all(axis=1)] == 200).all()


def test_a_size_beyond_all_examples_is_limited() -> None:
    large = small_faces._detection(np.array([1, 0, 0, 9, 9], np.float32), 3, 4)
    least = small_faces._detection(np.array([1, 0, 0, -9, 0], np.float32), 3, 4)
    assert large.height / least.height == pytest.approx(math.exp(2 * small_faces.SIZES * MAX_SIZES))


def test_weights_other_than_those_measured_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_faces, "SHA256", "0" * 64)
    with pytest.raises(ModelUnavailable, match="not the file that was measured"):
        small_faces.small_faces()


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(small_faces, "WEIGHTS", tmp_path / "small_faces.npz")
    with pytest.raises(ModelUnavailable, match="missing from this installation"):
        small_faces.small_faces()
