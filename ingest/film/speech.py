"""Find the parts of a film's sound in which somebody may speak, with the network of silero-vad.

Everything that a person might hear is searched: each channel of the file, the two channels that are
published, their sum and their difference, because speech in one of them may be hidden in another.
A loud sound counts as speech, because the network does not hear a voice in louder noise.
Each is searched as loud as it is and once more amplified, because whoever plays a film can make it
louder. One chunk that is a little like speech makes a part.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from consent_gate.errors import ModelUnavailable
from consent_gate.film.spans import Spans, joined_spans
from consent_gate.model import FilmSpan
from ingest.faces.detectors.onnx import session
from ingest.faces.weights import SPEECH, locate
from ingest.film.sound import RATE, Samples

CHUNK = 512
"""Samples that the network takes at once."""
CONTEXT = 64
"""Samples of the chunk before that it takes with them."""
SPEECH_RATE = 16_000
"""Samples a second of what the network takes."""
SPEECH_FROM = 0.2
"""Output of the network, 0-1, from which somebody may speak. The authors' own limit is 0.5."""
HIDES_FROM = 0.01
"""Root mean square, 40 dB below full scale, from which any sound may hide somebody who speaks. The
network found 14 of 30 voices in noise 5 dB louder, and all in noise as loud (docs/adr/0026)."""
AROUND_MS = 400
"""Milliseconds before and after speech that belong to its part."""
APART_MS = 600
"""Parts that lie closer than this are one part."""
MAX_PARTS = 300
"""Sound with more parts counts as one part: nobody listens to so many."""

LOUD = 0.05
"""Root mean square to which a signal is amplified."""
SILENT = 3e-5
"""Root mean square below which a signal is not amplified more: half a step of 16 bits."""
FALL = 0.98
"""Share of its level that a signal keeps for each chunk: it is halved in a second."""

_STEP = RATE // SPEECH_RATE
_TAPS = 61
_CUTOFF = 7200
"""Hertz above which the filter lets little through, so that one sample in three can be kept."""


def _low_pass() -> NDArray[np.float32]:
    """Return a windowed sinc: the same as ``scipy.signal.firwin(_TAPS, _CUTOFF, fs=RATE)``.

    The import of ``scipy.signal`` takes 1.5 s in each process of the program.
    """
    ratio = 2 * _CUTOFF / RATE
    taps = np.sinc(ratio * (np.arange(_TAPS) - (_TAPS - 1) / 2)) * np.hamming(_TAPS)
    return np.asarray(taps / taps.sum(), np.float32)


_FILTER = _low_pass()


class SpeechFinder:
    """The network. It keeps no state between two films.

    Raises:
        ModelUnavailable: The weight file is missing or is not the one that was measured.
    """

    def __init__(self) -> None:
        self._session = session(locate(SPEECH).read_bytes())

    def likeness(
        self, chunks: NDArray[np.float32], state: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return how much each signal is like speech, 0-1, and the state for the next chunk.

        Args:
            chunks: Shape (signals, ``CONTEXT + CHUNK``).
            state: Shape (2, signals, 128); zeros for the first chunk.
        """
        inputs = {"input": chunks, "state": state, "sr": np.array(SPEECH_RATE, np.int64)}
        like, after = self._session.run(None, inputs)
        return np.asarray(like[:, 0], np.float32), np.asarray(after, np.float32)


def speech_finder() -> SpeechFinder | None:
    """Return the network; None where its weights are not installed."""
    try:
        return SpeechFinder()
    except ModelUnavailable:
        return None


class SpeechWatch:
    """Searches the sound of one film, piece by piece."""

    def __init__(self, finder: SpeechFinder) -> None:
        self._finder = finder
        self._rest = np.zeros((0, 0), np.float32)
        self._chunks = 0
        self._spans: Spans = ()
        self._is_begun = False

    def add(self, samples: Samples, mixed: Samples) -> None:
        """Search the next samples of the film, and of what is published of them."""
        signals = _signals(samples, mixed)
        if not self._is_begun:
            self._begin(len(signals))
        self._rest = np.concatenate([self._rest, signals], axis=1)
        self._search_all()

    def finish(self) -> Spans | None:
        """Return the parts in which somebody may speak; None if that is anywhere."""
        if self._is_begun:
            # The last chunk is filled with silence.
            count = self._rest.shape[0]
            self._rest = np.concatenate(
                [self._rest, np.zeros((count, _TAPS + CHUNK * _STEP), np.float32)], axis=1
            )
            self._search_all()
        return self._spans if len(self._spans) <= MAX_PARTS else None

    def _begin(self, count: int) -> None:
        self._is_begun = True
        self._rest = np.zeros((count, _TAPS - 1), np.float32)
        self._before = np.zeros((2 * count, CONTEXT), np.float32)
        self._state = np.zeros((2, 2 * count, 128), np.float32)
        self._level = np.full((count, 1), SILENT, np.float32)

    def _search_all(self) -> None:
        """Search every whole chunk of the samples that wait."""
        history, length = _TAPS - 1, CHUNK * _STEP
        start = 0
        while start + history + length <= self._rest.shape[1]:
            self._search(self._rest[:, start : start + history + length])
            start += length
        self._rest = self._rest[:, start:]

    def _search(self, piece: Samples) -> None:
        low = sliding_window_view(piece, _TAPS, axis=1)[:, ::_STEP] @ _FILTER
        loudness = np.sqrt(np.mean(np.square(low), axis=1, keepdims=True))
        self._level = np.maximum(np.maximum(loudness, self._level * FALL), SILENT)
        amplified = np.clip(low * (LOUD / self._level), -1, 1)
        chunk = np.concatenate([low, amplified]).astype(np.float32)
        inputs = np.concatenate([self._before, chunk], axis=1)
        self._before = chunk[:, -CONTEXT:]
        like, self._state = self._finder.likeness(inputs, self._state)
        # A comparison with "not a number" must count as speech.
        if not ((like < SPEECH_FROM).all() and (loudness < HIDES_FROM).all()):
            self._note()
        self._chunks += 1

    def _note(self) -> None:
        begin = self._chunks * CHUNK * 1000 // SPEECH_RATE - AROUND_MS
        end = (self._chunks + 1) * CHUNK * 1000 // SPEECH_RATE + AROUND_MS
        if self._spans and begin <= self._spans[-1].to_ms + APART_MS:
            self._spans = (*self._spans[:-1], FilmSpan(self._spans[-1].from_ms, end))
        elif len(self._spans) <= MAX_PARTS:
            self._spans = joined_spans(self._spans, max(begin, 0), end)


def _signals(samples: Samples, mixed: Samples) -> Samples:
    """Every signal that is searched: shape (signals, samples)."""
    if len(samples) == 1:
        return samples
    both = np.stack([(mixed[0] + mixed[1]) / 2, (mixed[0] - mixed[1]) / 2])
    own = [samples] if len(samples) > 2 else []
    return np.concatenate([*own, mixed, both])
