"""A cover holds the face at each moment of its track, and where it may be before and after."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from consent_gate.model import Box, Colour, Shown
from ingest.film.covers import BEFORE_AND_AFTER_SECONDS, Covers, Place
from ingest.film.fill import are_filled, covered_frame, heads_in, heads_of
from publish.rendering.heads import head_of
from tests.support.images import COVER_FILLS

Point = tuple[float, int, int, int, int]
points = st.lists(
    st.tuples(st.integers(1, 400), st.integers(0, 900), st.integers(0, 500), st.integers(20, 200)),
    min_size=1,
    max_size=12,
)


def track_of(*path: Point) -> Shown:
    return Shown(path[0][0], path[-1][0], path[0][0], tuple(path), is_followed=True)


def walk(first: float, last: float, speed: float = 0.0, x: float = 100) -> Shown:
    """A face of 40 px that moves to the right by so many pixels a second."""
    times = [first + n / 10 for n in range(round((last - first) * 10) + 1)]
    return track_of(*((t, round(x + speed * (t - first)), 100, 40, 40) for t in times))


def holds(covers: tuple[Place, ...], box: Place) -> bool:
    return any(
        x <= box[0] and y <= box[1] and x + w >= box[0] + box[2] and y + h >= box[1] + box[3]
        for x, y, w, h in covers
    )


@given(points, st.floats(0, 1))
def test_at_each_moment_the_whole_face_is_covered_wherever_it_moved(
    steps: list[tuple[int, int, int, int]], share: float
) -> None:
    at, path = 0, []
    for gap, x, y, side in steps:
        at += gap
        path.append((at / 1000, x, y, side, side))
    track = track_of(*path)
    time = track.from_s + share * (track.to_s - track.from_s)
    covers = Covers([track], [0.0]).at(time)
    for before, after in pairwise(path):
        if before[0] <= time <= after[0]:
            assert holds(covers, before[1:])  # it may still be there
            assert holds(covers, after[1:])  # or be there already
    assert len(covers) == 1


def test_a_cover_begins_before_the_face_is_found_and_goes_on_where_it_was_going() -> None:
    covers = Covers([walk(2.0, 3.0, speed=200)], [0.0])
    assert holds(covers.at(1.6), (100 - 80, 100, 40, 40))
    assert holds(covers.at(3.4), (300 + 80, 100, 40, 40))
    assert holds(covers.at(3.4), (300, 100, 40, 40))  # it may have stopped
    for beyond in (2.0 - BEFORE_AND_AFTER_SECONDS - 0.01, 3.0 + BEFORE_AND_AFTER_SECONDS + 0.01):
        assert covers.at(beyond) == ()


def test_it_ends_soon_after_the_scene() -> None:
    covers = Covers([walk(2.0, 3.0)], [0.0, 2.0, 3.04])
    assert covers.at(3.1)
    assert covers.at(1.9)
    assert covers.at(3.2) == covers.at(1.8) == ()


def test_a_face_in_one_frame_is_covered_around_it() -> None:
    covers = Covers([track_of((2.0, 100, 100, 40, 40))], [0.0])
    assert all(holds(covers.at(time), (100, 100, 40, 40)) for time in (1.6, 2.0, 2.4))


def test_two_covered_tracks_of_one_head_are_joined() -> None:
    pair = [walk(1.0, 2.0), walk(3.5, 5.0, x=120)]
    assert holds(Covers(pair, [0.0]).at(2.75), (100, 100, 40, 40))
    assert holds(Covers(pair, [0.0]).at(2.75), (120, 100, 40, 40))
    assert Covers(pair, [0.0, 2.5]).at(2.75) == ()  # another scene
    assert Covers([pair[0], walk(3.5, 5.0, x=300)], [0.0]).at(2.75) == ()  # another place
    assert Covers([pair[0], walk(4.5, 5.0)], [0.0]).at(3.0) == ()  # too long after


@given(
    st.integers(20, 200),
    st.integers(20, 200),
    st.floats(-BEFORE_AND_AFTER_SECONDS, BEFORE_AND_AFTER_SECONDS),
)
def test_a_cover_hides_hair_and_ears_and_the_back_of_a_turned_head(
    width: int, height: int, moment: float
) -> None:
    (cover,) = Covers([track_of((2.0, 300, 300, width, height))], [0.0]).at(2.0 + moment)
    turned = head_of(Box(300, 300, width, height))
    left, top = turned.x + 1, turned.y + 1  # a head is rounded outwards
    assert holds((cover,), (left, top, turned.width - 2, turned.height - 2))


def test_a_track_without_a_place_covers_nothing() -> None:
    assert Covers([Shown(1.0, 2.0, 1.0)], [0.0]).at(1.5) == ()


def picture() -> NDArray[np.uint8]:
    """A frame with soft colours and a face-like pattern at 20, 20."""
    rows, columns = np.mgrid[0:200, 0:300]
    rgb = np.stack([rows, columns // 2, 200 - rows], axis=2).astype(np.uint8)
    rgb[20:61, 20:61] = np.where(((rows + columns) % 8 < 4)[20:61, 20:61, None], 250, 10)
    return rgb


@pytest.mark.parametrize("fill", COVER_FILLS)
def test_heads_are_filled_in_whole_pixels_and_checked_in_the_size_that_is_published(
    fill: Colour | None,
) -> None:
    rgb = picture()
    heads = heads_of([(20.5, 20.5, 121.0, 121.0)], 0.5)
    assert heads == (Box(10, 10, 61, 61),)
    filled = covered_frame(rgb, heads, fill)
    assert fill is None or (filled[10:71, 10:71] == fill).all()
    assert covered_frame(rgb, (), fill) is rgb
    (head,) = heads_in(heads, (300, 200), (150, 100))
    assert are_filled(filled[::2, ::2], [head], fill)
    assert not are_filled(rgb[::2, ::2], [head], fill)
    assert head == Box(5, 5, 30, 30)


@pytest.mark.parametrize("fill", COVER_FILLS)
def test_a_face_that_is_seen_in_the_middle_of_a_cover_is_not_outweighed_by_the_rest(
    fill: Colour | None,
) -> None:
    rgb = picture()
    face, head = np.s_[20:61, 20:61], Box(0, 0, 100, 100)
    open_face = covered_frame(rgb, [head], fill)
    assert are_filled(open_face, [head], fill)
    open_face[face] = rgb[face] // 4 + open_face[face] // 4 * 3
    assert not are_filled(open_face, [head], fill)


@pytest.mark.parametrize("fill", COVER_FILLS)
@pytest.mark.parametrize("shift", [20, 30])
def test_a_cover_that_is_not_where_the_face_was_is_seen(shift: int, fill: Colour | None) -> None:
    moved = covered_frame(picture(), [Box(20 + shift, 20, 40, 40)], fill)
    (head,) = heads_in([Box(20, 20, 40, 40)], (300, 200), (300, 200))
    assert not are_filled(moved, [head], fill)
