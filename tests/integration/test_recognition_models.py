"""The embedders against the reference ways of calling the same networks; no photos needed."""

from __future__ import annotations

import cv2
import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from consent_gate.model import Box, FaceKind
from ingest.faces.align import ARCFACE_TEMPLATE, aligned_crop, dlib_square
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.protocols import FoundFace
from ingest.faces.weights import DLIB_LANDMARKS_5, DLIB_RESNET, SFACE, locate


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


def test_a_face_wholly_outside_the_picture_never_gets_a_usable_dlib_vector(
    colours: NDArray[np.uint8],
) -> None:
    assert np.isnan(DlibEmbedder().embed(colours, [face(shift=9000)])).all()
