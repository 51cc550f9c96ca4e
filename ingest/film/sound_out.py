"""The sound of one film on its way out: decoded, cut, muted, and compared with what was heard."""

from __future__ import annotations

import io
from collections.abc import Iterator

from ingest.film.libav import SeekableFile
from ingest.film.sound import Samples, SoundDigest, SoundReader, SoundUnusable
from ingest.film.sound_cut import Published, SoundCutter
from publish.renditions.rendition import FilmRequest

PIECE_SECONDS = 1.0
"""The finished sound is decoded in pieces of this length."""


class OutgoingSound:
    """Reads the sound of the original beside its frames. Of a silent film it reads nothing."""

    def __init__(self, file: SeekableFile, request: FilmRequest) -> None:
        """``file`` is the original, which nobody else may read through."""
        self._file = file
        self._wanted = request.sound
        self._reader: SoundReader | None = None
        muted = request.sound.muted if request.sound is not None else ()
        self._cutter = SoundCutter(request.kept, muted)
        self._digest = SoundDigest()

    @property
    def channels(self) -> int:
        """Channels of the published sound; 0 for a silent film, and before the first frame."""
        return self._reader.channels if self._reader is not None else 0

    def before(
        self, first: float, until: float, frame: tuple[float, float] | None
    ) -> Iterator[Published]:
        """Yield what is published of the sound since the last call.

        Args:
            first: Time of the first judged frame in the file, in seconds.
            until: Seconds since then at which the next judged frame is shown.
            frame: As for ``SoundCutter.pieces``.

        Raises:
            SoundUnusable: The sound cannot be decoded completely.
        """
        if self._wanted is None:
            return
        if self._reader is None:
            self._reader = SoundReader(self._file, first)
        mixed = self._reader.mixed(self._reader.read_until(until))
        self._digest.add(mixed)
        yield from self._cutter.pieces(mixed, frame)

    def is_judged(self) -> bool:
        """Whether the whole sound is what staff heard; True for a silent film."""
        if self._wanted is None:
            return True
        return self._digest.hexdigest(self.channels) == self._wanted.sha256

    def is_heard_in(self, film: bytes, channels: int, samples: int) -> bool:
        """Whether the finished film has this sound: silent where it is muted, and no longer.

        Args:
            film: The finished film.
            channels: Of its sound, by its boxes; 0 for a silent film.
            samples: Of its sound, by its boxes.
        """
        if channels != self.channels or (samples == 0) != (channels == 0):
            return False
        if not channels:
            return True
        try:
            return self._cutter.expected.is_heard(_all_pieces(film))
        except SoundUnusable:
            return False

    def close(self) -> None:
        """Close the original."""
        if self._reader is not None:
            self._reader.close()


def _all_pieces(film: bytes) -> Iterator[Samples]:
    """All samples of a finished film."""
    reader = SoundReader(io.BytesIO(film), 0.0)
    try:
        until = PIECE_SECONDS
        while (piece := reader.read_until(until)).shape[1]:
            yield piece
            until += PIECE_SECONDS
    finally:
        reader.close()
