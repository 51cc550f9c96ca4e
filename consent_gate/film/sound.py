"""To which parts of a film's sound somebody still has to listen.

The functions depend on their arguments only. Times are whole milliseconds since the first frame.
"""

from __future__ import annotations

from itertools import pairwise

from consent_gate.film.spans import Spans, spans_within, spans_without, whole_film
from consent_gate.model import Film, FilmSpan, SoundReview

MUTE_MARGIN_MS = 100
"""Milliseconds of silence before and after each muted part. A word begins before it is heard."""


def has_sound(film: Film) -> bool:
    """Return whether the file of a film has a stream of sound."""
    return any(stream.partition(" ")[0] == "audio" for stream in film.streams)


def spoken_parts(film: Film) -> Spans:
    """Return the parts of a film in which somebody may speak.

    It is the whole film where the sound was not checked, and where the record of it is damaged.
    """
    if not has_sound(film):
        return ()
    if film.sound is None or film.sound.speech is None or not _are_spans(film.sound.speech):
        return whole_film(film.seconds)
    return film.sound.speech


def unheard_parts(film: Film, review: SoundReview, kept: Spans | None) -> Spans:
    """Return the parts in which somebody may speak that nobody has heard or muted.

    Args:
        film: The film.
        review: What staff said about this sound.
        kept: The parts of the film that stay; None for the whole film.
    """
    left = spoken_parts(film)
    for span in (*review.heard, *review.muted):
        left = spans_without(left, span.from_ms, span.to_ms)
    if kept is None:
        return left
    return tuple(part for stays in kept for part in spans_within(left, *_ends(stays)))


def _ends(span: FilmSpan) -> tuple[int, int]:
    return span.from_ms, span.to_ms


def _are_spans(spans: object) -> bool:
    """Whether these are parts of a film, in order and apart."""
    if not isinstance(spans, tuple) or not all(isinstance(span, FilmSpan) for span in spans):
        return False
    times = [time for span in spans for time in _ends(span)]
    if not all(type(time) is int for time in times):
        return False
    return all(a < b for a, b in pairwise(times)) and (not times or times[0] >= 0)
