"""What a worker receives once, when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from consent_gate.matching.gallery import Gallery
from consent_gate.matching.school_model import SchoolModelUse
from consent_gate.matching.thresholds import Thresholds
from ingest.decoding.decode import DecodeLimits
from ingest.faces.embedders.school_model import SchoolModelEmbedder, SchoolModelForm
from ingest.faces.school_recognition import SchoolRecognition
from ingest.film.libav import FilmLimits


@dataclass(frozen=True, eq=False)
class WorkerConfig:
    """What a worker receives once, when it starts."""

    gallery: Gallery
    thresholds: Thresholds
    limits: DecodeLimits
    film_limits: FilmLimits = field(default_factory=FilmLimits)
    school: tuple[SchoolModelForm, SchoolModelUse] | None = None
    """The school's own face model, and how it decides; None where SFace and dlib do."""
    text_side: int = 0
    """Longer side in pixels of the largest picture that a channel publishes, at which text is read;
    0: no text is read."""
    film_sound: bool = False
    """Whether the sound of films is examined: a channel publishes it."""
    basis: str = ""
    """``film_checkpoint.basis_of`` the other fields; empty: no examination of a film goes on."""

    @property
    def fitted_on(self) -> str:
        """What the figures that decide were measured on."""
        own = self.school[1].thresholds if self.school else None
        return (own or self.thresholds).fitted_on

    def open_school_model(self) -> SchoolRecognition | None:
        """Read and try the school's own model; None where there is none.

        Raises:
            SchoolModelUnavailable: The file is missing or another one, or gives no usable figures.
        """
        if self.school is None:
            return None
        form, use = self.school
        return SchoolRecognition(SchoolModelEmbedder(form), use, self.thresholds)
