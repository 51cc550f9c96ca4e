"""How far the examination of a film is, so that another process can go on with it.

A checkpoint has the faces of the tracks that have ended, as evidence has them. It has no picture,
no vector and no text. Whoever goes on decodes the film from its beginning: so each frame is counted
and hashed once, and the models are spared for the frames that were searched before.
"""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.model import FaceEvidence
from ingest.film.followed import Found
from ingest.film.tracks import Place


class CheckpointUnusable(Exception):
    """The film is not the one that was examined, or the checkpoint does not fit together."""


@dataclass(frozen=True)
class EndedFace:
    """One face of a track that has ended: ``followed.Found`` without its picture."""

    face: FaceEvidence
    from_s: float
    to_s: float
    is_followed: bool
    tile_frame: int | None
    """Number of the frame that shows the face to staff; None where no frame does."""
    tile_place: Place
    """The face in that frame."""


@dataclass(frozen=True)
class CutTrack:
    """Where a track was cut at a border."""

    place: Place
    face: int
    """Index of its last face in ``Checkpoint.faces``."""


@dataclass(frozen=True)
class Border:
    """The last place in the film at which all tracks were ended."""

    time: float = float("-inf")
    """Seconds of the first frame behind it."""
    cut: tuple[CutTrack, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """What is known of the frames before a border."""

    basis: str
    """Digest of all that decides what is found: programs, models, settings, enrolled pupils."""
    frames: int
    """Number of judged frames before the border."""
    frames_sha256: str
    """Digest of these frames."""
    scenes: int
    """Scenes that began in them."""
    poster_frame: int
    """The frame that shows most faces."""
    poster_faces: int
    faces: tuple[EndedFace, ...]
    """In the order in which their tracks ended."""
    border: Border
    text_frames: tuple[int, ...] = ()
    """Frames whose text said something new. It is read again, because it may have names."""

    def check(self) -> None:
        """Check that the numbers fit together.

        Raises:
            CheckpointUnusable: They do not.
        """
        numbers = [self.poster_frame, *self.text_frames]
        numbers += [face.tile_frame for face in self.faces if face.tile_frame is not None]
        indexes = [track.face for track in self.border.cut]
        if not (
            self.frames > 0
            and self.border.time >= 0
            and all(0 <= number < self.frames for number in numbers)
            and all(0 <= index < len(self.faces) for index in indexes)
        ):
            raise CheckpointUnusable


def ended_face(found: Found) -> EndedFace:
    """Return a face without its picture."""
    frame, place = found.tile_at or (None, (0.0, 0.0, 0.0, 0.0))
    return EndedFace(found.face, *found.times, found.is_followed, frame, place)


def found_again(ended: EndedFace) -> Found:
    """Return a face whose picture is cut out when its frame is decoded."""
    at = None if ended.tile_frame is None else (ended.tile_frame, ended.tile_place)
    return Found(ended.face, None, (ended.from_s, ended.to_s), ended.is_followed, at)
