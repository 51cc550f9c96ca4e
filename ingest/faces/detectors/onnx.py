"""Open ONNX networks in onnxruntime with one thread, for pictures of any size and number.

YuNet was exported for 640x640 pictures, CenterFace for 32x32, SFace for one of 112x112, the last
two with their weights listed as inputs. OpenCV runs them at other sizes, but slower, and
CenterFace, once used at one size, answers wrongly at the next (heat map off by up to 0.9 with
OpenCV 4.14). So the files are changed in memory, without changing weights: sizes are left open,
weights are no longer inputs, and ``block_size`` is removed from the few biases with a single scale,
which onnxruntime rejects. Importing onnx costs a worker 10 MB and a tenth of a second at start
(2026-11-29).

The outputs agree with OpenCV's on a fresh network to 1e-4, in half the time or less
(1280x864, one thread: YuNet 43 against 98 ms, CenterFace 205 against 515 ms; SFace 20 against
36 ms);
``tests/unit/ingest/faces/test_detectors.py`` checks the agreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx.helper import make_node, make_tensor_value_info
from onnx.numpy_helper import from_array, to_array

from consent_gate.errors import ModelUnavailable

CHANNELS = 16
"""Channels that onnxruntime computes together."""

FLOAT, BYTE = onnx.TensorProto.FLOAT, onnx.TensorProto.UINT8


def session(model: bytes, *, integer: bool = False) -> Any:
    """An onnxruntime session on the CPU with one thread: the workers are the parallelism.

    Args:
        model: The ONNX file.
        integer: Whether a quantised model also computes with 8-bit numbers. If False, it only
            stores its weights so and computes with float numbers.
    """
    _share_arena()
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Pictures come in many sizes: remembering an allocation plan for each only grows memory.
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.disable_quant_qdq", "0" if integer else "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@cache
def _share_arena() -> None:
    """Make all networks of this process use one memory arena.

    An arena never releases the memory of its largest picture. A worker that examines 12 MP and
    renders pictures of 3000 px needs at most 980 MB with one arena per network and 755 MB with a
    shared one, at the same speed (2026-11-22, 14 event photos of the made-up school).
    """
    kind, use = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    memory_info = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, use)
    onnxruntime.create_and_register_allocator(memory_info, None)


def with_dynamic_shape(model: bytes, input_name: str) -> bytes:
    """The same model for float pictures of shape (any, 3, any, any) on ``input_name``."""
    network = onnx.load_model_from_string(model)
    graph = network.graph
    outputs = [make_tensor_value_info(output.name, FLOAT, None) for output in graph.output]
    del graph.input[:], graph.output[:], graph.value_info[:]
    graph.input.append(make_tensor_value_info(input_name, FLOAT, (None, 3, None, None)))
    graph.output.extend(outputs)
    _drop_block_size_of_single_scales(graph)
    _replace_prelu(graph)
    return bytes(network.SerializeToString())


def with_byte_input(model: bytes, input_name: str) -> bytes:
    """The same quantised model for pictures of shape (any, height, width, 4), dtype uint8.

    Its first step rounds the picture to bytes, which it consists of anyway, so the answers are the
    same. Without that step, and without conversion to float, it takes 6 % less time. The fourth
    channel has weights of zero. With it another 5 % less: onnxruntime's fast 8-bit convolution
    takes channels by fours.

    Raises:
        ModelUnavailable: The model does not begin with this step.
    """
    network = onnx.load_model_from_string(model)
    graph = network.graph
    constants = {tensor.name: to_array(tensor) for tensor in graph.initializer}
    first = next((node for node in graph.node if input_name in node.input), None)
    if (
        first is None
        or first.op_type != "QuantizeLinear"
        or [constants[name].item() for name in first.input[1:]] != [1, 0]
    ):
        raise ModelUnavailable("The quantised model does not take a picture of bytes.")
    _add_channel(graph, first.output[0])
    nodes = [node for node in graph.node if node.name != first.name]
    to_channels_first = make_node("Transpose", [input_name], first.output, perm=(0, 3, 1, 2))
    del graph.node[:], graph.input[:], graph.value_info[:]
    graph.node.extend([to_channels_first, *nodes])
    graph.input.append(make_tensor_value_info(input_name, BYTE, (None, None, None, 4)))
    return bytes(network.SerializeToString())


def _add_channel(graph: onnx.GraphProto, picture: str) -> None:
    """Give the first convolution of a quantised picture another channel, with weights of zero."""
    (dequantised,) = (node.output[0] for node in graph.node if picture in node.input)
    (convolution,) = (node for node in graph.node if dequantised in node.input)
    (to_weights,) = (node for node in graph.node if convolution.input[1] in node.output)
    weights = next(one for one in graph.initializer if one.name == to_weights.input[0])
    wider = np.pad(to_array(weights), ((0, 0), (0, 1), (0, 0), (0, 0)))
    weights.CopyFrom(from_array(wider, weights.name))


def with_joined_heads(model: bytes) -> bytes:
    """The same model, with the first steps of its heads computed as one convolution.

    The answers are the same to the last bit. onnxruntime computes ``CHANNELS`` channels at once,
    and a detector has four heads of 1 to 10 channels. YuNet takes 8 % less time.
    """
    network = onnx.load_model_from_string(model)
    graph = network.graph
    constants = {tensor.name: to_array(tensor) for tensor in graph.initializer}
    rounded = {node.input[0] for node in graph.node if node.op_type == "QuantizeLinear"}
    heads: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        # Convolutions whose outputs are rounded are computed with 8 bits.
        if _is_pointwise(node) and node.input[2] in constants and node.output[0] not in rounded:
            heads.setdefault(node.input[0], []).append(node)
    for layer, nodes in heads.items():
        sizes = [constants[node.input[2]].size for node in nodes]
        if len(nodes) > 1 and sum(sizes) <= CHANNELS:
            _join(graph, layer, nodes, sizes)
    return bytes(network.SerializeToString())


def _is_pointwise(node: onnx.NodeProto) -> bool:
    """Whether a node is a convolution, with a bias, of single pixels."""
    kernel = [list(one.ints) for one in node.attribute if one.name == "kernel_shape"]
    return node.op_type == "Conv" and kernel == [[1, 1]] and len(node.input) == 3


def _join(
    graph: onnx.GraphProto, layer: str, heads: Sequence[onnx.NodeProto], sizes: Sequence[int]
) -> None:
    """Replace convolutions of ``layer`` by one, whose channels are then split by ``sizes``."""
    names = [f"{layer}_{part}" for part in ("weights", "biases", "heads", "sizes")]
    weights, biases, joined, split = names
    graph.initializer.append(from_array(np.array(sizes, np.int64), split))
    replacement = [
        make_node("Concat", [head.input[1] for head in heads], [weights], axis=0),
        make_node("Concat", [head.input[2] for head in heads], [biases], axis=0),
        make_node("Conv", [layer, weights, biases], [joined], kernel_shape=[1, 1]),
        make_node("Split", [joined, split], [head.output[0] for head in heads], axis=1),
    ]
    nodes = [node for node in graph.node if node not in heads]
    at = list(graph.node).index(heads[0])
    del graph.node[:]
    graph.node.extend([*nodes[:at], *replacement, *nodes[at:]])


def only_layers(model: bytes, layers: Sequence[str]) -> bytes:
    """The part of a model that computes these layers, which become its outputs."""
    network = onnx.load_model_from_string(model)
    graph = network.graph
    needed, nodes = set(layers), []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            nodes.append(node)
    constants = [tensor for tensor in graph.initializer if tensor.name in needed]
    outputs = [make_tensor_value_info(layer, FLOAT, None) for layer in layers]
    del graph.node[:], graph.initializer[:], graph.output[:]
    graph.node.extend(reversed(nodes))
    graph.initializer.extend(constants)
    graph.output.extend(outputs)
    return bytes(network.SerializeToString())


def with_layers(model: bytes, layers: Sequence[str]) -> bytes:
    """The same model, with inner layers of bytes as further outputs."""
    network = onnx.load_model_from_string(model)
    outputs = [make_tensor_value_info(layer, BYTE, None) for layer in layers]
    network.graph.output.extend(outputs)
    return bytes(network.SerializeToString())


def _replace_prelu(graph: onnx.GraphProto) -> None:
    """Write PRelu with operators that use vectors, which gives the same to the last bit.

    onnxruntime computes PRelu number by number: 26 of SFace's 40 ms for a face and its mirror
    image. ``max(x, 0) + slope * (x - max(x, 0))`` takes 13 of 20 (2026-11-29), and
    ``_prelu_by_convolution`` 7 (2026-11-30).
    """
    slopes = {tensor.name: to_array(tensor) for tensor in graph.initializer}
    normalised = {node.input[0] for node in graph.node if node.op_type == "BatchNormalization"}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type != "PRelu":
            nodes.append(node)
            continue
        (x, slope), (y,) = node.input, node.output
        if slope in slopes and y not in normalised:
            nodes += _prelu_by_convolution(graph, slopes[slope], x, y)
            continue
        # A normalisation after a convolution becomes a part of it, which rounds otherwise.
        above, below, scaled = f"{y}_above", f"{y}_below", f"{y}_scaled"
        nodes += [
            make_node("Relu", [x], [above]),
            make_node("Sub", [x, above], [below]),
            make_node("Mul", [below, slope], [scaled]),
            make_node("Add", [above, scaled], [y]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def _prelu_by_convolution(
    graph: onnx.GraphProto, slopes: NDArray[np.float32], x: str, y: str
) -> list[onnx.NodeProto]:
    """PRelu as ``max(x, 0) - slope * max(-x, 0)``; ``slopes`` has shape (channels, 1, 1).

    The factors are convolutions of single pixels and channels. onnxruntime then keeps the channels
    in the order in which the convolutions before and after need them.
    """
    channels = len(slopes)
    above, negative, below, scaled = (f"{y}_{part}" for part in ("above", "neg", "below", "scaled"))
    minus, weights = f"{y}_minus_one", f"{y}_weights"
    column = (channels, 1, 1, 1)
    graph.initializer.append(from_array(np.full(column, -1, np.float32), minus))
    graph.initializer.append(from_array(-slopes.reshape(column), weights))
    return [
        make_node("Relu", [x], [above]),
        make_node("Conv", [x, minus], [negative], kernel_shape=[1, 1], group=channels),
        make_node("Relu", [negative], [below]),
        make_node("Conv", [below, weights], [scaled], kernel_shape=[1, 1], group=channels),
        make_node("Add", [scaled, above], [y]),
    ]


def _drop_block_size_of_single_scales(graph: onnx.GraphProto) -> None:
    single_scales = {tensor.name for tensor in graph.initializer if list(tensor.dims) in ([], [1])}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[1] in single_scales:
            attributes = [
                attribute for attribute in node.attribute if attribute.name != "block_size"
            ]
            del node.attribute[:]
            node.attribute.extend(attributes)
