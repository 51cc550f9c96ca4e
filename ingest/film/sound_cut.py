"""Place the sound of a film at its new times, without what is cut out or muted.

Samples are counted at ``RATE``. A millisecond has a whole number of them, so a cut and a muted part
begin and end at exactly one sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consent_gate.film.sound import MUTE_MARGIN_MS
from consent_gate.film.spans import Spans, milliseconds
from consent_gate.model import FilmSpan
from ingest.film.sound import RATE, Samples, as_int16

Published = NDArray[np.int16]
"""Shape (channels, samples)."""

PER_MS = RATE // 1000
PACKET = 1024
"""Samples of one packet of AAC. The encoder mixes each with its neighbours."""
SILENT_BELOW = 1e-4
"""Largest sample, 0-1, of a part that counts as silent: 80 dB below the loudest."""
BLOCK = 4800
"""Samples whose loudness is compared: a tenth of a second."""
LOUDER_AT_MOST = 1.5
LOUDER_BY = 0.02
"""A block may be louder than what was encoded by this factor and this much, 0-1."""
MAX_LENGTH_DIFFERENCE = 2 * PACKET
"""Samples by which the decoded sound may be longer or shorter."""


class SoundCutter:
    """Turns the samples of the original, in their order, into those that are published."""

    def __init__(self, kept: Spans | None, muted: Spans) -> None:
        """Keep the spans.

        Args:
            kept: The parts of the film that stay; None for the whole film.
            muted: The parts that are silent, in milliseconds of the original.
        """
        self._kept = kept
        self._muted = tuple(_samples_of(span) for span in muted)
        self._until: int | None = None if kept is not None else 1 << 62
        self._span: FilmSpan | None = None
        self._place = self._length = 0
        self.expected = ExpectedSound()

    def pieces(self, samples: Samples, frame: tuple[float, float] | None) -> Iterator[Published]:
        """Yield what is published of the samples before a judged frame.

        Args:
            samples: What is published of the original, from the last judged frame to this one:
                shape (1 or 2, samples), -1 to 1.
            frame: Time of the frame in the original and in the published film, in seconds. None for
                a frame that does not stay, and after the last one.
        """
        begin, self._place = self._place, self._place + samples.shape[1]
        if self._until is not None:
            stays = samples[:, : max(0, self._until - begin)]
            yield self._published(stays, begin)
            if self._place >= self._until:
                self._until = None
        if self._kept is None or frame is None:
            return
        at = milliseconds(frame[0])
        span = next(span for span in self._kept if span.from_ms <= at < span.to_ms)
        if span is self._span:
            return
        missing = max(0, round(frame[1] * RATE) - self._length)
        yield self._published(np.zeros((samples.shape[0], missing), np.float32), None)
        self._span, self._until = span, span.to_ms * PER_MS

    def _published(self, samples: Samples, begin: int | None) -> Published:
        """The samples with the muted parts silent; ``begin`` is their place in the original."""
        published = as_int16(samples)
        for first, last in self._muted if begin is not None else ():
            left, right = max(first - (begin or 0), 0), max(last - (begin or 0), 0)
            published[:, left:right] = 0
            from_ = min(left, published.shape[1])
            until = min(right, published.shape[1])
            self.expected.note_silence(self._length + from_, self._length + until)
        self._length += published.shape[1]
        self.expected.add(published)
        return published


@dataclass
class _Loudness:
    """The square of the samples of whole blocks, summed up."""

    blocks: list[float]
    rest: NDArray[np.float32]

    def add(self, power: NDArray[np.float32]) -> None:
        """Add the squares of samples, summed over the channels."""
        power = np.concatenate([self.rest, power])
        whole = len(power) // BLOCK * BLOCK
        self.blocks += [float(value) for value in power[:whole].reshape(-1, BLOCK).mean(axis=1)]
        self.rest = power[whole:]


def _nothing() -> _Loudness:
    return _Loudness([], np.zeros(0, np.float32))


class ExpectedSound:
    """What a person must hear of the finished film, and what nobody may hear."""

    def __init__(self) -> None:
        self._loudness = _nothing()
        self._silent: list[tuple[int, int]] = []
        self.samples = 0

    def add(self, published: Published) -> None:
        """Note samples that were given to the encoder."""
        self.samples += published.shape[1]
        self._loudness.add(_power(np.asarray(published / 32768, np.float32)))

    def note_silence(self, first: int, last: int) -> None:
        """Note that the samples between two places of the published sound are muted."""
        if first >= last:
            return
        if self._silent and first <= self._silent[-1][1]:
            first, last = self._silent[-1][0], max(last, self._silent[-1][1])
            self._silent.pop()
        self._silent.append((first, last))

    def is_heard(self, decoded: Iterator[Samples]) -> bool:
        """Return whether the decoded sound of the finished film is this sound.

        Args:
            decoded: All its samples, in pieces of any length.
        """
        heard, place = _nothing(), 0
        for piece in decoded:
            if not self._is_silent_where_muted(piece, place):
                return False
            place += piece.shape[1]
            heard.add(_power(piece))
        if abs(place - self.samples) > MAX_LENGTH_DIFFERENCE:
            return False
        pairs = zip(heard.blocks, self._loudness.blocks, strict=False)
        return all(
            np.sqrt(now) <= LOUDER_AT_MOST * np.sqrt(given) + LOUDER_BY for now, given in pairs
        )

    def _is_silent_where_muted(self, piece: Samples, place: int) -> bool:
        """Whether no muted sample is heard, but for the packets at its edges."""
        for first, last in self._silent:
            begin = max(first + 2 * PACKET - place, 0)
            inside = piece[:, begin : max(last - 2 * PACKET - place, 0)]
            if inside.size and not float(np.abs(inside).max()) < SILENT_BELOW:
                return False
        return True


def _power(samples: Samples) -> NDArray[np.float32]:
    return np.asarray(np.square(samples).mean(axis=0), np.float32)


def _samples_of(span: FilmSpan) -> tuple[int, int]:
    """First and last place of a muted part with its margin."""
    first = max(span.from_ms - MUTE_MARGIN_MS, 0) * PER_MS
    return first, (span.to_ms + MUTE_MARGIN_MS) * PER_MS
