"""The faces enrolled so far, kept in memory while more are added."""

from __future__ import annotations

import numpy as np

from consent_gate.home.home import Home
from consent_gate.matching.gallery import MODELS, Gallery, Probes, Template, gallery_of, match
from consent_gate.model import Ambiguous, Match
from consent_gate.register.repository import load_gallery
from consent_gate.register.thresholds import thresholds_in_force
from ingest.faces.analyser import EnrolmentFace

_STACKED = 256
"""So many new faces are stacked anew for each comparison before they join the large stack."""


class EnrolledFaceIndex:
    """Whom would the gate take a face for? Each new face costs one comparison, no decryption."""

    def __init__(self, home: Home) -> None:
        """Raises Undecryptable or ModelUnavailable."""
        self._thresholds = thresholds_in_force()
        self._stack = load_gallery(home)
        self._templates = _templates(self._stack)
        self._recent: list[Template] = []

    def match(self, face: EnrolmentFace) -> set[str]:
        """Admission numbers of everybody for whom this face would or might be taken."""
        probes = Probes({m: face.vectors[m][np.newaxis] for m in MODELS}, face.versions)
        found: set[str] = set()
        for gallery in (self._stack, gallery_of(self._recent)):
            identity = match(gallery, probes, self._thresholds)[0]
            found |= {identity.pupil} if isinstance(identity, Match) else set()
            found |= set(identity.pupils) if isinstance(identity, Ambiguous) else set()
        return found

    def add(self, pupil: str, face: EnrolmentFace) -> None:
        """``pupil`` (admission number) has this face from now on."""
        self._recent.append(Template(pupil, face.vectors, face.versions))
        if len(self._recent) > _STACKED:
            self._templates += self._recent
            self._stack, self._recent = gallery_of(self._templates), []

    def remove(self, pupil: str) -> None:
        """Nobody is taken for this pupil any more."""
        self._templates = [t for t in self._templates if t.pupil != pupil]
        self._recent = [t for t in self._recent if t.pupil != pupil]
        self._stack = gallery_of(self._templates)


def _templates(gallery: Gallery) -> list[Template]:
    return [
        Template(
            gallery.pupils[owner],
            {model: gallery.vectors[model][row] for model in MODELS},
            gallery.versions,
        )
        for row, owner in enumerate(gallery.owners)
    ]
