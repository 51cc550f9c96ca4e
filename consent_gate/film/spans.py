"""Which parts of a film stay after staff cut it: the arithmetic of its spans.

Times are whole milliseconds since the first frame. A judged frame stays if its time lies in a span:
at its beginning or later, and before its end. The functions depend on their arguments only.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from math import isfinite

from consent_gate.model import FilmSpan, Shown

Spans = tuple[FilmSpan, ...]

SHORTEST_MS = 500
"""Milliseconds of the shortest span that stays. Nobody can judge a shorter flash by watching it."""
MAX_SPANS = 100
SHORTEST_FRAME_S = 1 / 40
"""Seconds for which the last frame of a span is shown at least: judged frames are no closer."""


def milliseconds(seconds: float) -> int:
    """Return a time in whole milliseconds, the same for a time and for its rounded form."""
    return round(round(seconds, 3) * 1000)


def whole_film(seconds: float) -> Spans:
    """Return the one span of a film that is not cut, of a film of this length."""
    return (FilmSpan(0, milliseconds(seconds) + 1),)


def are_spans_of(spans: object, seconds: float) -> bool:
    """Return whether these are spans of a film of this length: in order, apart, none too short."""
    if not isinstance(spans, tuple) or not 1 <= len(spans) <= MAX_SPANS:
        return False
    for span in spans:
        if not isinstance(span, FilmSpan):
            return False
        if type(span.from_ms) is not int or type(span.to_ms) is not int:
            return False
        if span.from_ms < 0 or span.to_ms - span.from_ms < SHORTEST_MS:
            return False
    if not isfinite(seconds) or spans[-1].to_ms > milliseconds(seconds) + 1:
        return False
    return all(before.to_ms < after.from_ms for before, after in pairwise(spans))


def spans_within(spans: Iterable[FilmSpan], from_ms: int, to_ms: int) -> Spans:
    """Return what remains of the spans within a part of the film."""
    inside = (FilmSpan(max(s.from_ms, from_ms), min(s.to_ms, to_ms)) for s in spans)
    return tuple(span for span in inside if span.from_ms < span.to_ms)


def spans_without(spans: Iterable[FilmSpan], from_ms: int, to_ms: int) -> Spans:
    """Return what remains of the spans when a part of the film is cut out."""
    if from_ms >= to_ms:
        return tuple(spans)
    left: list[FilmSpan] = []
    for span in spans:
        left += [
            FilmSpan(span.from_ms, min(span.to_ms, from_ms)),
            FilmSpan(max(span.from_ms, to_ms), span.to_ms),
        ]
    return tuple(span for span in left if span.from_ms < span.to_ms)


def long_enough_spans(spans: Iterable[FilmSpan]) -> Spans:
    """Return the spans without those that are too short to stay."""
    return tuple(span for span in spans if span.to_ms - span.from_ms >= SHORTEST_MS)


def removed_spans(spans: Spans, seconds: float) -> Spans:
    """Return the parts of a film of this length that do not stay."""
    gone = whole_film(seconds)
    for span in spans:
        gone = spans_without(gone, span.from_ms, span.to_ms)
    return gone


def joined_spans(spans: Spans, from_ms: int, to_ms: int) -> Spans:
    """Return the spans with one more; those that overlap or touch become one."""
    joint: list[FilmSpan] = []
    for span in sorted((*spans, FilmSpan(from_ms, to_ms)), key=lambda span: span.from_ms):
        if joint and span.from_ms <= joint[-1].to_ms:
            joint[-1] = FilmSpan(joint[-1].from_ms, max(joint[-1].to_ms, span.to_ms))
        else:
            joint.append(span)
    return tuple(joint)


def total_ms(spans: Iterable[FilmSpan]) -> int:
    """Return how long the spans are together."""
    return sum(span.to_ms - span.from_ms for span in spans)


def is_cut_away(shown: Shown, spans: Iterable[FilmSpan]) -> bool:
    """Return whether no frame stays in which a face may be seen, nor one just before or after.

    False for a face of which it is not known in which frames it may be seen.
    """
    if shown.maybe_s is None:
        return False
    first, last = shown.maybe_s
    if not first < shown.from_s <= shown.to_s < last < float("inf") or not isfinite(first):
        return False
    first_ms, last_ms = milliseconds(first), milliseconds(last)
    return all(span.to_ms <= first_ms or span.from_ms > last_ms for span in spans)


class NewTimes:
    """Gives the frames that stay their times in the published film, one after another."""

    def __init__(self, spans: Spans | None) -> None:
        """Keep the spans; None keeps every frame at its time."""
        self._spans = spans
        self._span: FilmSpan | None = None
        self._shift = 0.0
        self._last = 0.0

    def time_of(self, seconds: float) -> float | None:
        """Return the new time of the next frame in seconds; None if it is cut away.

        The first frame that stays has the time 0. At a cut, the last frame before it is shown until
        the end of its span.
        """
        if self._spans is None:
            return seconds
        at = milliseconds(seconds)
        span = next((s for s in self._spans if s.from_ms <= at < s.to_ms), None)
        if span is None:
            return None
        if span != self._span:
            start = 0.0
            if self._span is not None:
                rest = self._span.to_ms / 1000 - self._shift - self._last
                start = self._last + max(rest, SHORTEST_FRAME_S)
            self._span, self._shift = span, seconds - start
        self._last = seconds - self._shift
        return self._last
