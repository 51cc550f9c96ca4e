"""Checkpoints of films for tests that do not examine one."""

from __future__ import annotations

from consent_gate.model import Box, FaceEvidence, FaceKind, Match, Shown
from ingest.film.checkpoint import Border, Checkpoint, CutTrack, EndedFace
from ingest.workers import film_checkpoint

PUPIL = "004711"


def make_checkpoint(frames: int = 750, basis: str = "b") -> Checkpoint:
    """A checkpoint after some frames, with the face of one pupil, cut at the border."""
    shown = Shown(0.0, 29.96, 1.2, ((0.0, 1, 2, 30, 40), (29.96, 5, 2, 30, 40)))
    face = FaceEvidence(Box(1, 2, 30, 40), 0.95, FaceKind.FACE, Match(PUPIL, 0.2, 0.3), shown=shown)
    place = (5.25, 2.0, 30.0, 40.0)
    ended = EndedFace(face, 0.0, 29.96, True, 30, place)  # noqa: FBT003
    border = Border(frames / 25, (CutTrack(place, 0),))
    return Checkpoint(basis, frames, "a" * 64, 1, 0, 1, (ended,), border, (0, 7))


def checkpoint_bytes(frames: int = 750) -> bytes:
    """The same as it is stored."""
    return film_checkpoint.encoded(make_checkpoint(frames))
