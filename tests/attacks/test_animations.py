"""Animated pictures in which somebody is shown shortly, or lies where no browser looks."""

from __future__ import annotations

import io

import numpy as np
import pytest

from consent_gate.model import FaceEvidence, Match
from ingest.decoding.decode import DecodeError, DecodeLimits, decode
from ingest.film.animation import only_picture, open_frames
from publish.rendering.film import FilmEncoder
from publish.verification.mp4 import plain_structure
from publish.verification.verify import verify
from tests.support import images
from tests.support.animations import FORMATS, animation, with_webp_chunk
from tests.support.drawn_people import (
    ANN,
    STRANGER,
    DrawnDetector,
    DrawnFinder,
    examine_drawn,
    scene,
)

pytestmark = pytest.mark.costly

SECRET = "Mia Ashdown"


def strangers(data: bytes) -> list[FaceEvidence]:
    faces = examine_drawn(data).faces
    return [face for face in faces if not isinstance(face.identity, Match)]


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_stranger_in_one_frame_of_20_ms_is_seen(fmt: str) -> None:
    frames = [scene((ANN, 20 + n, 100)) for n in range(12)]
    frames[5] = scene((ANN, 25, 100), (STRANGER, 200, 100))
    (face,) = strangers(animation(frames, fmt, 20))
    assert face.shown is not None
    assert face.shown.from_s == face.shown.to_s == pytest.approx(0.1)


def test_a_stranger_in_a_picture_of_no_delay_is_seen_for_a_tenth_of_a_second() -> None:
    """A GIF of many colours has pictures without delay, which build one picture in its makers'
    minds; browsers show each."""
    frames = [scene((ANN, 20, 100)), scene((STRANGER, 200, 100)), scene((ANN, 20, 100), grey=127)]
    (face,) = strangers(animation(frames, "GIF", 0))
    assert face.shown is not None
    assert face.shown.from_s == pytest.approx(0.1)


@pytest.mark.parametrize("delay_ms", [80, 100, 200])
def test_a_stranger_where_a_pupil_was_just_before_is_not_taken_for_the_pupil(delay_ms: int) -> None:
    """A row of portraits on one chair: the faces look alike enough to be followed."""
    frames = [scene((ANN, 100 + n % 2, 100)) for n in range(7)]
    frames[5] = scene((STRANGER, 100, 100))
    assert strangers(animation(frames, "PNG", delay_ms))


def test_a_stranger_in_the_hidden_picture_is_in_no_frame_that_leaves() -> None:
    frames = [scene((ANN, 20 + n, 100)) for n in range(3)]
    data = animation(frames, "PNG", hidden=scene((STRANGER, 200, 100)))
    result = examine_drawn(data)
    assert [type(face.identity) for face in result.faces] == [Match]
    assert "cover png" in result.film.streams
    with open_frames(io.BytesIO(published(data))) as reader:
        for frame in reader.frames():
            assert not (np.abs(frame.rgb.astype(int) - STRANGER).max(axis=2) < 60).any()


def test_a_stranger_behind_the_end_is_refused() -> None:
    data = animation([scene((ANN, 20 + n, 100)) for n in range(3)], "GIF")
    stranger = images.gif_block(scene((STRANGER, 200, 100)))
    for more in (stranger + b";", b";" + stranger + b";", b"\0" + stranger):
        with pytest.raises(DecodeError):
            examine_drawn(data + more)


def test_slides_are_searched_at_every_angle_each() -> None:
    """As photos are: somebody lies down in one of them."""
    angles: list[bool] = []

    class Finder:
        def __init__(self, is_any_angle: bool = True) -> None:
            self.is_any_angle = is_any_angle
            self.scout = self.quick_detector = DrawnDetector("yunet", score=0)

        def upright_only(self) -> Finder:
            return Finder(is_any_angle=False)

        def turning_at_most(self, max_side: int) -> Finder:
            return self

        def find(self, rgb: object) -> list[object]:
            angles.append(self.is_any_angle)
            return []

    slides = [scene((ANN, 20 + 5 * n, 100)) for n in range(6)]
    examine_drawn(animation(slides, "PNG", 400), finder=Finder())  # type: ignore[arg-type]
    assert angles == [True] * 6


@pytest.mark.parametrize(("delay_ms", "is_each"), [(50, False), (80, True), (200, True)])
def test_pictures_that_follow_slowly_are_searched_by_all_detectors_each(
    delay_ms: int, is_each: bool
) -> None:
    """Text is read in the same pictures: a name may be in one of them only."""
    finder = DrawnFinder()
    examine_drawn(
        animation([scene((ANN, 100 + n % 2, 100)) for n in range(6)], "PNG", delay_ms),
        finder=finder,
    )
    assert (finder.calls == 6) is is_each


@pytest.mark.parametrize("fmt", FORMATS)
def test_a_damaged_animation_shows_all_its_pictures_or_none(fmt: str) -> None:
    frames = [scene((ANN, 20 + 9 * n, 100)) for n in range(4)]
    data = bytearray(animation(frames, fmt))
    rng = np.random.default_rng(2)
    for at in rng.integers(12, len(data), 40):
        damaged = bytes(data[:at]) + bytes([data[at] ^ int(rng.integers(1, 256))])
        damaged += bytes(data[at + 1 :])
        try:
            if only_picture(io.BytesIO(damaged)) is not None:
                with pytest.raises(DecodeError):
                    decode(damaged, DecodeLimits())
                continue
            with open_frames(io.BytesIO(damaged)) as reader:
                count = sum(1 for _ in reader.frames())
        except DecodeError:
            continue
        assert count == 4


def published(data: bytes) -> bytes:
    """What leaves the gate of an animated picture: its judged frames, encoded anew."""
    with open_frames(io.BytesIO(data)) as reader:
        encoder = FilmEncoder(reader.facts.width, reader.facts.height)
        for frame in reader.frames():
            encoder.add(frame.time, frame.rgb)
        return encoder.finish(reader.seconds)


@pytest.mark.parametrize("fmt", FORMATS)
def test_no_text_of_the_file_leaves(fmt: str) -> None:
    frames = [scene((ANN, 20 + n, 100)) for n in range(3)]
    data = animation(frames, fmt, [20, 500, 3000], comment=SECRET)
    if fmt == "WEBP":
        data = with_webp_chunk(data, b"XMP ", 2 * SECRET.encode())
    film = published(data)
    assert SECRET.encode() not in film
    assert verify(film) == []
    structure = plain_structure(film)
    assert structure is not None
    assert structure.seconds == pytest.approx(3.52)


@pytest.mark.parametrize("delay_ms", [11, 16])
def test_pictures_that_follow_faster_than_a_screen_shows_them_can_be_published(
    delay_ms: int,
) -> None:
    frames = [scene((ANN, 20 + n, 100)) for n in range(12)]
    film = published(animation(frames, "WEBP", delay_ms))
    assert verify(film) == []
    structure = plain_structure(film)
    assert structure is not None
    assert structure.frames == 12
