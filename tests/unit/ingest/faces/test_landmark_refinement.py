"""Roughly placed landmarks are refined; landmarks of another face are not used."""

from __future__ import annotations

import dataclasses

import numpy as np

from consent_gate.model import Box, FaceKind
from ingest.faces.finder import default_finder
from ingest.faces.landmark_refinement import LandmarkRefiner
from ingest.faces.protocols import FoundFace
from tests.support.face_photos import FacePhotos, face_photos

__all__ = ["face_photos"]


def test_roughly_placed_landmarks_are_placed_anew(face_photos: FacePhotos) -> None:
    picture = face_photos.people[0][0]
    found = min(
        default_finder().find(picture), key=lambda face: abs(face.box.x + face.box.width / 2 - 125)
    )
    look = LandmarkRefiner()
    rough = dataclasses.replace(found, landmarks=found.landmarks + np.float32(6))
    assert (
        np.abs(look.refine(picture, rough).landmarks - look.refine(picture, found).landmarks).max()
        < 0.5
    )


def test_landmarks_of_another_face_are_never_taken(face_photos: FacePhotos) -> None:
    picture = face_photos.people[0][0]
    far = FoundFace(
        Box(90, 90, 70, 70), 0.9, FaceKind.FACE, np.full((5, 2), -400, dtype=np.float32)
    )
    assert LandmarkRefiner().refine(picture, far) is far
