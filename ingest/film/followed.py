"""What is known of a track while it goes on, and of a face whose track has ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from consent_gate.model import FaceEvidence, FaceKind
from ingest.faces.protocols import RGB
from ingest.film.candidates import Candidate
from ingest.film.identity import Measurements
from ingest.film.tracks import Place


@dataclass(eq=False)
class Followed:
    """What is known of one track besides its path."""

    measurements: Measurements = field(default_factory=Measurements)
    part: int = 0
    candidates: list[Candidate] = field(default_factory=list)
    kind: FaceKind | None = None
    score: float = 0.0
    best_rank: float = -1.0
    best_time: float = 0.0
    best_frame: int = 0
    """Number of that frame."""
    best_place: Place = (0.0, 0.0, 0.0, 0.0)
    tile: RGB | None = None
    """The face in the best frame, for staff."""
    continues: tuple[int, ...] = ()
    """Indexes of the faces that may be the part of it before a border."""


@dataclass(frozen=True, eq=False)
class Found:
    """One face of a track that has ended."""

    face: FaceEvidence
    tile: RGB | None
    times: tuple[float, float]
    """Seconds of the first and last frame that may be of this face."""
    is_followed: bool
    """Whether the scout has seen it clearly."""
    tile_at: tuple[int, Place] | None = None
    """Number of the frame that ``tile`` is from, and the place in it."""
