"""Small ONNX face models that tests make: good ones, and ones that go wrong in one way each."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from consent_gate.home.settings_school_model import SchoolModel
from ingest.faces.detectors.onnx import with_dynamic_shape
from ingest.faces.embedders.school_model import SchoolModelForm
from ingest.faces.weights import SFACE, locate
from ingest.workers.analysis_pool import form_of

SIDE = 112
LENGTH = 64


def model_bytes(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto] = (),
) -> bytes:
    """An ONNX file with the input ``picture``."""
    graph = helper.make_graph(
        list(nodes),
        "faces",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, 3, SIDE, SIDE))],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, None)],
        list(constants),
    )
    opset = [helper.make_opsetid("", 17)]
    network = helper.make_model(graph, opset_imports=opset, ir_version=9)
    return bytes(network.SerializeToString())


def blotches(length: int = LENGTH, seed: int = 0) -> bytes:
    """A model that tells pictures apart by their blotches of colour, left and right alike."""
    random = np.random.default_rng(seed)
    weights = random.normal(size=(3, 7, 7, length)).astype(np.float32)
    weights = (weights + weights[:, :, ::-1]).reshape(-1, length)
    return model_bytes(
        [
            helper.make_node(
                "AveragePool", ["picture"], ["pooled"], kernel_shape=[16, 16], strides=[16, 16]
            ),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["vector"]),
        ],
        [numpy_helper.from_array(weights, "weights")],
    )


def answering(values: np.ndarray) -> bytes:
    """A model that gives the same figures for every picture."""
    return model_bytes(
        [helper.make_node("Identity", ["values"], ["vector"])],
        [numpy_helper.from_array(values.astype(np.float32), "values")],
    )


def random_answers(length: int = LENGTH) -> bytes:
    """A model that gives other figures each time."""
    return model_bytes(
        [helper.make_node("RandomNormal", [], ["vector"], shape=[1, length])],
    )


def unlike_its_mirror_image(length: int = LENGTH) -> bytes:
    """A model like a hash: the same pixels give the same figures, and others anything."""
    random = np.random.default_rng(1)
    weights = random.normal(size=(3 * SIDE * SIDE, length)).astype(np.float32)
    return model_bytes(
        [
            helper.make_node("Flatten", ["picture"], ["flat"]),
            helper.make_node("Mul", ["flat", "large"], ["far"]),
            helper.make_node("Sin", ["far"], ["mixed"]),
            helper.make_node("MatMul", ["mixed", "weights"], ["vector"]),
        ],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array(991.0, np.float32), "large"),
        ],
    )


def endless() -> bytes:
    """A model that never answers: a loop of 2^62 rounds."""
    inner = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Sin", ["before"], ["after"]),
        ],
        "round",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("before", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("after", TensorProto.FLOAT, None),
        ],
    )
    return model_bytes(
        [
            helper.make_node("Flatten", ["picture"], ["flat"]),
            helper.make_node("Loop", ["rounds", "yes", "flat"], ["vector"], body=inner),
        ],
        [
            numpy_helper.from_array(np.array(1 << 62), "rounds"),
            numpy_helper.from_array(np.array(True), "yes"),  # noqa: FBT003
        ],
    )


def with_weights_elsewhere(beside: Path) -> bytes:
    """``blotches`` with its weights in another file, which the model's digest does not cover."""
    network = onnx.load_model_from_string(blotches())
    weights = network.graph.initializer[0]
    beside.write_bytes(weights.raw_data)
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=beside.name)
    return bytes(network.SerializeToString())


def sface_in_another_form() -> bytes:
    """The bundled SFace as another exporter would write it: rows first, blue first, -1 to 1."""
    network = onnx.load_model_from_string(with_dynamic_shape(locate(SFACE).read_bytes(), "data"))
    graph = network.graph
    nodes = [
        helper.make_node("Mul", ["picture", "half"], ["scaled"]),
        helper.make_node("Add", ["scaled", "half"], ["bgr"]),
        helper.make_node("Gather", ["bgr", "reversed"], ["rgb"], axis=3),
        helper.make_node("Transpose", ["rgb"], ["data"], perm=[0, 3, 1, 2]),
        *graph.node,
    ]
    del graph.node[:], graph.input[:]
    graph.node.extend(nodes)
    graph.input.append(
        helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, SIDE, SIDE, 3))
    )
    graph.initializer.append(numpy_helper.from_array(np.array(127.5, np.float32), "half"))
    graph.initializer.append(numpy_helper.from_array(np.array([2, 1, 0]), "reversed"))
    return bytes(network.SerializeToString())


ANOTHER_FORM = {"side": SIDE, "colours": "bgr", "layout": "nhwc", "mean": 127.5, "scale": 1 / 127.5}
"""The setting ``input`` for ``sface_in_another_form``."""


def setting(path: Path, data: bytes, **values: object) -> SchoolModel:
    """Write a model and return the setting for it."""
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    return SchoolModel.model_validate(
        {"file": path, "sha256": digest, "licence": "made for a test", **values}
    )


def form(path: Path, data: bytes, **values: object) -> SchoolModelForm:
    """Write a model and return what a worker receives of it."""
    return form_of(setting(path, data, **values), path.parent)
