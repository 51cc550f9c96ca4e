"""Encode what is published of one film: the frames that stay, with covers, and the sound beside."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from consent_gate.film.spans import NewTimes, total_ms
from consent_gate.model import Box
from ingest.faces.protocols import RGB
from ingest.film.ahead import ahead
from ingest.film.covers import Covers
from ingest.film.fill import covered_frame, heads_in, heads_of
from ingest.film.frames import FrameReader, JudgedFrame
from ingest.film.search import poster_from
from ingest.film.sound_out import OutgoingSound
from publish.rendering.film import FilmEncoder, published_size
from publish.renditions.rendition import FilmRequest

THUMBNAIL = (64, 36)
"""Width and height in pixels to which frames are reduced before they are compared."""


@dataclass(frozen=True, eq=False)
class EncodedFrame:
    """One frame that was given to the encoder."""

    judged_at: float
    """Its time in the original film, in seconds."""
    time: float
    """Its time in the published film."""
    thumbnail: NDArray[np.uint8]
    heads: tuple[Box, ...]
    """What is covered in it, in pixels of the published film."""


class FilmInTheMaking:
    """A film that is being encoded."""

    def __init__(self, request: FilmRequest, sound: OutgoingSound) -> None:
        """Begin a film.

        Args:
            request: What is encoded.
            sound: The sound of the original, not read yet.
        """
        self._request = request
        self._sound = sound
        self._times = NewTimes(request.kept)
        self._covers = Covers(request.covered, request.scene_starts)
        self._encoder: FilmEncoder | None = None
        self._ends_at: float | None = None
        self.frames: list[EncodedFrame] = []
        self.poster: RGB | None = None
        """One of the frames; None before the first."""
        self.poster_at = 0.0
        """Its time in the published film."""
        self.size = (0, 0)
        """Width and height in pixels."""

    def encode(self, reader: FrameReader) -> None:
        """Encode everything that stays of an open film.

        Raises:
            DecodeError: The film cannot be decoded completely.
            FilmTooLarge: The encoded film is too large.
            SoundUnusable: The sound cannot be decoded completely.
        """
        from_second = self._poster_from(reader.facts.stated_seconds)
        with closing(ahead(reader.frames())) as judged:
            for frame in judged:
                time = self._times.time_of(frame.time)
                place = None if time is None else (frame.time, time)
                self._add_sound(reader, frame.time, place)
                if time is not None:
                    rgb = self._add_frame(frame, time)
                    if self.poster is None or self.poster_at < from_second:
                        self.poster_at, self.poster = time, rgb
        self._add_sound(reader, reader.seconds, None)
        self._ends_at = reader.seconds if self._request.kept is None else None

    def finish(self) -> bytes | None:
        """Return the whole file; None if no frame stays."""
        return self._encoder.finish(self._ends_at) if self._encoder is not None else None

    def _add_sound(
        self, reader: FrameReader, until: float, place: tuple[float, float] | None
    ) -> None:
        for piece in self._sound.before(reader.first_time, until, place):
            if self._encoder is not None:
                self._encoder.add_sound(piece)

    def _add_frame(self, frame: JudgedFrame, time: float) -> RGB:
        """Encode a frame with its covers. Returns its pixels."""
        height, width = frame.rgb.shape[:2]
        if self._encoder is None:
            self.size = published_size(width, height, self._request.max_side)
            self._encoder = FilmEncoder(*self.size, self._sound.channels, self._request.codec)
        heads = heads_of(self._covers.at(frame.time), width / self._request.width)
        rgb = covered_frame(frame.rgb, heads, self._request.cover_colour)
        self._encoder.add(time, rgb)
        seen = heads_in(heads, (width, height), self.size)
        self.frames.append(EncodedFrame(frame.time, time, thumbnail_of(rgb), seen))
        return rgb

    def _poster_from(self, stated_seconds: float) -> float:
        """Second of the published film from which its next frame is the poster.

        ``stated_seconds`` is the length of the original, as its header states it.
        """
        kept = self._request.kept
        seconds = stated_seconds if kept is None else total_ms(kept) / 1000
        return poster_from(seconds)


def thumbnail_of(rgb: RGB) -> NDArray[np.uint8]:
    """Return a frame in grey, reduced to ``THUMBNAIL``: shape (36, 64)."""
    small = cv2.resize(rgb, THUMBNAIL, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
