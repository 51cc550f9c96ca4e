"""Examine films with drawn people: a face is a square, and its colour is the person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import cv2
import numpy as np
import pytest

from consent_gate.model import (
    Ambiguous,
    Box,
    FaceEvidence,
    FaceKind,
    Match,
    NotMatched,
    Quality,
    Reason,
    Shown,
    Unknown,
)
from ingest.faces.protocols import RGB
from ingest.film import examine
from ingest.film.examine import FilmResult
from ingest.film.record import MAX_RECORD_BYTES, record_bytes
from ingest.film.staff_view import TILE, unpacked
from ingest.workers import answers
from tests.support.drawn_people import (
    ANN,
    BEN,
    STRANGER,
    DrawnAnalyser,
    DrawnDetector,
    DrawnFinder,
    drawn_film,
    examine_drawn,
    person_at,
    scene,
)
from tests.support.films import make_film

pytestmark = pytest.mark.costly


def run(frames: Iterable[RGB], **models: Any) -> FilmResult:
    return examine_drawn(drawn_film(frames), **models)


def pupils(result: FilmResult) -> list[str | None]:
    return [f.identity.pupil if isinstance(f.identity, Match) else None for f in result.faces]


def test_a_person_who_walks_through_is_one_face_with_its_time_and_path() -> None:
    result = run(scene((ANN, 20 + 4 * n, 100)) for n in range(50))
    (face,) = result.faces
    assert pupils(result) == ["000001"]
    assert face.shown is not None
    assert face.shown.from_s == 0
    assert face.shown.to_s == pytest.approx(1.96, abs=0.01)
    assert abs(face.shown.path[-1][1] - (20 + 4 * 49)) < 6
    assert result.film.frames == 50


def test_a_face_has_the_times_of_the_frames_around_it_and_each_scene_its_beginning() -> None:
    """A film may be cut there, and nowhere nearer to the face."""
    frames = [scene()] * 30 + [scene((ANN, 20, 100))] * 20 + [scene()] * 10 + [scene(grey=30)] * 10
    result = run(frames)
    (face,) = result.faces
    assert face.shown is not None
    assert face.shown.maybe_s == pytest.approx((1.0, 2.16))
    assert result.film.scene_starts == pytest.approx((0, 2.4))


def test_a_face_that_the_scout_never_sees_may_be_there_for_seconds() -> None:
    frames = [scene()] * 20 + [scene((ANN, 20, 100))] * 10 + [scene()] * 30
    (face,) = run(frames, scout=DrawnDetector("yunet", score=0)).faces
    assert face.shown is not None
    assert face.shown.maybe_s == pytest.approx((0.8 - 4.0, 0.8 + 4.0))


def test_the_scout_looks_at_every_frame_and_the_ensemble_once_a_second() -> None:
    scout, finder = DrawnDetector("yunet"), DrawnFinder()
    result = run((scene((ANN, 20 + 2 * n, 100)) for n in range(80)), scout=scout, finder=finder)
    assert scout.calls >= 80
    assert finder.calls == result.film.ensemble_frames == 5  # and the last frame


def test_a_picture_that_is_repeated_is_searched_once() -> None:
    frames = [scene((ANN, 100, 100))] * 20 + [scene((ANN, 100, 100), (STRANGER, 200, 60))] * 60
    scout, finder = DrawnDetector("yunet"), DrawnFinder()
    film = make_film(frames, options={"qp": "0"})
    result = examine_drawn(film, scout=scout, finder=finder)
    assert pupils(result) == ["000001", None]
    assert [face.shown.from_s for face in result.faces if face.shown] == [0, 0.8]
    assert scout.calls < 20
    assert finder.calls == 2 < result.film.ensemble_frames


def test_a_stranger_in_one_frame_is_seen() -> None:
    frames = [scene((ANN, 20, 100))] * 30
    frames[17] = scene((ANN, 20, 100), (STRANGER, 200, 100))
    result = run(frames)
    assert pupils(result) == ["000001", None]
    assert isinstance(result.faces[1].identity, Unknown)


def test_a_stranger_in_one_frame_that_only_the_scout_sees_is_a_possible_face() -> None:
    frames = [scene((ANN, 20, 100))] * 30
    frames[17] = scene((ANN, 20, 100), (STRANGER, 200, 100))
    blind = DrawnDetector("centerface", score=0)
    result = run(frames, second=blind, finder=DrawnFinder(sees=False))
    assert [face.kind for face in result.faces] == [FaceKind.POSSIBLE, FaceKind.POSSIBLE]


def test_a_face_that_only_the_ensemble_sees_is_a_face() -> None:
    blind = DrawnDetector("yunet", score=0)
    result = run([scene((STRANGER, 100, 100))] * 30, scout=blind)
    assert [face.kind for face in result.faces] == [FaceKind.FACE]


def test_a_cut_to_another_person_at_the_same_place_is_two_faces() -> None:
    frames = [scene((ANN, 100, 100))] * 25 + [scene((BEN, 100, 100), grey=60)] * 25
    result = run(frames)
    assert pupils(result) == ["000001", "000002"]
    assert result.film.scenes == 2
    assert result.faces[0].shown is not None
    assert result.faces[1].shown is not None
    assert not result.faces[0].shown.shares_moment_with(result.faces[1].shown)


def test_a_track_that_changes_the_person_is_split_and_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The cut is not seen, and both people look alike to the tracker."""
    monkeypatch.setattr("ingest.film.scenes.is_cut", lambda *_: False)
    frames = [scene((ANN, 100, 100))] * 50 + [scene((BEN, 100, 100))] * 50
    result = run(frames)
    assert len(result.faces) == 2
    assert all(isinstance(face.identity, Ambiguous) for face in result.faces)
    assert set(result.faces[0].identity.pupils) == {"000001", "000002"}  # type: ignore[union-attr]
    first, second = (face.shown for face in result.faces)
    assert first is not None
    assert second is not None
    assert first.maybe_s is not None
    assert second.maybe_s is not None
    assert first.maybe_s[1] > second.from_s  # nobody knows where the one ends and the other begins
    assert second.maybe_s[0] < first.to_s


def test_a_face_that_stays_too_poor_for_seconds_is_held() -> None:
    looks = iter([False] * 3 + [True] * 100)
    analyser = DrawnAnalyser(is_poor=lambda: next(looks))
    (face,) = run([scene((ANN, 100, 100))] * 150, analyser=analyser).faces
    assert face.identity == NotMatched(
        Reason.LOW_QUALITY_FACE, "the face cannot be recognised for several seconds"
    )


def test_a_face_cut_by_the_edge_is_not_compared() -> None:
    (face,) = run([scene((ANN, 290, 100))] * 10, finder=DrawnFinder()).faces
    assert isinstance(face.identity, NotMatched)
    assert face.identity.reason is Reason.LOW_QUALITY_FACE


def test_a_film_without_people_has_no_faces() -> None:
    assert run([scene()] * 5).faces == ()


def test_more_faces_than_can_be_followed_hold_the_film(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine, "MAX_LIVE_TRACKS", 1)
    with pytest.raises(examine.TooManyFaces):
        run([scene((ANN, 20, 100), (BEN, 200, 100))] * 3)


def test_faces_that_do_not_fit_into_an_answer_are_known_before() -> None:
    path = tuple((1234.567 + n, 1900, 1000, 1000, 1000) for n in range(100))
    shown = Shown(1234.567, 1334.567, 1300.123, path)
    quality = Quality(100, 123.456789012345, 0.123456789012345, 0.1, 123.456789012345, 0.123456789)
    face = FaceEvidence(
        Box(1900, 1000, 1000, 1000),
        0.123456789012345,
        FaceKind.FACE,
        NotMatched(Reason.LOW_QUALITY_FACE, "the face cannot be recognised for several seconds"),
        quality,
        shown,
    )
    assert len(answers.encode(True, [face] * 10)) < record_bytes([face] * 10)  # noqa: FBT003
    assert MAX_RECORD_BYTES < answers.MAX_DOCUMENT_BYTES


def tiles_of(result: FilmResult) -> list[tuple[int, int, int] | None]:
    """Who is in the middle of each tile of the strip; None for a grey one."""
    assert result.view is not None
    strip = cv2.imdecode(np.frombuffer(unpacked(result.view)[0], np.uint8), cv2.IMREAD_COLOR_RGB)
    assert strip is not None
    middle = Box(TILE // 3, TILE // 3, TILE // 3, TILE // 3)
    return [
        person_at(np.asarray(strip[:, n * TILE : (n + 1) * TILE], np.uint8), middle)
        for n in range(len(result.faces))
    ]


def test_each_tile_of_the_strip_shows_the_face_of_its_number() -> None:
    """Otherwise staff would name another person than the one whom they release."""
    frames = [scene((BEN, 200, 100))] * 10
    frames += [scene((BEN, 200, 100), (STRANGER, 20, 20), (ANN, 20, 150))] * 10
    result = run([*frames, *([scene((ANN, 100, 100), grey=30)] * 10)])
    expected = {"000001": ANN, "000002": BEN, None: STRANGER}
    assert len(result.faces) == 4
    assert tiles_of(result) == [expected[number] for number in pupils(result)]
    assert result.film.is_viewable


def test_a_half_of_a_split_track_never_shows_the_other_halfs_face(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.film.scenes.is_cut", lambda *_: False)
    result = run([scene((ANN, 100, 100))] * 40 + [scene((BEN, 100, 100))] * 40)
    assert len(result.faces) == 2
    for face, tile in zip(result.faces, tiles_of(result), strict=True):
        assert face.shown is not None
        shown = ANN if face.shown.to_s < 1.6 else BEN
        assert tile in (shown, None)
