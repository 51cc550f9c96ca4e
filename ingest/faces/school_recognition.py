"""Identify faces with the school's own model: its embedder, and how it decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consent_gate.matching.gallery import SCHOOL, SFACE, Gallery, Probes
from consent_gate.matching.school_model import SchoolModelUse, match_by_school_model
from consent_gate.matching.thresholds import Thresholds
from consent_gate.model import Box, FaceKind, Identity
from ingest.faces.enrolment_face import (
    NotEnrollable,
    NotEnrollableReason,
    SchoolVector,
    not_enrollable,
)
from ingest.faces.protocols import RGB, Embedder, FoundFace
from ingest.faces.thumbnail import PLACES, SIDE

NOT_MEASURED = "the school's own face model cannot measure it"


@dataclass(frozen=True, eq=False)
class SchoolRecognition:
    """The school's own face model of one worker process."""

    embedder: Embedder
    use: SchoolModelUse
    sface: Thresholds
    """The thresholds of SFace, which must agree where the model runs beside it."""

    def identify(
        self,
        sface: NDArray[np.float32],
        own: NDArray[np.float32],
        versions: Mapping[str, str],
        gallery: Gallery,
    ) -> list[Identity]:
        """One identity per face.

        Args:
            sface: SFace vectors, shape (faces, 128).
            own: Vectors of the model, shape (faces, dimensions).
            versions: Version of each model by its name.
            gallery: The templates of enrolled pupils.
        """
        probes = Probes({SFACE: sface, SCHOOL: own}, versions)
        return match_by_school_model(gallery, probes, self.sface, self.use)

    def average(self, samples: Sequence[tuple[RGB, FoundFace]]) -> NDArray[np.float32]:
        """The mean of one person's vectors in several pictures, shape (1, dimensions)."""
        rows = np.concatenate([self.embedder.embed(rgb, [face]) for rgb, face in samples])
        return np.asarray(rows.mean(axis=0, keepdims=True), np.float32)

    def vector_of(self, rgb: RGB, face: FoundFace) -> NDArray[np.float32] | None:
        """The unit vector of one face, shape (dimensions,); None where it cannot be measured."""
        vector = self.embedder.embed(rgb, [face])[0]
        return vector if np.isfinite(vector).all() else None

    def vector_of_portrait(self, portrait: RGB) -> SchoolVector | NotEnrollable:
        """The vector of a stored portrait, or why there is none.

        ``portrait`` is a decoded ``thumbnail.face_thumbnail``, in which the landmarks have fixed
        places.
        """
        if portrait.shape != (SIDE, SIDE, 3):
            return not_enrollable(NotEnrollableReason.NO_FACE)
        face = FoundFace(Box(0, 0, SIDE, SIDE), 1.0, FaceKind.FACE, PLACES)
        vector = self.vector_of(portrait, face)
        if vector is None:
            return not_enrollable(NotEnrollableReason.POOR_PICTURE, NOT_MEASURED)
        return SchoolVector(vector, self.embedder.version)
