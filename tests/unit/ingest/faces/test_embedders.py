"""The embedders agree with the reference ways of calling the same networks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from consent_gate.errors import ModelUnavailable
from consent_gate.model import Box, FaceKind
from ingest.faces.align import ARCFACE_TEMPLATE, aligned_crop, dlib_square
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.face_recognition_import import import_face_recognition
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.finder import default_finder
from ingest.faces.protocols import RGB, FoundFace
from ingest.faces.weights import DLIB_LANDMARKS_5, DLIB_RESNET, SFACE, locate

pytestmark = pytest.mark.costly

DEMO_PHOTOS = sorted(
    (Path(__file__).parents[4] / "consent_gate" / "operations" / "demo_photos").glob("*.jpg")
)
IMPORTED_AFRESH = """
import json
import dlib
import face_recognition_models
from PIL import ImageFile

opened = []
load = dlib.shape_predictor
dlib.shape_predictor = lambda path: opened.append(path) or load(path)
from ingest.faces.embedders.dlib_resnet import DlibEmbedder

DlibEmbedder()
answer = face_recognition_models.pose_predictor_model_location()
print(json.dumps([opened, ImageFile.LOAD_TRUNCATED_IMAGES, answer]))
"""
"""Import the embedder in a process of its own and tell what the import did."""


@pytest.fixture(scope="module")
def colours() -> NDArray[np.uint8]:
    """Blotches of colour, red unlike blue: a swapped channel would show."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 255, size=(12, 12, 3), dtype=np.uint8)
    coarse[:, :, 0] //= 4
    return np.asarray(cv2.resize(coarse, (240, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def face(scale: float = 1.3, shift: float = 40) -> FoundFace:
    points = (ARCFACE_TEMPLATE * scale + shift).astype(np.float32)
    return FoundFace(Box(40, 40, 146, 146), 0.9, FaceKind.FACE, points)


def test_sface_sees_what_opencvs_own_alignment_and_colours_give(
    colours: NDArray[np.uint8],
) -> None:
    reference = cv2.FaceRecognizerSF.create(str(locate(SFACE)), "")
    bgr = np.ascontiguousarray(colours[:, :, ::-1])
    row = np.concatenate([[40, 40, 146, 146], face().landmarks.ravel(), [0.9]]).astype(np.float32)
    theirs = reference.alignCrop(bgr, row)
    ours = aligned_crop(colours, face().landmarks)
    assert np.abs(theirs[:, :, ::-1].astype(int) - ours).max() <= 1
    expected = reference.feature(theirs)[0] / np.linalg.norm(reference.feature(theirs)[0])
    mirrored = reference.feature(np.ascontiguousarray(theirs[:, ::-1]))[0]
    both = expected + mirrored / np.linalg.norm(mirrored)
    embedded = SFaceEmbedder().embed(colours, [face()])[0]
    assert float(embedded @ both / np.linalg.norm(both)) > 0.999


def test_dlib_sees_what_its_own_pipeline_gives_for_the_same_box(
    colours: NDArray[np.uint8],
) -> None:
    left, top, side = dlib_square(face().landmarks)
    box = dlib.rectangle(left, top, left + side, top + side)
    shape = dlib.shape_predictor(str(locate(DLIB_LANDMARKS_5)))(colours, box)
    network = dlib.face_recognition_model_v1(str(locate(DLIB_RESNET)))
    expected = np.array(network.compute_face_descriptor(colours, shape))
    embedded = DlibEmbedder().embed(colours, [face()])[0]
    assert float(embedded @ expected / np.linalg.norm(expected)) > 0.999


@pytest.mark.parametrize(
    "path",
    [*DEMO_PHOTOS[:2], *(pytest.param(path, marks=pytest.mark.slow) for path in DEMO_PHOTOS[2:])],
    ids=lambda path: str(path.stem),
)
def test_face_recognition_gives_the_vectors_that_the_thresholds_were_fitted_on(path: Path) -> None:
    """Those of dlib called directly; enrolled templates hold them too."""
    rgb: RGB = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB), np.uint8)
    landmarks = dlib.shape_predictor(str(locate(DLIB_LANDMARKS_5)))
    network = dlib.face_recognition_model_v1(str(locate(DLIB_RESNET)))
    faces = default_finder().find(rgb)
    assert faces
    for found, row in zip(faces, DlibEmbedder().embed(rgb, faces), strict=True):
        left, top, side = dlib_square(found.landmarks)
        shape = landmarks(rgb, dlib.rectangle(left, top, left + side, top + side))
        chip = dlib.get_face_chip(rgb, shape, size=150, padding=0.25)
        expected = np.array(network.compute_face_descriptor(chip))
        assert np.abs(row - expected / np.linalg.norm(expected)).max() < 1e-6


def test_importing_face_recognition_opens_no_68_point_file_and_leaves_pillow_strict() -> None:
    command = [sys.executable, "-c", IMPORTED_AFRESH]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    opened, truncated_allowed, answer = json.loads(done.stdout)
    assert set(opened) == {str(locate(DLIB_LANDMARKS_5))}
    assert truncated_allowed is False
    assert answer.endswith("shape_predictor_68_face_landmarks.dat"), "undone after the import"


@pytest.mark.parametrize("which", ["predictor_68_point_model", "face_recognition_model"])
def test_a_face_recognition_that_has_loaded_other_files_is_refused(
    which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_face_recognition(), which, "/somewhere/else.dat")
    with pytest.raises(ModelUnavailable, match="other face models"):
        DlibEmbedder()


def test_a_face_wholly_outside_the_picture_never_gets_a_usable_dlib_vector(
    colours: NDArray[np.uint8],
) -> None:
    assert np.isnan(DlibEmbedder().embed(colours, [face(shift=9000)])).all()
