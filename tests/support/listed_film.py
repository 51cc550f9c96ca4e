"""A film whose judged frames are given, without an encoder and a decoder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingest.faces.protocols import RGB
from ingest.film.facts import FilmFacts
from ingest.film.frames import FrameReader, JudgedFrame


class ListedFilm(FrameReader):
    """Reads frames from a list."""

    def __init__(self, frames: Sequence[RGB], times: Sequence[float]) -> None:
        super().__init__()
        self._pictures, self._times = frames, times
        height, width = frames[0].shape[:2]
        self.facts = FilmFacts(width, height, times[-1], ())

    def close(self) -> None:
        """Nothing is open."""

    def frames(self) -> Iterator[JudgedFrame]:
        for time, rgb in zip(self._times, self._pictures, strict=True):
            self.frames_decoded += 1
            yield self._judge(time, rgb)
        self.seconds = self._times[-1] + 0.04
