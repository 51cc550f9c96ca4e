"""Tracks: one face each, within one scene."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent_gate.model import FaceKind
from ingest.film.scenes import is_cut
from ingest.film.tracks import (
    MAX_GAP_SECONDS,
    PART_SECONDS,
    PATCH_SIDE,
    Patch,
    PathPoint,
    Place,
    Sighting,
    Step,
    Track,
    TrackLinker,
    likeness,
    links,
    overlap,
    path_between,
    place_at,
)

LANDMARKS = np.array([[3, 4], [7, 4], [5, 6], [3, 8], [7, 8]], np.float32)


def make_patch(seed: int) -> np.ndarray:
    patch = np.random.default_rng(seed).normal(size=(PATCH_SIDE, PATCH_SIDE))
    patch -= patch.mean()
    return np.asarray(patch / np.linalg.norm(patch), np.float32)


def make_sighting(
    place: Place = (100, 100, 50, 60), person: int = 1, **changes: object
) -> Sighting:
    values = {"by_ensemble": False, **changes}
    return Sighting(place, 0.9, LANDMARKS, make_patch(person), **values)  # type: ignore[arg-type]


def tracks_of(steps: list[Step]) -> set[int]:
    return {id(track) for step in steps for track, _ in step.seen}


def run(*frames: list[Sighting], cuts: tuple[int, ...] = (), spacing: float = 0.04) -> list[Step]:
    linker = TrackLinker()
    return [
        linker.step(spacing * number, sightings, cut=number in cuts)
        for number, sightings in enumerate(frames)
    ]


def test_a_face_that_moves_a_little_is_one_track() -> None:
    steps = run(*([make_sighting((100 + 4 * n, 100, 50, 60))] for n in range(20)))
    assert len(tracks_of(steps)) == 1


def test_a_cut_ends_every_track_even_where_the_next_face_is_at_the_same_place() -> None:
    steps = run([make_sighting()], [make_sighting()], [make_sighting()], cuts=(2,))
    assert len(tracks_of(steps)) == 2
    assert len(steps[2].ended) == 1


def test_another_face_at_the_same_place_begins_a_track() -> None:
    assert len(tracks_of(run([make_sighting(person=1)], [make_sighting(person=2)]))) == 2


def test_a_face_beside_the_last_one_begins_a_track() -> None:
    assert len(tracks_of(run([make_sighting()], [make_sighting((135, 100, 50, 60))]))) == 2


def test_two_faces_never_become_one_track() -> None:
    left, right = (100, 100, 50, 60), (110, 100, 50, 60)
    steps = run([make_sighting(left)], [make_sighting(left), make_sighting(right)])
    assert len(tracks_of(steps)) == 2


def test_a_face_that_was_away_for_long_begins_a_track() -> None:
    absent: list[list[Sighting]] = [[] for _ in range(int(MAX_GAP_SECONDS / 0.04) + 2)]
    assert len(tracks_of(run([make_sighting()], *absent, [make_sighting()]))) == 2
    assert len(tracks_of(run([make_sighting()], [], [make_sighting()]))) == 1


def test_a_face_that_only_the_ensemble_sees_is_one_track_from_second_to_second() -> None:
    seen = make_sighting(by_ensemble=True, seen_by_scout=False, kind=FaceKind.FACE)
    steps = run([seen], *([[]] * 24), [seen])
    assert len(tracks_of(steps)) == 1
    assert steps[-1].seen[0][0].only_ensemble


def test_each_second_begins_a_part() -> None:
    steps = run(*([make_sighting()] for _ in range(76)))
    assert steps[-1].seen[0][0].part == int(75 * 0.04 / PART_SECONDS)


def test_frames_far_apart_are_parts_of_their_own() -> None:
    linker = TrackLinker()
    steps = [linker.step(0.08 * n, [make_sighting()], cut=False) for n in range(5)]
    assert [step.seen[0][0] for step in steps] == [steps[0].seen[0][0]] * 5
    assert steps[-1].seen[0][0].part == 4


def test_a_face_that_suddenly_looks_unlike_is_measured_by_itself() -> None:
    """Somebody else may be at the place for one frame."""
    one, other = make_patch(1), make_patch(2)
    other = other - one * float((one * other).sum())
    other = other / np.linalg.norm(other)
    for share, parts in ((0.75, 2), (0.95, 0)):
        patch = np.asarray(share * one + np.sqrt(1 - share**2) * other, np.float32)
        looks = [one, one, patch, one, one]
        steps = run(*([replace(make_sighting(), patch=look)] for look in looks))
        assert len(tracks_of(steps)) == 1
        assert steps[-1].seen[0][0].part == parts


def looks_of(*shares: float) -> list[Patch]:
    """Looks of which each has this correlation with the first one."""
    one, other = make_patch(1), make_patch(2)
    other = other - one * float((one * other).sum())
    other = other / np.linalg.norm(other)
    mixed = (share * one + np.sqrt(1 - share**2) * other for share in shares)
    return [np.asarray(look, np.float32) for look in mixed]


@pytest.mark.parametrize("at", [0, 1, 7, 18, 19])
@pytest.mark.parametrize("frames", [1, 3])
def test_a_lookalike_of_a_few_frames_is_measured_by_itself(at: int, frames: int) -> None:
    """A face that hardly moves changes less than by somebody who looks much alike."""
    shares = [0.82 if at <= n < at + frames else (1.0, 0.999)[n % 2] for n in range(20)]
    linker, numbers = TrackLinker(), []
    for n, look in enumerate(looks_of(*shares)):
        step = linker.step(0.04 * n, [replace(make_sighting(), patch=look)], cut=False)
        numbers.append(step.seen[0][0].part)
    lookalike, pupil = set(numbers[at : at + frames]), set(numbers[:at] + numbers[at + frames :])
    assert not lookalike & pupil


def test_a_face_that_moves_fast_all_the_time_has_few_parts() -> None:
    """Each change is as large as a lookalike's, and so none is sudden."""
    shares = [(1.0, 0.86)[n % 2] for n in range(25)]
    steps = run(*([replace(make_sighting(), patch=look)] for look in looks_of(*shares)))
    assert steps[-1].seen[0][0].part <= 8


def test_the_surest_word_of_the_ensemble_stays() -> None:
    words = [None, FaceKind.POSSIBLE, FaceKind.FACE, FaceKind.POSSIBLE, None]
    steps = run(*([make_sighting(kind=word, by_ensemble=word is not None)] for word in words))
    assert steps[-1].seen[0][0].kind is FaceKind.FACE


def test_a_large_difference_or_a_sudden_one_is_a_cut() -> None:
    assert is_cut(0.2, 0.1)
    assert is_cut(0.08, 0.01)
    assert not is_cut(0.08, 0.05)
    assert not is_cut(0.01, 0.0)


@given(
    st.lists(st.lists(st.integers(0, 12), max_size=4, unique=True), min_size=1, max_size=25),
    st.sets(st.integers(0, 25)),
)
def test_every_sighting_is_in_exactly_one_track_and_no_track_crosses_a_cut(
    frames: list[list[int]], cuts: set[int]
) -> None:
    shown = [[make_sighting((60 * slot, 0, 50, 60), person=slot) for slot in f] for f in frames]
    steps = run(*shown, cuts=tuple(cuts))
    spans: dict[int, list[int]] = {}
    for number, step in enumerate(steps):
        assert [id(s) for _, s in step.seen] == [id(s) for s in shown[number]]
        assert len({id(track) for track, _ in step.seen}) == len(step.seen)
        for track, _ in step.seen:
            spans.setdefault(id(track), []).append(number)
    for numbers in spans.values():
        assert not any(min(numbers) < cut <= max(numbers) for cut in cuts)


@given(
    st.lists(
        st.tuples(st.floats(-40, 40), st.floats(-40, 40), st.floats(20, 80)),
        min_size=1,
        max_size=30,
    )
)
def test_the_path_is_never_far_from_where_the_face_was(
    moves: list[tuple[float, float, float]],
) -> None:
    linker = TrackLinker()
    x = y = 200.0
    seen: list[tuple[float, Place, Track]] = []
    for number, (dx, dy, side) in enumerate(moves):
        x, y = x + dx / 4, y + dy / 4
        place = (x, y, side, side)
        step = linker.step(0.04 * number, [make_sighting(place)], cut=False)
        seen.append((0.04 * number, place, step.seen[0][0]))
    for time, place, track in seen:
        kept = place_at(track.path, time)
        assert kept is not None
        assert max(abs(a - b) for a, b in zip(kept, place, strict=True)) <= 0.35 * 80


def test_a_path_says_nothing_outside_its_time() -> None:
    path = [PathPoint(1.0, (0, 0, 10, 10)), PathPoint(2.0, (10, 0, 10, 10))]
    assert place_at(path, 0.9) is None
    assert place_at(path, 2.1) is None
    assert place_at(path, 1.5) == (5, 0, 10, 10)
    assert place_at([], 0) is None


def test_likeness_and_overlap() -> None:
    patch = make_patch(1)
    assert likeness(patch, patch) > 0.99
    assert likeness(patch, make_patch(2)) < 0.4
    assert overlap((0, 0, 10, 10), (0, 0, 10, 10)) == 1
    assert overlap((0, 0, 10, 10), (20, 0, 10, 10)) == 0
    assert overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0


def test_links_take_the_best_overlap_first() -> None:
    far, near = make_sighting((110, 100, 50, 60)), make_sighting((101, 100, 50, 60))
    track = Track(0, 0, make_sighting())
    assert links([track], [far, near]) == {1: track}


def test_a_part_of_a_path_reaches_to_the_next_point_on_either_side() -> None:
    path = [PathPoint(time, (time, 0.0, 1.0, 1.0)) for time in (0.0, 1.0, 2.0, 3.0)]
    for span, expected in (
        ((0.0, 3.0), [0, 1, 2, 3]),
        ((1.0, 2.0), [1, 2]),
        ((1.2, 1.7), [1, 2]),
        ((0.5, 2.5), [0, 1, 2, 3]),
        ((2.9, 3.0), [2, 3]),
        ((0.0, 0.0), [0]),
    ):
        assert [point.time for point in path_between(path, *span)] == expected
    assert path_between([], 0.0, 1.0) == []
