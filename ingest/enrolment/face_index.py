"""An index in memory of all enrolled faces, to which new faces are added."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from consent_gate.home.home import Home
from consent_gate.matching.gallery import (
    MODELS,
    Gallery,
    Probes,
    Template,
    fused_scores,
    gallery_of,
)
from consent_gate.matching.identify import match
from consent_gate.model import Ambiguous, Match
from consent_gate.register.repository import load_gallery
from consent_gate.register.thresholds import thresholds_in_force
from ingest.faces.enrolment_face import EnrolmentFace

MAX_FALSE_ACCEPT_RATE = 0.01
"""The largest share of other children who may pass as looking like the pupil. This choice is far
looser than matching (docs/adr/0004), because a face that already matches adds little."""

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
        """Admission numbers of all pupils to whom this face would or might be matched."""
        probes = Probes({m: face.vectors[m][np.newaxis] for m in MODELS}, _package(face.versions))
        found: set[str] = set()
        for gallery in (self._gallery, gallery_of(self._recent)):
            identity = match(gallery, probes, self._thresholds)[0]
            found |= {identity.pupil} if isinstance(identity, Match) else set()
            found |= set(identity.pupils) if isinstance(identity, Ambiguous) else set()
        return found

    def scores(self, face: EnrolmentFace) -> dict[str, float]:
        """By admission number, the score with the most similar template of each pupil."""
        probes = {model: face.vectors[model][np.newaxis] for model in MODELS}
        found: dict[str, float] = {}
        for gallery in (self._gallery, gallery_of(self._recent)):
            if not gallery.pupils or _package(gallery.versions) != _package(face.versions):
                continue
            row = fused_scores(probes, gallery.vectors, self._thresholds)[0]
            best = np.maximum.reduceat(row, gallery.first_rows)
            for pupil, score in zip(gallery.pupils, best, strict=True):
                found[pupil] = max(float(score), found.get(pupil, -np.inf))
        return found

    def is_like(self, score: float) -> bool:
        """Whether two photos with this score look like the same child."""
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
