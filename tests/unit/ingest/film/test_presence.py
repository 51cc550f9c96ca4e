"""The frames that may show a face are more than those in which it was found."""

from __future__ import annotations

import pytest

from ingest.film.presence import maybe_shown

TIMES = [n / 25 for n in range(250)]


def spans(
    found: tuple[float, float], scenes: tuple[float, ...] = (0.0,), *, followed: bool = True
) -> tuple[float, float]:
    return maybe_shown(TIMES, scenes, found, is_followed=followed)


def test_a_face_may_be_there_a_little_longer_than_it_is_found() -> None:
    assert spans((2.0, 3.0)) == pytest.approx((1.8, 3.2))


def test_a_scene_ends_the_time_but_for_one_frame() -> None:
    assert spans((2.0, 3.0), (0.0, 2.0, 3.04)) == pytest.approx((1.96, 3.04))
    assert spans((2.08, 3.0), (0.0, 2.0, 3.08)) == pytest.approx((2.0, 3.08))


def test_rare_frames_are_one_frame_at_least() -> None:
    found = maybe_shown([0.0, 2.0, 4.0, 6.0, 8.0], [0.0], (4.0, 4.0), is_followed=True)
    assert found == (2.0, 6.0)


def test_a_face_that_is_seldom_searched_for_may_be_there_for_seconds() -> None:
    assert spans((4.0, 5.0), (0.0, 4.0, 5.04), followed=False) == (0.0, 9.0)


@pytest.mark.parametrize("found", [(0.0, 9.96), (0.0, 0.0), (9.96, 9.96)])
def test_at_the_ends_of_the_film_it_reaches_beyond_them(found: tuple[float, float]) -> None:
    first, last = spans(found)
    assert first < found[0]
    assert found[1] < last
