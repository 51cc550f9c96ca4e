"""Examine the sound of a film beside its frames: its digest, and where somebody may speak."""

from __future__ import annotations

import numpy as np

from consent_gate.film.spans import Spans
from consent_gate.model import Sound
from ingest.film.facts import FilmFacts
from ingest.film.libav import SeekableFile
from ingest.film.sound import Samples, SoundDigest, SoundReader, SoundUnusable, as_int16
from ingest.film.sound_cut import Published
from ingest.film.speech import SpeechFinder, SpeechWatch

NO_SAMPLES: Published = np.zeros((0, 0), np.int16)


class SoundExamination:
    """The sound of one film while its frames are examined. Nothing of it is kept."""

    def __init__(self, file: SeekableFile | None, finder: SpeechFinder | None) -> None:
        """Begin.

        Args:
            file: The film, which nobody else reads through this object. None: its sound is not
                examined.
            finder: Finds speech; None where its network is not installed: then the whole film
                counts as speech.
        """
        self._file = file
        self._watch = SpeechWatch(finder) if finder is not None else None
        self._reader: SoundReader | None = None
        self._digest = SoundDigest()
        self._is_usable = True

    @property
    def channels(self) -> int:
        """Channels of the sound that staff hear: 1 or 2; 0 where there is none."""
        return self._reader.channels if self._reader is not None else 0

    def until(self, first: float, seconds: float) -> Published:
        """Examine the sound since the last call. Returns it as staff hear it.

        Args:
            first: Time of the first judged frame in the file, in seconds.
            seconds: Seconds since then.
        """
        if self._file is None or not self._is_usable:
            return NO_SAMPLES
        try:
            if self._reader is None:
                self._reader = SoundReader(self._file, first)
            samples = self._reader.read_until(seconds)
            mixed = self._reader.mixed(samples)
        except SoundUnusable:
            self._is_usable = False
            return NO_SAMPLES
        self._digest.add(mixed)
        self._search(samples, mixed)
        return as_int16(mixed)

    def result(self, facts: FilmFacts) -> Sound | None:
        """Return what is recorded of the sound; None for a film without any, or not examined."""
        if self._file is None or not any(stream.kind == "audio" for stream in facts.streams):
            return None
        if not self._is_usable:
            return Sound("", None)
        return Sound(self._digest.hexdigest(self.channels), self._speech())

    def close(self) -> None:
        """Close the file."""
        if self._reader is not None:
            self._reader.close()

    def _search(self, samples: Samples, mixed: Samples) -> None:
        try:
            if self._watch is not None and samples.shape[1]:
                self._watch.add(samples, mixed)
        except (RuntimeError, ValueError):
            self._watch = None

    def _speech(self) -> Spans | None:
        try:
            return self._watch.finish() if self._watch is not None else None
        except (RuntimeError, ValueError):
            return None
