"""Whose portrait it is: one person's, with bystanders at most."""

from __future__ import annotations

import numpy as np
import pytest

from consent_gate.matching.shipped_thresholds import shipped_thresholds
from consent_gate.model import Box, FaceKind
from ingest.faces.align import ARCFACE_TEMPLATE
from ingest.faces.analyser import FaceAnalyser, NotEnrollable, NotEnrollableReason
from ingest.faces.embedders.dlib_resnet import DlibEmbedder
from ingest.faces.embedders.sface import SFaceEmbedder
from ingest.faces.protocols import RGB, FoundFace

PORTRAIT: RGB = np.zeros((400, 400, 3), np.uint8)


class Found:
    """A finder's answer, given."""

    def __init__(self, *faces: FoundFace) -> None:
        self._faces = list(faces)

    def find(self, rgb: RGB) -> list[FoundFace]:
        return self._faces


def face(x: int, y: int, side: int, kind: FaceKind = FaceKind.FACE) -> FoundFace:
    points = (ARCFACE_TEMPLATE * side / 112 + np.array([x, y])).astype(np.float32)
    return FoundFace(Box(x, y, side, side), 0.9, kind, points)


@pytest.fixture(scope="module")
def models() -> tuple[SFaceEmbedder, DlibEmbedder]:
    return SFaceEmbedder(), DlibEmbedder()


def verdict(
    models: tuple[SFaceEmbedder, DlibEmbedder], *faces: FoundFace
) -> NotEnrollableReason | None:
    """Why the black portrait with these faces isn't enrolled; it is always at least too dark."""
    answer = FaceAnalyser(Found(*faces), *models, shipped_thresholds()).enrol(PORTRAIT)
    return answer.reason if isinstance(answer, NotEnrollable) else None


def test_a_portrait_without_a_face(models: tuple[SFaceEmbedder, DlibEmbedder]) -> None:
    assert verdict(models) is NotEnrollableReason.NO_FACE
    assert verdict(models, face(100, 100, 200, FaceKind.POSSIBLE)) is NotEnrollableReason.NO_FACE


@pytest.mark.parametrize(
    "faces",
    [
        [face(20, 100, 150), face(230, 100, 150)],
        [face(100, 100, 200), face(300, 0, 99), face(0, 0, 150)],
        [face(0, 0, 180), face(185, 185, 60)],
    ],
    ids=["two side by side", "a third nearly as large", "a child in the middle beside a parent"],
)
def test_a_portrait_of_two_people_is_nobodys(
    models: tuple[SFaceEmbedder, DlibEmbedder], faces: list[FoundFace]
) -> None:
    assert verdict(models, *faces) is NotEnrollableReason.TWO_FACES


@pytest.mark.parametrize(
    "faces",
    [
        [face(100, 100, 200)],
        [face(100, 100, 200), face(0, 0, 90)],
        [face(100, 100, 200), face(60, 80, 210)],
    ],
    ids=["alone", "a bystander in the corner", "the same face found twice"],
)
def test_a_portrait_of_one_person_fails_only_for_its_darkness(
    models: tuple[SFaceEmbedder, DlibEmbedder], faces: list[FoundFace]
) -> None:
    assert verdict(models, *faces) is NotEnrollableReason.POOR_PICTURE


def test_the_reason_is_a_sentence_for_staff(models: tuple[SFaceEmbedder, DlibEmbedder]) -> None:
    analyser = FaceAnalyser(Found(face(100, 100, 200)), *models, shipped_thresholds())
    answer = analyser.enrol(PORTRAIT)
    assert isinstance(answer, NotEnrollable)
    assert answer.message == "The quality of the portrait is too low: the face is too dark."
