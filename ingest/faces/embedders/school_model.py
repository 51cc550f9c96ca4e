"""Embed faces with an ONNX model that the school has the right to use.

The file is data from outside: only a confined worker parses it. Its bytes are read once, compared
with the SHA-256 of the settings, and exactly these bytes are opened. Whatever else the model
answers than finite figures of the right shape, the face is not measured.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consent_gate.errors import SchoolModelUnavailable
from consent_gate.matching.gallery import SCHOOL
from ingest.faces.align import ARCFACE_TEMPLATE, CROP_SIDE, aligned
from ingest.faces.enrolment_face import LONGEST_VECTOR, SHORTEST_VECTOR
from ingest.faces.protocols import RGB, FoundFace, Landmarks

MAXIMUM_BYTES = 1 << 30
"""Largest file of a model. A ResNet-100 has 260 MB."""

MINIMUM_LENGTH, MAXIMUM_LENGTH = 1e-6, 1e6
"""Lengths of the model's raw vectors. Others are no figures of a face: they lose their digits."""

MINIMUM_MIRROR_AGREEMENT = 0.5
"""Cosine of a face and its mirror image from which a face is measured. A face model finds both
nearly the same; SFace measures above 0.85 in every usable picture."""

REPEATED = 1e-3
"""Largest difference of two answers about the same picture, in unit vectors."""


@dataclass(frozen=True)
class SchoolModelForm:
    """The model and what it expects, as a worker receives it."""

    path: Path
    sha256: str
    version: str
    """``SchoolModel.version`` of the settings."""
    side: int
    """Pixels of a side of the input."""
    bgr: bool
    """Whether blue comes first, not red."""
    channels_last: bool
    """Whether the input has the shape (1, side, side, 3), not (1, 3, side, side)."""
    mean: float
    scale: float
    """The input is (value of 0 to 255 - mean) * scale."""
    landmarks: tuple[tuple[float, float], ...] | None
    """Places of the five landmarks in the input, in pixels; None for the template of ArcFace."""

    @property
    def places(self) -> Landmarks:
        """Places of the five landmarks in the input, shape (5, 2)."""
        if self.landmarks is None:
            return np.asarray(ARCFACE_TEMPLATE * (self.side / CROP_SIDE), np.float32)
        return np.array(self.landmarks, np.float32)


class SchoolModelEmbedder:
    """The school's own model. It embeds a face and its mirror image, and averages both."""

    name = SCHOOL

    def __init__(self, form: SchoolModelForm) -> None:
        """Read, check and try the model.

        Raises:
            SchoolModelUnavailable: The file is missing or another one, or its answers are no
                figures of faces.
        """
        self._form = form
        self.version = form.version
        self._session, self._input = _open(verified_bytes(form.path, form.sha256))
        self.dimensions = 0
        self.dimensions = self._try()

    def embed(self, rgb: RGB, faces: Sequence[FoundFace]) -> NDArray[np.float32]:
        """One unit-length row per face, shape (len(faces), dimensions); NaN where it failed."""
        side, places = self._form.side, self._form.places
        rows = [self.embed_crop(aligned(rgb, face.landmarks, places, side)) for face in faces]
        return np.array(rows, dtype=np.float32).reshape(len(faces), self.dimensions)

    def embed_crop(self, crop: RGB) -> NDArray[np.float32]:
        """The unit vector of one aligned crop, shape (dimensions,); NaN where it failed.

        ``crop`` has shape (side, side, 3), dtype uint8, colour order RGB.
        """
        failed = np.full(self.dimensions, np.nan, np.float32)
        straight, mirrored = self._unit(crop), self._unit(crop[:, ::-1])
        if straight is None or mirrored is None:
            return failed
        if not float(straight @ mirrored) >= MINIMUM_MIRROR_AGREEMENT:
            return failed
        both = straight + mirrored
        return np.asarray(both / np.linalg.norm(both), np.float32)

    def _try(self) -> int:
        """The length of the model's vectors, from two answers about a made-up picture."""
        ramp = np.linspace(0, 255, self._form.side)
        crop = np.stack([np.add.outer(ramp, ramp) / 2] * 3, axis=2).astype(np.uint8)
        answers = [self._answer(crop), self._answer(crop)]
        if not all(SHORTEST_VECTOR <= len(answer) <= LONGEST_VECTOR for answer in answers):
            raise SchoolModelUnavailable(
                "The school's own face model does not answer with one vector of"
                f" {SHORTEST_VECTOR} to {LONGEST_VECTOR} numbers for one picture."
            )
        first, second = (_scaled(answer) for answer in answers)
        if first is None or second is None:
            raise SchoolModelUnavailable(
                "The school's own face model answers with figures that are none of a face."
            )
        if len(first) != len(second) or float(np.abs(first - second).max()) > REPEATED:
            raise SchoolModelUnavailable(
                "The school's own face model answers differently about the same picture."
            )
        return len(first)

    def _unit(self, crop: RGB) -> NDArray[np.float64] | None:
        """The unit vector of a crop; None where the model gave nothing usable."""
        try:
            answer = self._answer(crop)
        except SchoolModelUnavailable:
            return None
        return _scaled(answer) if len(answer) == self.dimensions else None

    def _answer(self, crop: RGB) -> NDArray[np.float64]:
        """The model's raw vector; empty where it has another form.

        Raises:
            SchoolModelUnavailable: The model cannot be run on such a picture.
        """
        picture = crop[:, :, ::-1] if self._form.bgr else crop
        values = (picture.astype(np.float32) - self._form.mean) * self._form.scale
        if not self._form.channels_last:
            values = values.transpose(2, 0, 1)
        try:
            raw = self._session.run(None, {self._input: np.ascontiguousarray(values)[np.newaxis]})
        except Exception as error:  # onnxruntime's errors have no common class
            raise SchoolModelUnavailable(
                "The school's own face model cannot be run. Compare [recognition.model] input with"
                f" the model's description ({type(error).__name__})."
            ) from error
        found = np.asarray(raw[0])
        if found.ndim != 2 or found.shape[0] != 1 or found.dtype.kind != "f":
            return np.zeros(0)
        return np.asarray(found[0], np.float64)


def verified_bytes(path: Path, sha256: str) -> bytes:
    """The content of a model's file, read once.

    Raises:
        SchoolModelUnavailable: The file is missing, no ordinary file, too large, or another one.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise SchoolModelUnavailable(f"The school's own face model {path} is no file.")
            data = file.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise SchoolModelUnavailable(
            f"The school's own face model {path} cannot be read: {error.strerror}."
        ) from error
    if len(data) > MAXIMUM_BYTES:
        raise SchoolModelUnavailable(f"The school's own face model {path} is larger than 1 GB.")
    if hashlib.sha256(data).hexdigest() != sha256:
        raise SchoolModelUnavailable(
            f"The school's own face model {path} is not the file of the settings: its SHA-256"
            " differs."
        )
    return data


def _open(data: bytes) -> tuple[Any, str]:
    """The session, and the name of the input.

    Raises:
        SchoolModelUnavailable: The bytes are no model that is whole in itself, with one picture as
            its input.
    """
    import onnx  # only a worker parses a model

    from ingest.faces.detectors.onnx import session

    try:
        network = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's errors have no common class
        raise SchoolModelUnavailable("The school's own face model is no ONNX file.") from error
    if any(tensor.data_location for tensor in _tensors(network)):
        raise SchoolModelUnavailable(
            "The school's own face model keeps its weights in other files, which its SHA-256 does"
            " not cover. Save it as one file."
        )
    try:
        opened = session(data)
    except Exception as error:
        raise SchoolModelUnavailable(
            f"The school's own face model cannot be opened ({type(error).__name__})."
        ) from error
    inputs = opened.get_inputs()
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
        raise SchoolModelUnavailable(
            "The school's own face model does not take one picture of floating-point numbers."
        )
    return opened, str(inputs[0].name)


def _tensors(network: Any) -> Iterator[Any]:
    """All tensors of a model that may refer to other files, also in inner graphs and functions."""
    graphs = [network.graph]
    nodes = [node for function in network.functions for node in function.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes.extend(graph.node)
            continue
        for attribute in nodes.pop().attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            graphs.extend(attribute.graphs)
            if attribute.HasField("g"):
                graphs.append(attribute.g)


def _scaled(vector: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """The vector scaled to length one; None where it is not finite, tiny or huge."""
    length = float(np.linalg.norm(vector))
    if not MINIMUM_LENGTH <= length <= MAXIMUM_LENGTH:  # also where it is not a number
        return None
    return vector / length
