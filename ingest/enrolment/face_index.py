"""An index in memory of all enrolled faces, to which new faces are added."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from consent_gate.home.home import Home
from consent_gate.matching.gallery import (
    MODELS,
    Gallery,
    Template,
    fused_by_pupil,
    fused_scores,
    gallery_of,
)
from consent_gate.register.repository import load_gallery
from consent_gate.register.thresholds import thresholds_in_force
from ingest.faces.enrolment_face import EnrolmentFace

MAX_FALSE_ACCEPT_RATE = 0.01
"""The largest share of other children who may pass as looking like one picture of the pupil. The
share is smaller where the tail of the thresholds begins higher: with the shipped thresholds it is
0.002, one in five hundred. This choice is far looser than matching (docs/adr/0004), because a face
that already matches adds little."""

_MAX_RECENT = 256
"""New faces kept in a small gallery, before they are merged into the large one."""


class EnrolledFaceIndex:
    """Finds the pupils to whom the gate would match a face; decrypts the templates only once."""

    def __init__(self, home: Home) -> None:
        """Load all templates.

        Raises:
            DecryptionError: A template cannot be decrypted.
            ModelUnavailable: The thresholds are for other models than those installed.
        """
        self._thresholds = thresholds_in_force()
        self._gallery = load_gallery(home, with_waiting=True)
        self._templates = _templates(self._gallery)
        self._recent: list[Template] = []

    def match(self, face: EnrolmentFace) -> set[str]:
        """Admission numbers of all pupils to whom this face would or might be matched.

        Each pupil counts as a pupil with one template. So more templates of a pupil never let a
        photo of this pupil pass under another name.
        """
        probes = {model: face.vectors[model][np.newaxis] for model in MODELS}
        found: set[str] = set()
        for gallery in self._comparable_galleries(face):
            row = fused_by_pupil(probes, gallery, self._thresholds)[0]
            best = float(row.max())
            if best >= self._thresholds.accept_fused(len(gallery.pupils)):
                near = np.nonzero(row > best - self._thresholds.margin)[0]
                found |= {gallery.pupils[index] for index in near}
        return found

    def scores(self, face: EnrolmentFace) -> dict[str, float]:
        """By admission number, the score with the most similar template of each pupil."""
        probes = {model: face.vectors[model][np.newaxis] for model in MODELS}
        found: dict[str, float] = {}
        for gallery in self._comparable_galleries(face):
            row = fused_scores(probes, gallery.vectors, self._thresholds)[0]
            best = np.maximum.reduceat(row, gallery.first_rows)
            for pupil, score in zip(gallery.pupils, best, strict=True):
                found[pupil] = max(float(score), found.get(pupil, -np.inf))
        return found

    def _comparable_galleries(self, face: EnrolmentFace) -> list[Gallery]:
        """The large and the recent gallery, where they have pupils and are of the same models."""
        both = (self._gallery, gallery_of(self._recent))
        versions = _package(face.versions)
        return [found for found in both if found.pupils and _package(found.versions) == versions]

    def is_like(self, score: float) -> bool:
        """Whether two photos with this score look like the same child.

        With the shipped thresholds one pair of strangers in five hundred does; with a school's own
        at most one in a hundred.
        """
        return score >= self._thresholds.fused_tail.score_at(MAX_FALSE_ACCEPT_RATE)

    def add(self, pupil: str, face: EnrolmentFace) -> None:
        """Add a face of the pupil with this admission number."""
        vectors = {model: face.vectors[model] for model in MODELS}
        self._recent.append(Template(pupil, vectors, _package(face.versions)))
        if len(self._recent) > _MAX_RECENT:
            self._templates += self._recent
            self._gallery, self._recent = gallery_of(self._templates), []

    def remove(self, pupil: str) -> None:
        """Remove all faces of the pupil with this admission number."""
        self._templates = [t for t in self._templates if t.pupil != pupil]
        self._recent = [t for t in self._recent if t.pupil != pupil]
        self._gallery = gallery_of(self._templates)


def _package(versions: Mapping[str, str]) -> dict[str, str]:
    """The versions of the package's models, which judge new portraits."""
    return {model: version for model, version in versions.items() if model in MODELS}


def _templates(gallery: Gallery) -> list[Template]:
    return [
        Template(
            gallery.pupils[owner],
            {model: gallery.vectors[model][row] for model in MODELS},
            _package(gallery.versions),
        )
        for row, owner in enumerate(gallery.owners)
    ]
