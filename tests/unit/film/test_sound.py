"""To which parts of a film somebody has to listen: to all where nothing is known."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent_gate.film.sound import spoken_parts, unheard_parts
from consent_gate.film.spans import Spans, joined_spans
from consent_gate.model import Film, FilmSpan, Sound, SoundReview
from tests.support.film_spans import keeps_frame

times = st.integers(0, 18).map(lambda half: 500 * half)
pairs_of_times = st.sets(times, min_size=2, max_size=2).map(sorted).map(tuple)
parts = st.lists(pairs_of_times, max_size=5)


def make_film(speech: Any = (), *, streams: tuple[str, ...] = ("video h264", "audio aac")) -> Film:
    return Film(9.0, 225, 0, 9, 2, streams, is_viewable=True, sound=Sound("5" * 64, speech))


def spans_of(pairs: list[tuple[int, int]]) -> Spans:
    spans: Spans = ()
    for pair in pairs:
        spans = joined_spans(spans, *pair)
    return spans


def moments(spans: Spans) -> set[int]:
    return {at for at in range(0, 9001, 500) if keeps_frame(spans, at / 1000)}


@settings(max_examples=60)
@given(parts)
def test_joined_parts_are_in_order_and_apart_and_lose_nothing(pairs: list[tuple[int, int]]) -> None:
    spans = spans_of(pairs)
    ends = [time for span in spans for time in (span.from_ms, span.to_ms)]
    assert ends == sorted(set(ends))
    assert moments(spans) == {
        at for at in range(0, 9001, 500) if any(a <= at < b for a, b in pairs)
    }


@settings(max_examples=60)
@given(parts, parts, parts, parts)
def test_a_moment_waits_if_somebody_speaks_and_nobody_heard_muted_or_cut_it(
    speech: list[tuple[int, int]],
    heard: list[tuple[int, int]],
    muted: list[tuple[int, int]],
    kept: list[tuple[int, int]],
) -> None:
    review = SoundReview("", "", heard=spans_of(heard), muted=spans_of(muted))
    stays = spans_of(kept)
    left = unheard_parts(make_film(spans_of(speech)), review, stays)
    done = moments(review.heard) | moments(review.muted)
    assert moments(left) == (moments(spans_of(speech)) - done) & moments(stays)


@pytest.mark.parametrize(
    "speech",
    [
        None,
        [],
        (FilmSpan(500, 400),),
        (FilmSpan(-5, 400),),
        (FilmSpan(0, 400), FilmSpan(300, 500)),
        (FilmSpan(0, 1.5),),  # type: ignore[arg-type]
        ("all",),
    ],
)
def test_speech_that_is_not_known_or_damaged_is_everywhere(speech: object) -> None:
    assert spoken_parts(make_film(speech)) == (FilmSpan(0, 9001),)
    examined_before = Film(9.0, 225, 0, 9, 2, ("video h264", "audio aac"), is_viewable=True)
    assert spoken_parts(examined_before) == (FilmSpan(0, 9001),)


def test_a_film_without_a_stream_of_sound_has_no_speech() -> None:
    assert spoken_parts(make_film(None, streams=("video h264", "data"))) == ()
    assert spoken_parts(make_film((), streams=("video h264", "audio"))) == ()
