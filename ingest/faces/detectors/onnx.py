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

import onnx
import onnxruntime
from onnx.helper import make_node, make_tensor_value_info
from onnx.numpy_helper import to_array

from consent_gate.errors import ModelUnavailable

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
    """The same quantised model for pictures of shape (any, height, width, 3), dtype uint8.

    Its first step rounds the picture to bytes, which it consists of anyway, so the answers are the
    same. Without that step, and without conversion to float, it takes 6 % less time.

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
    nodes = [node for node in graph.node if node.name != first.name]
    to_channels_first = make_node("Transpose", [input_name], first.output, perm=(0, 3, 1, 2))
    del graph.node[:], graph.input[:], graph.value_info[:]
    graph.node.extend([to_channels_first, *nodes])
    graph.input.append(make_tensor_value_info(input_name, BYTE, (None, None, None, 3)))
    return bytes(network.SerializeToString())


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


def _replace_prelu(graph: onnx.GraphProto) -> None:
    """Write PRelu as ``max(x, 0) + slope * (x - max(x, 0))``, which gives the same to the last bit.

    onnxruntime computes PRelu number by number: 26 of SFace's 40 ms for a face and its mirror
    image. The other operators use vectors, and SFace takes 20 ms (2026-11-29).
    """
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type != "PRelu":
            nodes.append(node)
            continue
        (x, slope), (y,) = node.input, node.output
        above, below, scaled = f"{y}_above", f"{y}_below", f"{y}_scaled"
        nodes += [
            make_node("Relu", [x], [above]),
            make_node("Sub", [x, above], [below]),
            make_node("Mul", [below, slope], [scaled]),
            make_node("Add", [above, scaled], [y]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)


def _drop_block_size_of_single_scales(graph: onnx.GraphProto) -> None:
    single_scales = {tensor.name for tensor in graph.initializer if list(tensor.dims) in ([], [1])}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[1] in single_scales:
            attributes = [
                attribute for attribute in node.attribute if attribute.name != "block_size"
            ]
            del node.attribute[:]
            node.attribute.extend(attributes)
