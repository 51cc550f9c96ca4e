"""Encodes and decodes the answers of worker processes as data that cannot run code.

The author of a photo may control the worker, so its answers are checked like any input from
outside. An answer is one message: the length of a JSON document (4 bytes, big-endian), the
document, then the bytes of files and vectors one after another.

The document names the class of each object. The reader accepts only the classes, field types and
bounds that the task's return annotation allows. Only the standard library's JSON parser and this
module read the bytes.
"""

from __future__ import annotations

import json
import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

MAX_ANSWER_BYTES = 256 << 20
"""Largest answer in bytes. It holds the files of one photo for all channels, a few MB each."""

MAX_DOCUMENT_BYTES = 4 << 20
"""Largest JSON document in bytes. A face takes less than 1 kB."""

MAX_NUMBER = 1 << 31
"""Integers are smaller than this in absolute value."""
MAX_TEXT = 10_000
"""Characters of one text."""
LONGEST_VECTOR = 4096
"""Most numbers in one face vector. The classes that hold vectors check their exact length."""

LENGTH_BYTES = 4
SCALARS = (bool, int, float, str)


class AnswerInvalid(Exception):
    """The bytes are no answer to the task."""


def encode(succeeded: bool, value: object) -> bytes:
    """Encode an answer as bytes.

    Args:
        succeeded: False if ``value`` is the name of an exception.
        value: Plain values, frozen dataclasses, enumerations, float32 vectors, and lists, tuples
            and mappings of these.

    Raises:
        TypeError: A value is of another type.
    """
    blobs: list[bytes] = []
    content = _to_document(value, blobs)
    document = json.dumps([succeeded, content, [len(blob) for blob in blobs]]).encode()
    return b"".join((len(document).to_bytes(LENGTH_BYTES, "big"), document, *blobs))


def decode(data: bytes, expected: Any) -> tuple[bool, Any]:
    """Decode the bytes of ``encode`` into whether the task succeeded, and its value.

    Args:
        data: The message from the worker.
        expected: The type annotation of the value. After a failure the value is a string.

    Raises:
        AnswerInvalid: The bytes are no answer of this type.
    """
    length = int.from_bytes(data[:LENGTH_BYTES], "big")
    start = LENGTH_BYTES + length
    if length > MAX_DOCUMENT_BYTES or start > len(data):
        raise AnswerInvalid("wrong length of the document")
    try:
        document = json.loads(data[LENGTH_BYTES:start], parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise AnswerInvalid("no JSON document") from error
    match document:
        case [bool(succeeded), content, list(lengths)]:
            reader = _Reader(_cut(data, start, lengths))
        case _:
            raise AnswerInvalid("not an answer")
    value = reader.value(content, expected if succeeded else str)
    return succeeded, value


@cache
def answer_type(task: Any) -> Any:
    """The return annotation of a task's function; None where it has none."""
    return get_type_hints(task).get("return", type(None))


def _refuse_constant(name: str) -> None:
    raise AnswerInvalid(f"{name} is no number")


def _cut(data: bytes, start: int, lengths: list[Any]) -> list[memoryview]:
    """The blobs after the document. Together they must reach exactly to the end."""
    view, blobs = memoryview(data), []
    for length in lengths:
        if type(length) is not int or not 0 <= length <= len(data) - start:
            raise AnswerInvalid("wrong length of a file")
        blobs.append(view[start : start + length])
        start += length
    if start != len(data):
        raise AnswerInvalid("bytes behind the last file")
    return blobs


def _to_document(value: object, blobs: list[bytes]) -> Any:
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, SCALARS):
        return value
    if isinstance(value, bytes):
        blobs.append(value)
        return len(blobs) - 1
    if isinstance(value, np.ndarray) and value.dtype == np.float32 and value.ndim == 1:
        blobs.append(value.tobytes())
        return len(blobs) - 1
    if isinstance(value, list | tuple):
        return [_to_document(item, blobs) for item in value]
    if isinstance(value, Mapping):
        pairs = value.items()
        return [[_to_document(k, blobs), _to_document(v, blobs)] for k, v in pairs]
    if is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in fields(value)]
        content = {name: _to_document(getattr(value, name), blobs) for name in names}
        return {"class": type(value).__name__, "fields": content}
    raise TypeError(f"{type(value).__name__} cannot be part of an answer")


class _Reader:
    """Builds values of the expected types from a document and its blobs."""

    def __init__(self, blobs: list[memoryview]) -> None:
        self._blobs = blobs

    def value(self, content: Any, expected: Any) -> Any:
        """Build a value of the expected type.

        Raises:
            AnswerInvalid: The content is no such value.
        """
        origin, arguments = get_origin(expected), get_args(expected)
        if origin in (Union, types.UnionType):
            return self._one_of(content, arguments)
        if expected is None or expected is type(None):
            return _require(content, content is None)
        if expected in SCALARS:
            return _scalar(content, expected)
        if expected is bytes:
            return bytes(self._blob(content))
        if origin is np.ndarray:
            return self._vector(content)
        if origin in (list, tuple):
            _require(content, isinstance(content, list))
            return origin(self._items(content, arguments))
        if origin is not None and issubclass(origin, Mapping):
            return self._mapping(content, arguments)
        if isinstance(expected, type) and issubclass(expected, Enum):
            return _member(content, expected)
        if is_dataclass(expected):
            return self._instance(content, (expected,))
        raise AnswerInvalid(f"{expected} cannot be part of an answer")

    def _one_of(self, content: Any, choices: tuple[Any, ...]) -> Any:
        """A value of a union: None, a dataclass chosen by name, or its only other type."""
        if content is None and type(None) in choices:
            return None
        if isinstance(content, dict):
            return self._instance(content, tuple(c for c in choices if is_dataclass(c)))
        others = [c for c in choices if c is not type(None) and not is_dataclass(c)]
        if len(others) != 1:
            raise AnswerInvalid("no value of the expected kinds")
        return self.value(content, others[0])

    def _instance(self, content: Any, classes: tuple[Any, ...]) -> Any:
        match content:
            case {"class": str(name), "fields": dict(given), **rest} if not rest:
                chosen = next((c for c in classes if c.__name__ == name), None)
            case _:
                raise AnswerInvalid("not an object")
        if chosen is None:
            raise AnswerInvalid("an unexpected class")
        hints = answer_fields(chosen)
        _require(given, given.keys() == hints.keys())
        try:
            return chosen(**{name: self.value(given[name], hint) for name, hint in hints.items()})
        except (ValueError, TypeError) as error:
            raise AnswerInvalid("an impossible object") from error

    def _items(self, content: list[Any], arguments: tuple[Any, ...]) -> list[Any]:
        """Items of ``list[X]``, ``tuple[X, ...]`` or a tuple with a type for each item."""
        if len(arguments) == 1 or arguments[1:] == (Ellipsis,):
            return [self.value(item, arguments[0]) for item in content]
        _require(content, len(content) == len(arguments))
        return [self.value(*pair) for pair in zip(content, arguments, strict=True)]

    def _mapping(self, content: Any, arguments: tuple[Any, ...]) -> dict[Any, Any]:
        _require(content, isinstance(content, list))
        return dict(
            self._items(_require(pair, isinstance(pair, list)), arguments) for pair in content
        )

    def _vector(self, content: Any) -> Any:
        blob = self._blob(content)
        _require(content, 0 < len(blob) <= 4 * LONGEST_VECTOR and len(blob) % 4 == 0)
        vector = np.frombuffer(blob, np.float32).copy()
        return _require(vector, bool(np.isfinite(vector).all()))

    def _blob(self, content: Any) -> memoryview:
        index: int = _scalar(content, int)
        _require(content, 0 <= index < len(self._blobs))
        return self._blobs[index]


@cache
def answer_fields(chosen: Any) -> Mapping[str, Any]:
    """The type annotations of a dataclass's fields."""
    hints = get_type_hints(chosen)
    return {field.name: hints[field.name] for field in fields(chosen)}


def _scalar(content: Any, expected: type) -> Any:
    if expected is float and type(content) is int:
        content = float(_scalar(content, int))
    _require(content, type(content) is expected)
    if expected is int:
        _require(content, abs(content) < MAX_NUMBER)
    if expected is float:
        _require(content, math.isfinite(content))
    if expected is str:
        _require(content, len(content) <= MAX_TEXT and _is_unicode(content))
    return content


def _is_unicode(text: str) -> bool:
    """Whether a text is valid Unicode: JSON may hold single surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _member(content: Any, expected: type[Enum]) -> Enum:
    _require(content, type(content) in (str, int))
    try:
        return expected(content)
    except ValueError as error:
        raise AnswerInvalid("an unknown member of an enumeration") from error


def _require(content: Any, is_valid: bool) -> Any:
    """``content`` if it is valid; raises AnswerInvalid otherwise."""
    if not is_valid:
        raise AnswerInvalid("a value of the wrong kind")
    return content
