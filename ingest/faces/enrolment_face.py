"""The face of a portrait, of which a template is made, or why none can be made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import MODELS, SCHOOL
from consent_gate.model import Quality


class NotEnrollableReason(StrEnum):
    """Why no template can be made of a portrait."""

    NO_FACE = "no_face"
    TWO_FACES = "two_faces"
    POOR_PICTURE = "poor_picture"


@dataclass(frozen=True)
class NotEnrollable:
    """A portrait of which no template can be made."""

    reason: NotEnrollableReason
    message: str
    """For staff."""


SHORTEST_VECTOR, LONGEST_VECTOR = 32, 4096
"""Numbers in a vector of the school's own model. Fewer cannot tell a school's pupils apart."""

PACKAGE_VECTOR = 128
"""Numbers in a vector of SFace and of dlib."""


@dataclass(frozen=True, eq=False)
class EnrolmentFace:
    """The face of a portrait, of which a ``gallery.Template`` is made."""

    vectors: Mapping[str, NDArray[np.float32]]
    """By model name, one unit vector each, shape (dimensions,)."""
    versions: Mapping[str, str]
    """Model version by model name."""
    quality: Quality
    portrait: bytes
    """JPEG of the head, square, ``thumbnail.SIDE`` pixels a side."""
    turn: float = 0.0
    """How far the head is turned, and to which side: ``quality.turn``."""

    def __post_init__(self) -> None:
        """Check the models, and the lengths of the vectors: the face may come from a worker.

        Raises:
            ValueError: It has no vector of a model of the package, or a vector of another length.
        """
        lengths = {model: len(vector) for model, vector in self.vectors.items()}
        school = lengths.pop(SCHOOL, SHORTEST_VECTOR)
        if lengths != dict.fromkeys(MODELS, PACKAGE_VECTOR):
            raise ValueError("not the vectors of the package's models")
        if not SHORTEST_VECTOR <= school <= LONGEST_VECTOR:
            raise ValueError("no vector of a face")
        if self.versions.keys() != self.vectors.keys():
            raise ValueError("a vector without a version")


@dataclass(frozen=True, eq=False)
class SchoolVector:
    """The vector of a stored portrait by the school's own model."""

    vector: NDArray[np.float32]
    """Unit length, shape (dimensions,)."""
    version: str

    def __post_init__(self) -> None:
        """Check the length: the vector comes from a worker.

        Raises:
            ValueError: It is no vector of a face.
        """
        if not SHORTEST_VECTOR <= len(self.vector) <= LONGEST_VECTOR:
            raise ValueError("no vector of a face")


_MESSAGES = {
    NotEnrollableReason.NO_FACE: "No face was found in the portrait. Use another portrait.",
    NotEnrollableReason.TWO_FACES: (
        "The portrait shows more than one person. Use a portrait of the pupil alone."
    ),
    NotEnrollableReason.POOR_PICTURE: "The quality of the portrait is too low",
}


def not_enrollable(reason: NotEnrollableReason, detail: str = "") -> NotEnrollable:
    """The refusal of a portrait, in words for staff. ``detail`` says what is poor about it."""
    message = _MESSAGES[reason]
    if reason is NotEnrollableReason.POOR_PICTURE:
        message += f": {detail}." if detail else "."
    return NotEnrollable(reason, message)
