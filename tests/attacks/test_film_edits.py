"""Staff cut a film, and cover faces in it: who is cut out or covered is in no frame that leaves.

If the gate cannot make sure of that, nothing leaves.

The people are drawn: a face is a square, and its colour is the person.
"""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from functools import cache

import cv2
import numpy as np
import pytest

from consent_gate.film.spans import milliseconds
from consent_gate.home.settings import default_settings
from consent_gate.model import (
    Examined,
    FilmEdit,
    FilmSpan,
    Reason,
    StaffInput,
    Tag,
    TagKind,
    Unknown,
    Verdict,
)
from consent_gate.publication import wanted_appearance
from ingest.faces.protocols import RGB, Detection
from ingest.film.covers import Covers
from ingest.film.decode import FilmReader
from ingest.film.finished import FilmSearchers
from ingest.film.libav import FilmLimits
from ingest.film.rendition import make_film
from publish.renditions.film_requests import film_request
from publish.renditions.rendition import Rendition, RenditionRefused
from tests.support.core_factories import (
    ANN as ANNS_NUMBER,
)
from tests.support.core_factories import (
    assert_held,
    assert_released,
    make_pupil,
    make_register,
    signed_input,
    website_verdict,
)
from tests.support.drawn_people import (
    ANN,
    SIDE,
    STRANGER,
    DrawnDetector,
    DrawnFinder,
    drawn_film,
    examine_drawn,
    found_in,
    scene,
    stored_evidence,
)

RATE = 25
SCHOOL = make_register(make_pupil(ANNS_NUMBER))


def examined(film: bytes) -> Examined:
    """The evidence of a film, as the gate stores it."""
    return stored_evidence(examine_drawn(film))


def cut_to(evidence: Examined, *parts: tuple[int, int]) -> StaffInput:
    spans = tuple(FilmSpan(*part) for part in parts)
    return signed_input(film_edit=FilmEdit(spans, evidence.pixels_sha256))


def verdict(evidence: Examined, staff: StaffInput) -> Verdict:
    return website_verdict(evidence, SCHOOL, staff)


def publish(film: bytes, evidence: Examined, staff: StaffInput) -> Rendition | RenditionRefused:
    """What the gate would write for the website, whatever the verdict."""
    appearance = wanted_appearance(evidence, staff)
    order = film_request(default_settings(), "website", evidence, appearance)
    searchers = FilmSearchers(DrawnDetector("yunet"), DrawnFinder())  # type: ignore[arg-type]
    return make_film(io.BytesIO(film), order, FilmLimits(), searchers)


def frames_of(made: Rendition | RenditionRefused) -> list[RGB]:
    """All frames of the published film, and its poster."""
    assert isinstance(made, Rendition), made
    assert made.film is not None
    with FilmReader(io.BytesIO(made.film.data), FilmLimits(min_spacing=0.0)) as reader:
        frames = [frame.rgb for frame in reader.frames()]
    poster = cv2.imdecode(np.frombuffer(made.data, np.uint8), cv2.IMREAD_COLOR_RGB)
    return [*frames, np.asarray(poster, np.uint8)]


def shows(rgb: RGB, colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(rgb.astype(np.int16) - colour).max(axis=2) < 80).sum() > 30)


def shows_stranger(rgb: RGB) -> bool:
    return shows(rgb, STRANGER)


def visit(first: int, last: int, count: int) -> list[RGB]:
    """Ann in all frames, and a stranger from the first to the last of these."""
    return [
        scene((ANN, 20, 100), (STRANGER, 150 + abs(n % 40 - 20), 60)) if first <= n <= last
        else scene((ANN, 20, 100))
        for n in range(count)
    ]  # fmt: skip


def stays_around(
    evidence: Examined, earlier: int = 0, later: int = 0
) -> tuple[tuple[int, int], tuple[int, int]]:
    """The two parts without the stranger: all frames that policy lets stay, or a few more."""
    strangers = [f.shown for f in evidence.faces if isinstance(f.identity, Unknown) and f.shown]
    spans = [shown.maybe_s for shown in strangers if shown.maybe_s]
    assert evidence.film is not None
    first = milliseconds(min(span[0] for span in spans))
    last = milliseconds(max(span[1] for span in spans))
    whole = milliseconds(evidence.film.seconds)
    return (0, first + later), (last + 1 - earlier, whole)


@cache
def visited() -> tuple[bytes, Examined]:
    """Three seconds, in the middle of which a stranger comes by."""
    film = drawn_film(visit(30, 40, 75))
    return film, examined(film)


def test_a_stranger_who_is_cut_out_is_in_no_frame_that_leaves() -> None:
    film, evidence = visited()
    assert_held(verdict(evidence, signed_input()), Reason.UNKNOWN_FACE)
    staff = cut_to(evidence, *stays_around(evidence))
    assert_released(verdict(evidence, staff))
    frames = frames_of(publish(film, evidence, staff))
    assert not any(map(shows_stranger, frames))
    assert all(len(found_in(frame)) == 1 for frame in frames)  # Ann is in each of them
    assert 50 <= len(frames) <= 56


@pytest.mark.parametrize(("earlier", "later"), [(1, 0), (0, 1)])
def test_a_cut_one_frame_too_short_is_held(earlier: int, later: int) -> None:
    _, evidence = visited()
    staff = cut_to(evidence, *stays_around(evidence, earlier, later))
    assert_held(verdict(evidence, staff), Reason.UNKNOWN_FACE)


def test_a_stranger_of_whom_frames_stay_is_found_in_the_finished_film() -> None:
    """Even if the rules had let it pass: the evidence says that the track ends early."""
    film, evidence = visited()
    wrong = tuple(
        face if face.shown is None or face.shown.from_s == 0
        else replace(face, shown=replace(face.shown, to_s=1.3, maybe_s=(1.0, 1.4)))
        for face in evidence.faces
    )  # fmt: skip
    lie = replace(evidence, faces=wrong)
    staff = cut_to(lie, *stays_around(lie))
    assert_released(verdict(lie, staff))
    refused = publish(film, lie, staff)
    assert isinstance(refused, RenditionRefused)
    assert refused.reason is Reason.POSSIBLE_FACE


def variable() -> list[Fraction]:
    """Some seconds: ten frames a second, then forty, then twenty-five."""
    steps = [Fraction(1, 10)] * 12 + [Fraction(1, 40)] * 25 + [Fraction(1, 25)] * 20
    return [sum(steps[:n], Fraction(0)) for n in range(len(steps))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "count", "visitor"),
    [
        ({"times": variable()}, 57, (18, 30)),
        ({"rotation": 90}, 50, (20, 27)),
        ({"rate": 50}, 100, (40, 50)),
    ],
    ids=["variable rate", "rotated", "50 a second"],
)
def test_the_same_holds_for_films_of_every_kind(
    how: dict[str, object], count: int, visitor: tuple[int, int]
) -> None:
    film = drawn_film(visit(*visitor, count), **how)
    evidence = examined(film)
    parts = stays_around(evidence)
    staff = cut_to(evidence, *parts)
    assert_released(verdict(evidence, staff))
    assert not any(map(shows_stranger, frames_of(publish(film, evidence, staff))))
    longer = cut_to(evidence, *stays_around(evidence, 0, 1))
    assert_held(verdict(evidence, longer), Reason.UNKNOWN_FACE)


def test_a_film_of_which_a_stranger_has_the_beginning_is_trimmed() -> None:
    film = drawn_film(visit(0, 10, 40))
    evidence = examined(film)
    for start, is_let in ((601, True), (600, False)):
        staff = cut_to(evidence, (start, 1600))
        if is_let:
            assert_released(verdict(evidence, staff))
            assert not any(map(shows_stranger, frames_of(publish(film, evidence, staff))))
        else:
            assert_held(verdict(evidence, staff), Reason.UNKNOWN_FACE)


class HalfBlind(DrawnDetector):
    """A scout that sees a stranger only as something at one moment, and other people well."""

    def __init__(self, frame: int) -> None:
        super().__init__("yunet")
        self._frame = frame

    def detect(self, rgb: RGB) -> list[Detection]:
        found, at = super().detect(rgb), self.calls - 1
        strangers = [d for d in found if d.x > 100]
        others = [d for d in found if d not in strangers]
        return others + [replace(d, score=0.35) for d in strangers if at == self._frame]


def test_a_stranger_whom_the_scout_hardly_sees_is_not_cut_away_by_one_moment() -> None:
    """All detectors see the face once; where it is before and after that, nobody knows."""
    film = drawn_film(visit(18, 33, 75))
    evidence = stored_evidence(examine_drawn(film, scout=HalfBlind(25)))
    (stranger,) = [f.shown for f in evidence.faces if isinstance(f.identity, Unknown)]
    assert stranger is not None
    assert stranger.from_s == stranger.to_s == 1.0
    assert_held(verdict(evidence, cut_to(evidence, (0, 799), (1201, 3000))), Reason.UNKNOWN_FACE)
    assert_held(verdict(evidence, cover_strangers(evidence)), Reason.UNKNOWN_FACE)


# --- covers ---

AWAY = (250, 250, 30)
"""The stranger with the face turned away, whom no detector finds."""


def three_scenes() -> list[RGB]:
    """Ann, and a stranger who turns away for some frames; runs through; is there for one frame."""
    ann = (ANN, 266, 186)
    walk = [((AWAY if 10 <= n <= 13 else STRANGER), 60 + 3 * n, 10) for n in range(24)]
    run = [(STRANGER, 20 * n, 10) for n in range(11)]
    glimpse = [(STRANGER, 100, 20)]
    return (
        [scene(ann, stranger) for stranger in walk]
        + [scene(ann, grey=40)] * 3
        + [scene(ann, stranger, grey=40) for stranger in run]
        + [scene(ann, grey=200)] * 6
        + [scene(ann, stranger, grey=200) for stranger in glimpse]
        + [scene(ann, grey=200)] * 8
    )


def cover_strangers(evidence: Examined) -> StaffInput:
    """Everybody who is not recognised is covered, and the film is approved."""
    unknown = (i for i, f in enumerate(evidence.faces) if isinstance(f.identity, Unknown))
    return signed_input({index: Tag(TagKind.BLURRED) for index in unknown})


@cache
def walked() -> tuple[bytes, Examined]:
    film = drawn_film(three_scenes())
    return film, examined(film)


def test_a_covered_stranger_is_in_no_frame_and_who_is_cleared_stays_to_be_seen() -> None:
    film, evidence = walked()
    staff = cover_strangers(evidence)
    assert len(staff.tags) >= 3
    assert_released(verdict(evidence, staff))
    frames = frames_of(publish(film, evidence, staff))
    assert not any(shows(frame, STRANGER) or shows(frame, AWAY) for frame in frames)
    assert all(shows(frame, ANN) for frame in frames)
    assert len(frames) == len(three_scenes()) + 1


def with_a_head(x: int, *, is_turned: bool) -> RGB:
    """Ann, and a stranger with hair and ears, and with the back of the head if turned."""
    above, beside = round(0.75 * SIDE), round(0.6 * SIDE)
    left = round(0.9 * SIDE) if is_turned else beside
    picture = scene((ANN, 266, 186))
    picture[60 - above : 60 + SIDE // 2, x - left : x + SIDE + beside] = AWAY
    picture[60 : 60 + SIDE, x : x + SIDE] = STRANGER
    return picture


def test_hair_ears_and_the_back_of_a_turned_head_are_in_no_frame_that_leaves() -> None:
    heads = [(90 + 2 * n, 8 <= n < 16) for n in range(24)]
    film = drawn_film([with_a_head(x, is_turned=is_turned) for x, is_turned in heads])
    evidence = examined(film)
    staff = cover_strangers(evidence)
    assert_released(verdict(evidence, staff))
    frames = frames_of(publish(film, evidence, staff))
    assert len(frames) == len(heads) + 1
    assert not any(shows(frame, STRANGER) or shows(frame, AWAY) for frame in frames)
    assert all(shows(frame, ANN) for frame in frames)


def test_each_track_of_a_stranger_has_to_be_covered() -> None:
    film, evidence = walked()
    whole = cover_strangers(evidence)
    for index in whole.tags:
        others = {i: tag for i, tag in whole.tags.items() if i != index}
        assert_held(verdict(evidence, replace(whole, tags=others)), Reason.UNKNOWN_FACE)
        # Even if the rules let it pass, the uncovered face is one that nobody judged.
    lie = replace(evidence, faces=tuple(f for i, f in enumerate(evidence.faces) if i != index))
    staff = cover_strangers(lie)
    assert_released(verdict(lie, staff))
    refused = publish(film, lie, staff)
    assert isinstance(refused, RenditionRefused)
    assert refused.reason is Reason.POSSIBLE_FACE


def late(self: Covers, time: float) -> tuple[tuple[float, float, float, float], ...]:
    """Covers that follow the face a third of a second too late."""
    return covers_at(self, time - 0.35)


covers_at = Covers.at


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("ingest.film.encode.Covers.at", late),
        ("ingest.film.encode.covered_frame", lambda rgb, *_: rgb),
        ("ingest.film.fill.redact", lambda rgb, _: np.ascontiguousarray(rgb[:, ::-1])),
    ],
    ids=["late", "not filled", "somewhere else"],
)
def test_a_cover_that_does_not_hide_the_face_is_found_out(
    monkeypatch: pytest.MonkeyPatch, name: str, wrong: object
) -> None:
    film, evidence = walked()
    staff = cover_strangers(evidence)
    monkeypatch.setattr(name, wrong)
    assert isinstance(publish(film, evidence, staff), RenditionRefused)


def test_a_stranger_is_covered_in_one_part_and_cut_out_of_another() -> None:
    film, evidence = walked()
    covered = cover_strangers(evidence)
    glimpse = max(covered.tags, key=lambda i: ((s := evidence.faces[i].shown) and s.from_s) or 0.0)
    tags = {i: tag for i, tag in covered.tags.items() if i != glimpse}
    staff = replace(covered, tags=tags, film_edit=cut_to(evidence, (0, 1500)).film_edit)
    assert_released(verdict(evidence, staff))
    frames = frames_of(publish(film, evidence, staff))
    assert not any(shows(frame, STRANGER) or shows(frame, AWAY) for frame in frames)
    assert len(frames) == 38 + 1


def uneven() -> list[Fraction]:
    """Between 12 and 40 frames a second."""
    steps = [Fraction(1, 12), Fraction(1, 40), Fraction(1, 30)] * 18
    return [sum(steps[:n], Fraction(0)) for n in range(len(three_scenes()))]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "each"),
    [({"times": uneven()}, 1), ({"rotation": 270}, 1), ({"rate": 50}, 2)],
    ids=["variable rate", "rotated", "50 a second"],
)
def test_covers_hold_in_films_of_every_kind(how: dict[str, object], each: int) -> None:
    film = drawn_film([frame for frame in three_scenes() for _ in range(each)], **how)
    evidence = examined(film)
    staff = cover_strangers(evidence)
    assert_released(verdict(evidence, staff))
    frames = frames_of(publish(film, evidence, staff))
    assert not any(shows(frame, STRANGER) or shows(frame, AWAY) for frame in frames)
    assert all(shows(frame, ANN) for frame in frames)
