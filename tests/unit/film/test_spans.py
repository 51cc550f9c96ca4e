"""The arithmetic of cuts: what stays is what nobody cut, and no frame that shows a cut face."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.film.spans import (
    NewTimes,
    Spans,
    are_spans_of,
    is_cut_away,
    long_enough_spans,
    removed_spans,
    spans_within,
    spans_without,
    total_ms,
    whole_film,
)
from consent_gate.model import FilmSpan, Shown
from tests.support.film_spans import keeps_frame

SECONDS = 20.0
times = st.integers(0, 20_000)
parts = st.tuples(times, times).map(lambda pair: (min(pair), max(pair)))
cuts = st.lists(st.tuples(st.sampled_from(("only", "out")), parts), max_size=6)


def after(made: list[tuple[str, tuple[int, int]]]) -> Spans:
    spans = whole_film(SECONDS)
    for kind, part in made:
        change = spans_within if kind == "only" else spans_without
        spans = change(spans, *part)
    return spans


@given(cuts, times)
def test_a_moment_stays_exactly_where_no_cut_removes_it(
    made: list[tuple[str, tuple[int, int]]], at: int
) -> None:
    expected = all((a <= at < b) == (kind == "only") for kind, (a, b) in made)
    assert keeps_frame(after(made), at / 1000) is expected


@given(cuts)
def test_what_cuts_leave_fits_the_film(made: list[tuple[str, tuple[int, int]]]) -> None:
    left = long_enough_spans(after(made))
    assert are_spans_of(left, SECONDS) is bool(left)
    whole = total_ms(whole_film(SECONDS))
    assert total_ms(left) + total_ms(removed_spans(left, SECONDS)) == (whole)


@given(cuts, st.lists(times, min_size=3, max_size=60, unique=True).map(sorted), st.data())
def test_no_frame_stays_that_may_show_a_face_that_is_cut_away(
    made: list[tuple[str, tuple[int, int]]], frames: list[int], data: st.DataObject
) -> None:
    left = after(made)
    first = data.draw(st.integers(1, len(frames) - 2))
    last = data.draw(st.integers(first, len(frames) - 2))
    around = (frames[first - 1] / 1000, frames[last + 1] / 1000)
    shown = Shown(frames[first] / 1000, frames[last] / 1000, 0.0, maybe_s=around)
    stay = [n for n in range(first - 1, last + 2) if keeps_frame(left, frames[n] / 1000)]
    if is_cut_away(shown, left):
        assert stay == []
    before, behind = frames[first - 1], frames[last + 1]
    if all(span.to_ms <= before or span.from_ms > behind for span in left):
        assert is_cut_away(shown, left)


@given(cuts, st.lists(times, min_size=1, max_size=60, unique=True).map(sorted))
def test_the_frames_that_stay_keep_their_order_and_begin_at_zero(
    made: list[tuple[str, tuple[int, int]]], frames: list[int]
) -> None:
    left, new = after(made), NewTimes(after(made))
    given_times = [(at, new.time_of(at / 1000)) for at in frames]
    stay = [(at, time) for at, time in given_times if time is not None]
    assert [at for at, _ in stay] == [at for at in frames if keeps_frame(left, at / 1000)]
    published = [time for _, time in stay]
    assert not published or published[0] == pytest.approx(0)
    assert published == sorted(published)
    assert not stay or published[-1] <= total_ms(left) / 1000 + 0.025 * len(left)


def test_a_film_of_two_parts_has_the_length_of_both() -> None:
    new = NewTimes((FilmSpan(1000, 2000), FilmSpan(3000, 4000)))
    found = [new.time_of(n / 25) for n in range(125)]
    stay = [time for time in found if time is not None]
    assert len(stay) == 50
    assert stay == pytest.approx([n / 25 for n in range(50)])


def test_frames_that_are_closer_after_a_cut_than_frames_are_get_a_frames_distance() -> None:
    new = NewTimes((FilmSpan(0, 1001), FilmSpan(2000, 3000)))
    assert [new.time_of(at) for at in (0.0, 1.0, 2.0, 2.04)] == pytest.approx([0, 1, 1.025, 1.065])


@pytest.mark.parametrize(
    "spans",
    [
        (),
        [FilmSpan(0, 2000)],
        (FilmSpan(0, 499),),
        (FilmSpan(-1, 2000),),
        (FilmSpan(0, 20_002),),
        (FilmSpan(0, 2000), FilmSpan(2000, 4000)),
        (FilmSpan(3000, 4000), FilmSpan(0, 2000)),
        (FilmSpan(0.0, 2000.0),),  # type: ignore[arg-type]
        ((0, 2000),),
        tuple(FilmSpan(1000 * n, 1000 * n + 600) for n in range(101)),
    ],
)
def test_what_is_no_cut_of_this_film_does_not_fit(spans: tuple[FilmSpan, ...]) -> None:
    assert not are_spans_of(spans, 200.0 if len(spans) > 50 else SECONDS)
    assert are_spans_of((FilmSpan(0, 500),), SECONDS)
    assert not are_spans_of((FilmSpan(0, 500),), float("nan"))
