"""The classifier tells faces from cloth, and only its measured weights are loaded."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from consent_gate.errors import ModelUnavailable
from ingest.faces import place_classifier
from ingest.faces.place_classifier import QUICK_SIDE, SIDE, PlaceClassifier, PlaceFeatures
from ingest.faces.protocols import RGB
from tests.support.images import read_photo

PORTRAIT = (
    Path(__file__).parents[4] / "consent_gate" / "operations" / "demo_photos" / "hopper_us_navy.jpg"
)
FACE = (177, 117, 177, 218)
"""x, y, width, height, drawn by hand."""


def crop_of_face(scale: float = 1.0) -> RGB:
    """The face in the centre, 64 pixels high at scale 1."""
    x, y, width, height = FACE
    zoom = scale * 64 / height
    to_crop = np.array(
        [
            [zoom, 0, SIDE / 2 - zoom * (x + width / 2)],
            [0, zoom, SIDE / 2 - zoom * (y + height / 2)],
        ]
    )
    near = cv2.GaussianBlur(read_photo(PORTRAIT), (0, 0), 0.4 / zoom)
    return np.asarray(cv2.warpAffine(near, to_crop, (SIDE, SIDE)), np.uint8)


def test_a_face_a_covered_face_and_cloth_are_told_apart() -> None:
    classifier, face = PlaceClassifier(), crop_of_face()
    masked = face.copy()
    masked[66:104, 30:98] = (60, 90, 130)
    stripes = np.tile(np.repeat(np.array([60, 190], np.uint8), 8), SIDE // 16)
    cloth = np.repeat(np.tile(stripes, (SIDE, 1))[:, :, None], 3, axis=2)
    assert classifier.log_odds(face) > 2
    assert classifier.log_odds(masked) > 0
    assert classifier.log_odds(cloth) < -2
    assert classifier.log_odds(np.full((SIDE, SIDE, 3), 128, np.uint8)) < -2


def test_the_small_crop_tells_the_face_from_cloth() -> None:
    classifier = PlaceClassifier()
    size = (QUICK_SIDE, QUICK_SIDE)
    small = cv2.resize(crop_of_face(), size, interpolation=cv2.INTER_AREA)
    grey = np.full((*size, 3), 128, np.uint8)
    of_face, of_grey = classifier.quick_log_odds([np.asarray(small, np.uint8), grey])
    assert of_face > 0 > of_grey


@pytest.mark.parametrize(
    ("right", "down", "size", "degrees"),
    [(0, 0, 1, 0), (12, 0, 1, 0), (0, -10, 1, 0), (0, 0, 1.6, 0), (0, 0, 0.7, 0), (8, 6, 1.2, 25)],
)
def test_a_small_crop_beside_a_face_is_corrected_towards_it(
    right: float, down: float, size: float, degrees: float
) -> None:
    """The crop is moved by so many of its 64 pixels, ``size`` times as large and rotated."""
    zoom = 64 / (SIDE * size)
    to_crop = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), degrees, zoom)
    to_crop[:, 2] += np.array([32 - right - SIDE / 2, 32 - down - SIDE / 2])
    crop = cv2.warpAffine(crop_of_face(), to_crop, (64, 64), borderMode=cv2.BORDER_REFLECT)
    [nudge] = PlaceClassifier().corrections([np.asarray(crop, np.uint8)])
    assert (nudge.right, nudge.down) == pytest.approx((-right / 32, -down / 32), abs=0.2)
    assert nudge.size == pytest.approx(1 / size, rel=0.3)
    assert nudge.degrees == pytest.approx(-degrees, abs=20)


@pytest.mark.parametrize("side", [SIDE, QUICK_SIDE])
def test_the_features_are_those_that_the_weights_are_for(side: int) -> None:
    name = "mean" if side == SIDE else "quick_weights"
    weights = np.load(place_classifier.WEIGHTS)[name]
    crop = np.zeros((side, side, 3), np.uint8)
    assert PlaceFeatures().of([crop, crop]).shape == (2, *weights.shape)


def test_crops_have_the_same_features_alone_and_together() -> None:
    features, size = PlaceFeatures(), (QUICK_SIDE, QUICK_SIDE)
    crops = [np.asarray(cv2.resize(crop_of_face(s), size), np.uint8) for s in (0.7, 1.0)]
    together = features.of(crops)
    assert np.allclose(together, [features.of([crop])[0] for crop in crops], atol=1e-4)
    assert not np.allclose(together[0], together[1], atol=0.1)


def test_weights_other_than_those_measured_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place_classifier, "SHA256", "0" * 64)
    with pytest.raises(ModelUnavailable, match="not the file that was measured"):
        PlaceClassifier()


def test_missing_weights_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(place_classifier, "WEIGHTS", tmp_path / "place_classifier.npz")
    with pytest.raises(ModelUnavailable, match="missing from this installation"):
        PlaceClassifier()
