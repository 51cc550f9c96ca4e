"""What is known of a track while it goes on, and of a face whose track has ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from consent_gate.model import FaceEvidence, FaceKind
from ingest.faces.protocols import RGB
from ingest.film.candidates import Candidate, cut_out
from ingest.film.frames import JudgedFrame
from ingest.film.identity import Measurements
from ingest.film.tracks import Patch, Place, Sighting, likeness

UNLIKE_BELOW = 0.85
"""Likeness to the best frame of the track below which one more frame of each part is examined. In
a dissolve no change is sudden, and the best frames may all show the pupil."""


@dataclass(eq=False)
class Followed:
    """What is known of one track besides its path."""

    measurements: Measurements = field(default_factory=Measurements)
    part: int = 0
    candidates: list[Candidate] = field(default_factory=list)
    unlike: Candidate | None = None
    """A clear frame of the present part that is unlike the best frame of the track."""
    how_unlike: float = 0.0
    """What that frame was chosen by: 1 less the correlation of their patches, times its rank."""
    kind: FaceKind | None = None
    score: float = 0.0
    best_rank: float = -1.0
    best_time: float = 0.0
    best_frame: int = 0
    """Number of that frame."""
    best_place: Place = (0.0, 0.0, 0.0, 0.0)
    best_patch: Patch | None = None
    tile: RGB | None = None
    """The face in the best frame, for staff."""
    continues: tuple[int, ...] = ()
    """Indexes of the faces that may be the part of it before a border."""

    def keep_unlike(self, frame: JudgedFrame, sighting: Sighting, rank: float) -> None:
        """Keep a frame if it is the likeliest of its part to show somebody else than the best."""
        assert self.best_patch is not None  # noqa: S101  the first frame is the best so far
        alike = likeness(sighting.patch, self.best_patch)
        # A smeared frame is unlike all others, but its rank is low.
        how_unlike = (1 - alike) * rank
        if alike < UNLIKE_BELOW and how_unlike > self.how_unlike:
            self.unlike, self.how_unlike = cut_out(frame, sighting, rank), how_unlike

    def take_candidates(self) -> list[Candidate]:
        """Return the frames of the part that are examined, and forget them."""
        taken = self.candidates
        if self.unlike is not None and self.unlike.time not in [one.time for one in taken]:
            taken.append(self.unlike)
        self.candidates, self.unlike, self.how_unlike = [], None, 0.0
        return taken


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
