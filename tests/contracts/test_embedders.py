"""Every embedder returns comparable vectors. The tests need no photos."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from consent_gate.model import Box, FaceKind
from ingest.faces.align import ARCFACE_TEMPLATE
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.school_model import SchoolModelEmbedder
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.protocols import RGB, Embedder, FoundFace
from tests.support import onnx_models


@pytest.fixture(scope="module")
def colours() -> RGB:
    """Blotches of colour, red unlike blue: a swapped channel would show."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 255, size=(12, 12, 3), dtype=np.uint8)
    coarse[:, :, 0] //= 4
    return np.asarray(cv2.resize(coarse, (240, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def face(scale: float = 1.3, shift: float = 40) -> FoundFace:
    points = (ARCFACE_TEMPLATE * scale + shift).astype(np.float32)
    return FoundFace(Box(40, 40, 146, 146), 0.9, FaceKind.FACE, points)


class EmbedderContract:
    """A subclass gives the fixture ``embedder``."""

    def test_every_face_gets_a_row_of_length_one_and_no_face_gets_none(
        self, embedder: Embedder, colours: RGB
    ) -> None:
        assert embedder.embed(colours, []).shape == (0, embedder.dimensions)
        rows = embedder.embed(colours, [face(), face(0.5, 100)])
        assert rows.shape == (2, embedder.dimensions)
        assert rows.dtype == np.float32
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-4)

    def test_a_face_has_the_same_row_alone_and_among_others(
        self, embedder: Embedder, colours: RGB
    ) -> None:
        alone = embedder.embed(colours, [face()])[0]
        among = embedder.embed(colours, [face(0.5, 100), face()])[1]
        assert float(alone @ among) > 0.9999

    @pytest.mark.parametrize("shift", [-90.0, 200.0])
    def test_a_face_over_the_edge_of_the_picture_is_measured_all_the_same(
        self, embedder: Embedder, colours: RGB, shift: float
    ) -> None:
        assert np.isfinite(embedder.embed(colours, [face(shift=shift)])).all()

    def test_it_says_which_weights_it_has(self, embedder: Embedder) -> None:
        assert embedder.name
        assert re.fullmatch(r"[0-9a-f]{12}|[0-9a-f]{64}", embedder.version)


class TestSFace(EmbedderContract):
    """The first opinion."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        return SFaceEmbedder()


class TestDlib(EmbedderContract):
    """The second opinion."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        return DlibEmbedder()


class TestModelOfASchool(EmbedderContract):
    """A model that a school plugs in."""

    @pytest.fixture
    def embedder(self, tmp_path: Path) -> Embedder:
        return SchoolModelEmbedder(onnx_models.form(tmp_path / "m.onnx", onnx_models.blotches()))


@pytest.fixture(scope="module")
def sface_in_another_form(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    path = tmp_path_factory.mktemp("model") / "m.onnx"
    data = onnx_models.sface_in_another_form()
    return SchoolModelEmbedder(onnx_models.form(path, data, input=onnx_models.ANOTHER_FORM))


class TestSFaceInAnotherForm(EmbedderContract):
    """The bundled SFace, exported with rows first, blue first and figures of -1 to 1."""

    @pytest.fixture
    def embedder(self, sface_in_another_form: Embedder) -> Embedder:
        return sface_in_another_form

    def test_it_measures_as_the_bundled_sface_does(self, embedder: Embedder, colours: RGB) -> None:
        plugged = embedder.embed(colours, [face()])
        assert plugged == pytest.approx(SFaceEmbedder().embed(colours, [face()]), abs=1e-4)
