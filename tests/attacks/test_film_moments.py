"""A stranger whom the quick detector does not know is in a film where it alone searched: in a frame
that stays, the last one, the poster, or between two searches by all detectors.

The people are drawn: a face is a square, and its colour is the person.
"""

from __future__ import annotations

from fractions import Fraction

import pytest

from consent_gate.model import Examined, Reason
from ingest.faces.protocols import RGB, Detection
from tests.support.animations import animation
from tests.support.core_factories import ANN as ANNS_NUMBER
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
    STRANGER,
    DrawnDetector,
    DrawnFinder,
    drawn_film,
    examine_drawn,
    scene,
    stored_evidence,
)

SCHOOL = make_register(make_pupil(ANNS_NUMBER))
ALONE = scene((ANN, 20, 100))
WITH_STRANGER = scene((ANN, 20, 100), (STRANGER, 200, 100))


class SeesAnn(DrawnDetector):
    """The quick detector, which does not know a face that is half hidden."""

    def detect(self, rgb: RGB) -> list[Detection]:
        return [one for one in super().detect(rgb) if one.x < 100]


class Upright(DrawnFinder):
    """All detectors; what lies is found only by a search at every angle."""

    def __init__(self, *, lies: bool) -> None:
        super().__init__()
        self._lies = lies

    def upright_only(self) -> DrawnFinder:
        return SeesUpright() if self._lies else self


class SeesUpright(DrawnFinder):
    def find(self, rgb: RGB) -> list:  # type: ignore[type-arg]
        return [face for face in super().find(rgb) if face.box.x < 100]


def examined(film: bytes, *, lies: bool = False, finder: DrawnFinder | None = None) -> Examined:
    found = examine_drawn(film, scout=SeesAnn("yunet"), finder=finder or Upright(lies=lies))
    return stored_evidence(found)


def assert_seen(film: bytes, *, lies: bool = False) -> None:
    evidence = examined(film, lies=lies)
    assert_held(website_verdict(evidence, SCHOOL, signed_input()), Reason.UNKNOWN_FACE)


def times(*steps_ms: int) -> list[Fraction]:
    """When each frame is shown that comes so long after the one before."""
    return [Fraction(sum(steps_ms[: n + 1]), 1000) for n in range(len(steps_ms))]


def test_a_film_of_ann_alone_is_released() -> None:
    evidence = examined(drawn_film([ALONE] * 30), lies=True)
    assert_released(website_verdict(evidence, SCHOOL, signed_input()))


@pytest.mark.parametrize("lies", [False, True])
def test_a_frame_that_stays_is_searched_as_a_photo_is(*, lies: bool) -> None:
    """A film of slides: the slide comes 40 ms after another frame, and stays for two seconds."""
    frames = [ALONE, ALONE, WITH_STRANGER, ALONE, ALONE]
    assert_seen(drawn_film(frames, times=times(0, 40, 40, 2000, 40)), lies=lies)


@pytest.mark.parametrize("lies", [False, True])
def test_the_last_frame_is_searched_which_a_player_goes_on_showing(*, lies: bool) -> None:
    assert_seen(drawn_film([ALONE] * 22 + [WITH_STRANGER]), lies=lies)


@pytest.mark.parametrize("count", [30, 50])
def test_the_poster_is_searched_as_the_picture_that_it_is(count: int) -> None:
    """It is the first frame from one second on, or from a third of the film."""
    frames = [ALONE] * count
    poster = 25 if count > 75 else -(-count // 3)
    frames[poster] = WITH_STRANGER
    assert_seen(drawn_film(frames), lies=True)


@pytest.mark.parametrize("stays_ms", [200, 2000])
def test_a_picture_of_an_animation_that_stays_is_searched(stays_ms: int) -> None:
    durations = [40, 40, stays_ms, 40, 40]
    moved = scene((ANN, 24, 100))
    frames = [ALONE, moved, WITH_STRANGER, moved, ALONE]
    assert_seen(animation(frames, "WEBP", durations))


@pytest.mark.parametrize("count", [1, 8])
def test_a_stranger_between_two_searches_is_found_by_the_surer_detector(count: int) -> None:
    """All detectors search at 0, 0.68, 1.68 and 1.96 seconds."""
    frames = [ALONE] * 50
    frames[28 : 28 + count] = [WITH_STRANGER] * count
    finder = DrawnFinder(proposer=DrawnDetector("centerface_int8", score=0.3))
    evidence = examined(drawn_film(frames), finder=finder)
    assert_held(website_verdict(evidence, SCHOOL, signed_input()), Reason.UNKNOWN_FACE)
