"""Staff cut a film: who is cut out is in no frame of the file that leaves, or nothing leaves.

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

from consent_gate.film_spans import milliseconds
from consent_gate.home.settings import default_settings
from consent_gate.model import Examined, FilmEdit, FilmSpan, Reason, StaffInput, Unknown, Verdict
from consent_gate.publication import wanted_appearance
from ingest.faces.protocols import RGB
from ingest.film.decode import FilmReader
from ingest.film.libav import FilmLimits
from ingest.film.rendition import FilmSearchers, make_film
from publish.rendition import Rendition, RenditionRefused
from publish.rendition_requests import film_request
from tests.support.core_factories import (
    ANN as ANNS_NUMBER,
)
from tests.support.core_factories import (
    CAMERA,
    assert_held,
    assert_released,
    make_pupil,
    make_register,
    signed_input,
    website_verdict,
)
from tests.support.drawn_people import (
    ANN,
    STRANGER,
    DrawnDetector,
    DrawnFinder,
    drawn_film,
    examine_drawn,
    found_in,
    scene,
)

RATE = 25
SCHOOL = make_register(make_pupil(ANNS_NUMBER))


def examined(film: bytes) -> Examined:
    """The evidence of a film, as the gate stores it."""
    found = examine_drawn(film)
    size = (found.width, found.height)
    return Examined(*size, found.frames_sha256, found.faces, device=CAMERA, film=found.film)


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


def shows_stranger(rgb: RGB) -> bool:
    return bool((np.abs(rgb.astype(np.int16) - STRANGER).max(axis=2) < 80).sum() > 30)


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


@pytest.mark.costly
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
