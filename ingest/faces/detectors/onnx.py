"""Opening ONNX networks in onnxruntime: one thread, pictures of any size and number.

YuNet was exported for 640x640 pictures, CenterFace for 32x32, SFace for one of 112x112, the last
two with their weights listed as inputs. OpenCV runs them at other sizes, but slower, and
CenterFace, once used at one size, answers wrongly at the next (heat map off by up to 0.9 with
OpenCV 4.14). So the files are rewritten in memory, weights untouched: sizes left open, weights no
longer inputs, and ``block_size`` taken off those few biases that have one scale for all, which
onnxruntime rightly refuses.

The outputs agree with OpenCV's on a fresh network to 1e-4, in half the time or less
(1280x864, one thread: YuNet 43 against 98 ms, CenterFace 205 against 515 ms; SFace 20 against
36 ms);
``tests/unit/test_faces_finder_detectors.py`` holds the agreement.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import onnxruntime

# Field numbers in onnx.proto3.
_MODEL_GRAPH = 7
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO = 1, 5, 11, 12, 13
_NODE_INPUT, _NODE_ATTRIBUTE = 1, 5
_TENSOR_DIMENSION, _TENSOR_NAME = 1, 8
_VALUE_NAME = 1
_LENGTH_DELIMITED = 2


def session(model: bytes, *, integer: bool = False) -> Any:
    """An onnxruntime session on the CPU with one thread: the workers are the parallelism.

    ``integer``: a quantised model also computes with 8-bit numbers, not only stores them.
    """
    _one_arena()
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
def _one_arena() -> None:
    """Have all networks of this process work in the same memory, one after the other.

    With an arena each, none gives back what its largest picture took: a worker that examines 12 MP
    and makes pictures of 3000 px then peaks at 980 MB, with one for all at 755, equally fast
    (2026-11-22, 14 event photos of ../shared/data).
    """
    kind, use = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    where = onnxruntime.OrtMemoryInfo("Cpu", kind, 0, use)
    onnxruntime.create_and_register_allocator(where, None)


def any_size(model: bytes, input_name: str) -> bytes:
    """The same model for float pictures of shape (any, 3, any, any) on ``input_name``."""
    parts = []
    for field in _fields(model):
        is_graph = field.number == _MODEL_GRAPH
        parts.append(
            _message(_MODEL_GRAPH, _open_graph(field.content, input_name))
            if is_graph
            else field.raw
        )
    return b"".join(parts)


class _Field(NamedTuple):
    number: int
    raw: bytes
    """The field as it stands in its message."""
    content: bytes
    """The bytes after tag and length; empty for a plain number."""


def _open_graph(graph: bytes, input_name: str) -> bytes:
    fields = list(_fields(graph))
    single_scales = {
        _first(field.content, _TENSOR_NAME)
        for field in fields
        if field.number == _GRAPH_INITIALIZER and _is_single(field.content)
    }
    kept = [f for f in fields if f.number not in (_GRAPH_INPUT, _GRAPH_VALUE_INFO)]
    parts = [_message(_GRAPH_INPUT, _value(input_name.encode(), _ANY_PICTURE))]
    for field in kept:
        if field.number == _GRAPH_OUTPUT:
            name = _first(field.content, _VALUE_NAME)
            parts.append(_message(_GRAPH_OUTPUT, _value(name, b"")))
        elif field.number == _GRAPH_NODE:
            parts.append(_message(_GRAPH_NODE, _mend_node(field.content, single_scales)))
        else:
            parts.append(field.raw)
    return b"".join(parts)


def _mend_node(node: bytes, single_scales: set[bytes]) -> bytes:
    fields = list(_fields(node))
    inputs = [field.content for field in fields if field.number == _NODE_INPUT]
    if b"DequantizeLinear" not in node or inputs[1] not in single_scales:
        return node
    return b"".join(
        field.raw
        for field in fields
        if not (field.number == _NODE_ATTRIBUTE and b"block_size" in field.content)
    )


def _is_single(tensor: bytes) -> bool:
    sides = [field.raw for field in _fields(tensor) if field.number == _TENSOR_DIMENSION]
    return len(sides) == 0 or (len(sides) == 1 and _read_number(sides[0], 1)[0] == 1)


def _first(message: bytes, number: int) -> bytes:
    return next(field.content for field in _fields(message) if field.number == number)


def _fields(message: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(message):
        start = at
        key, at = _read_number(message, at)
        length, body = _read_number(message, at)
        at = body + length if key & 7 == _LENGTH_DELIMITED else body
        yield _Field(key >> 3, message[start:at], message[body:at])


def _read_number(message: bytes, at: int) -> tuple[int, int]:
    """A protobuf varint, and where it ends."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte < 0x80:
            return value, at


def _message(number: int, content: bytes) -> bytes:
    length, encoded = len(content), bytearray()
    while length > 0x7F:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes([number << 3 | _LENGTH_DELIMITED, *encoded, length]) + content


def _value(name: bytes, shape: bytes) -> bytes:
    """A ValueInfoProto: a float tensor of this shape (empty: not said)."""
    float_tensor = b"\x08\x01" + (_message(2, shape) if shape else b"")
    return _message(_VALUE_NAME, name) + _message(2, _message(1, float_tensor))


_ANY_PICTURE = b"".join(_message(1, size) for size in (b"", b"\x08\x03", b"", b""))
"""A TensorShapeProto: batch, height and width open, three channels."""
