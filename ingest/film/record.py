"""The record of a film's faces in a worker's answer: its order, its points and its size."""

from __future__ import annotations

from collections.abc import Sequence

from consent_gate.model import Box, FaceEvidence

BYTES_OF_FACE, BYTES_OF_POINT, BYTES_OF_SCENE = 1500, 45, 22
MAX_RECORD_BYTES = 3 << 20
"""A film with more faces than fit into this is held: a worker's answer must hold them."""


def record_bytes(faces: Sequence[FaceEvidence], scene_starts: Sequence[float] = ()) -> int:
    """Return about how many bytes the faces take in a worker's answer, rather too many."""
    points = sum(len(face.shown.path) for face in faces if face.shown)
    scenes = BYTES_OF_SCENE * len(scene_starts)
    return BYTES_OF_FACE * len(faces) + BYTES_OF_POINT * points + scenes


def order(face: FaceEvidence) -> tuple[float, int]:
    """Return the key that sorts faces by their time, then from the left."""
    return face.shown.from_s if face.shown else 0.0, face.box.x


def path_entry(time: float, box: Box) -> tuple[float, int, int, int, int]:
    """Return one point of ``Shown.path``."""
    return round(time, 3), box.x, box.y, box.width, box.height
