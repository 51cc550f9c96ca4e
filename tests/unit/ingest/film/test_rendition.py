"""A film goes out as it was judged, or not at all."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from consent_gate.model import COVER_GREY, Box, Colour, FaceKind, FilmSpan, Reason, Shown
from ingest.faces.protocols import RGB, Detection, FoundFace
from ingest.faces.resolve import estimated_landmarks
from ingest.film import encode, finished, rendition
from ingest.film.decode import FilmReader
from ingest.film.fill import are_filled
from ingest.film.finished import FilmSearchers
from ingest.film.libav import FilmLimits
from ingest.film.rendition import make_film as make_published
from publish.rendering.film import FilmCodec, FilmEncoder
from publish.renditions.rendition import FilmRequest, Rendition, RenditionRefused
from publish.verification.verify import verify
from tests.support.drawn_people import DrawnFinder
from tests.support.films import HEIGHT, WIDTH, drawn_frames, make_film
from tests.support.images import COVER_FILLS


class Scout:
    """Sees one face in every frame of a film, at this place of its own pixels."""

    name = "yunet"

    def __init__(self, place: tuple[int, int, int, int] | None = None) -> None:
        self._place = place

    def detect(self, rgb: RGB) -> list[Detection]:
        if self._place is None:
            return []
        box = Box(*self._place)
        return [Detection(*self._place, 0.95, estimated_landmarks(box), self.name)]


class Finder(DrawnFinder):
    """All detectors: they see this face, in pixels of the film, in the frames that they search."""

    def __init__(self, *boxes: Box, kind: FaceKind = FaceKind.FACE) -> None:
        super().__init__()
        self._boxes, self._kind = boxes, kind

    def find(self, _: RGB) -> list[FoundFace]:
        self.calls += 1
        return [FoundFace(b, 0.9, self._kind, estimated_landmarks(b)) for b in self._boxes]


def request(film: bytes, *tracks: Shown, **changes: object) -> FilmRequest:
    with FilmReader(io.BytesIO(film)) as reader:
        for _ in reader.frames():
            pass
        values = {
            "max_side": 1280,
            "frames_sha256": reader.frames_sha256,
            "width": reader.facts.width,
            "height": reader.facts.height,
            "tracks": tracks,
            **changes,
        }
    return FilmRequest(**values)  # type: ignore[arg-type]


def publish(
    film: bytes, order: FilmRequest, scout: Scout | None = None, finder: Finder | None = None
) -> Rendition | RenditionRefused:
    searchers = FilmSearchers(scout or Scout(), finder or Finder())  # type: ignore[arg-type]
    return make_published(io.BytesIO(film), order, FilmLimits(), searchers)


def is_new_face(made: Rendition | RenditionRefused) -> bool:
    return isinstance(made, RenditionRefused) and made.message == finished.NEW_FACE


def test_a_film_goes_out_silent_upright_and_with_its_poster() -> None:
    film = make_film(
        drawn_frames(30), sound=True, rotation=90, metadata={"title": "Mia", "comment": "home"}
    )
    made = publish(film, request(film, max_side=160))
    assert isinstance(made, Rendition)
    assert made.film is not None
    assert (made.width, made.height) == (120, 160)
    assert made.film.seconds == pytest.approx(1.2, abs=0.05)
    assert verify(made.film.data) == []
    assert verify(made.data) == []
    assert b"Mia" not in made.film.data


def test_other_frames_than_the_judged_ones_are_not_published() -> None:
    film = make_film(drawn_frames(10))
    assert publish(film, request(film, frames_sha256="0" * 64)) == rendition._NOT_JUDGED


def test_a_face_that_was_not_judged_stops_the_film() -> None:
    film = make_film(drawn_frames(10))
    refused = publish(film, request(film), Scout((100, 100, 40, 40)))
    assert isinstance(refused, RenditionRefused)
    assert refused.reason is Reason.POSSIBLE_FACE


def test_a_face_that_was_judged_may_be_found_again() -> None:
    film = make_film(drawn_frames(10))
    track = Shown(0.0, 0.36, 0.0, ((0.0, 100, 100, 40, 40), (0.36, 102, 100, 40, 40)))
    assert isinstance(publish(film, request(film, track), Scout((100, 100, 40, 40))), Rendition)
    elsewhere = publish(film, request(film, track), Scout((200, 100, 40, 40)))
    assert is_new_face(elsewhere)


def test_a_face_at_another_time_than_it_was_judged_stops_the_film() -> None:
    film = make_film(drawn_frames(25))
    track = Shown(0.0, 0.2, 0.0, ((0.0, 100, 100, 40, 40), (0.2, 100, 100, 40, 40)))
    assert is_new_face(publish(film, request(film, track), Scout((100, 100, 40, 40))))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda number, time, rgb: (time, np.asarray(255 - rgb, np.uint8)),
        lambda number, time, rgb: (time + 0.01 * number, rgb),
    ],
)
def test_an_encoder_that_changes_the_film_is_found_out(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[int, float, RGB], tuple[float, RGB]]
) -> None:
    film = make_film(drawn_frames(20))
    add, count = FilmEncoder.add, iter(range(100))
    monkeypatch.setattr(
        FilmEncoder, "add", lambda self, time, rgb: add(self, *spoil(next(count), time, rgb))
    )
    assert publish(film, request(film)) == finished.NOT_PLAIN


def test_an_encoder_that_adds_a_text_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    film = make_film(drawn_frames(5))
    finish = FilmEncoder.finish
    text = b"\x00\x00\x00\x10freeMia Ash."
    monkeypatch.setattr(FilmEncoder, "finish", lambda self, _: finish(self) + text)
    assert publish(film, request(film)) == finished.NOT_PLAIN


def test_a_film_that_becomes_too_large_is_not_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publish.rendering.film.MAX_FILM_BYTES", 1000)
    film = make_film(drawn_frames(60), options={"crf": "1"})
    assert publish(film, request(film)) == rendition._TOO_LARGE


def test_forty_frames_a_second_are_all_published() -> None:
    film = make_film(drawn_frames(40), rate=40)
    made = publish(film, request(film))
    assert isinstance(made, Rendition)
    assert (made.width, made.height) == (WIDTH, HEIGHT)


KEPT = (FilmSpan(0, 400), FilmSpan(800, 1600))
LATE = Shown(1.2, 1.4, 1.2, ((1.2, 100, 100, 40, 40), (1.4, 100, 100, 40, 40)))


def test_only_the_parts_that_stay_are_published_and_the_poster_is_one_of_their_frames() -> None:
    """Each frame has a grey of its own, so that it is known again."""
    greys = [np.full((HEIGHT, WIDTH, 3), 20 + 4 * n, np.uint8) for n in range(50)]
    film = make_film(greys, options={"crf": "1"})
    made = publish(film, request(film, kept=KEPT))
    assert isinstance(made, Rendition)
    assert made.film is not None
    assert made.film.seconds == pytest.approx(1.2, abs=0.05)
    with FilmReader(io.BytesIO(made.film.data)) as reader:
        found = [round((int(np.median(frame.rgb)) - 20) / 4) for frame in reader.frames()]
    assert found == pytest.approx([*range(10), *range(20, 40)], abs=1)
    poster = cv2.imdecode(np.frombuffer(made.data, np.uint8), cv2.IMREAD_COLOR)
    assert poster is not None
    after_a_third = round((int(np.median(poster)) - 20) / 4)
    assert after_a_third == pytest.approx(20, abs=1)


def test_a_face_of_a_film_that_was_cut_is_known_at_its_old_time() -> None:
    film = make_film(drawn_frames(50))
    kept = (FilmSpan(1200, 1800),)
    order = request(film, LATE, kept=kept)
    refused = publish(film, order, Scout((100, 100, 40, 40)))
    assert is_new_face(refused)  # it is judged until 1.4 s only
    longer = replace(LATE, path=(*LATE.path, (1.8, 100, 100, 40, 40)))
    order = request(film, longer, kept=kept)
    assert isinstance(publish(film, order, Scout((100, 100, 40, 40))), Rendition)


def test_all_detectors_search_a_film_that_was_cut() -> None:
    film, finder = make_film(drawn_frames(50)), Finder(Box(200, 20, 40, 40))
    assert isinstance(publish(film, request(film), finder=finder), Rendition)
    assert finder.calls == 0
    assert is_new_face(publish(film, request(film, kept=KEPT), finder=finder))


POSSIBLE = Box(200, 20, 40, 40)
"""Something that all detectors take for a possible face."""
SEEN_ONCE = Shown(0.5, 0.5, 0.5, ((0.5, 200, 20, 40, 40),), (-3.5, 4.5))
"""A possible face of the original at this place, which was seen at one moment."""


def test_a_possible_face_in_an_edited_film_must_have_been_judged() -> None:
    film, finder = make_film(drawn_frames(50)), Finder(POSSIBLE, kind=FaceKind.POSSIBLE)
    refused = publish(film, request(film, kept=KEPT), finder=finder)
    assert is_new_face(refused)
    assert isinstance(publish(film, request(film, SEEN_ONCE, kept=KEPT), finder=finder), Rendition)
    elsewhere = replace(SEEN_ONCE, path=((0.5, 20, 20, 40, 40),))
    assert is_new_face(publish(film, request(film, elsewhere, kept=KEPT), finder=finder))
    earlier = replace(SEEN_ONCE, maybe_s=(-3.5, 0.7))
    assert is_new_face(publish(film, request(film, earlier, kept=KEPT), finder=finder))


def test_a_certain_face_at_the_place_of_a_possible_one_is_new_at_another_moment() -> None:
    film = make_film(drawn_frames(50))
    order = request(film, SEEN_ONCE, kept=KEPT)
    assert is_new_face(publish(film, order, finder=Finder(POSSIBLE)))


def test_a_new_face_is_listed_with_its_time_in_the_original_and_judged_once() -> None:
    film, finder = make_film(drawn_frames(50)), Finder(POSSIBLE, kind=FaceKind.POSSIBLE)
    refused = publish(film, request(film, kept=KEPT, covered=(HIDDEN,)), finder=finder)
    assert isinstance(refused, RenditionRefused)
    found = [(track.path[0][1:], track.is_followed) for track in refused.shown]
    assert found == [((200, 20, 40, 40), False)] * 3
    # All detectors search at each scene's start, the poster and the last frame.
    assert [track.from_s for track in refused.shown] == [0.0, 0.8, 1.56]
    order = request(film, *refused.shown, kept=KEPT, covered=(HIDDEN,))
    assert isinstance(publish(film, order, finder=finder), Rendition)


def test_what_looks_like_a_face_with_its_cover_is_no_new_face() -> None:
    """A covered head with its hair and shoulders looks like a possible face."""
    film = make_film(drawn_frames(10))
    order = request(film, covered=(HIDDEN,))
    cover = Finder(Box(80, 80, 80, 90), kind=FaceKind.POSSIBLE)
    beside = Finder(Box(80, 200, 30, 30), kind=FaceKind.POSSIBLE)
    assert isinstance(publish(film, order, finder=cover), Rendition)
    assert is_new_face(publish(film, order, finder=beside))


def test_a_film_that_was_cut_must_have_the_judged_frames_everywhere() -> None:
    film = make_film(drawn_frames(50))
    order = request(film, kept=KEPT, frames_sha256="0" * 64)
    assert publish(film, order) == rendition._NOT_JUDGED


def test_a_cut_that_leaves_no_frame_publishes_nothing() -> None:
    film = make_film(drawn_frames(50))
    assert publish(film, request(film, kept=(FilmSpan(2000, 9000),))) == rendition._NOT_JUDGED


HIDDEN = Shown(0.0, 0.36, 0.0, ((0.0, 100, 100, 40, 40), (0.36, 100, 100, 40, 40)))


@pytest.mark.parametrize("fill", [COVER_GREY, (200, 30, 40)])
def test_a_covered_head_has_the_schools_colour_in_every_frame_and_in_the_poster(
    fill: Colour,
) -> None:
    film = make_film(drawn_frames(10))
    made = publish(film, request(film, covered=(HIDDEN,), cover_colour=fill))
    assert isinstance(made, Rendition)
    assert made.film is not None
    with FilmReader(io.BytesIO(made.film.data)) as reader:
        frames = [frame.rgb for frame in reader.frames()]
    poster = cv2.imdecode(np.frombuffer(made.data, np.uint8), cv2.IMREAD_COLOR_RGB)
    for rgb in (*frames, np.asarray(poster)):
        assert np.abs(rgb[98:142, 98:142].astype(int) - fill).max() < 20


def with_pattern(number: int) -> list[RGB]:
    """Drawn frames with one of two patterns where the covered head is."""
    frames = list(drawn_frames(10))
    for rgb in frames:
        rgb[100:140, 100:140] = np.random.default_rng(number).integers(0, 255, (40, 40, 3))
    return frames


@pytest.mark.parametrize("fill", COVER_FILLS)
def test_a_film_can_be_written_as_vp9_with_covers_that_hold(fill: Colour | None) -> None:
    film = make_film(with_pattern(1))
    order = request(film, covered=(HIDDEN,), cover_colour=fill, codec=FilmCodec.VP9)
    made = publish(film, order)
    assert isinstance(made, Rendition)
    assert made.film is not None
    assert b"vp09" in made.film.data
    assert verify(made.film.data) == []


def test_a_film_in_another_codec_than_was_asked_for_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    film = make_film(drawn_frames(5))
    order = request(film, codec=FilmCodec.VP9)
    monkeypatch.setattr(encode, "FilmEncoder", lambda *given: FilmEncoder(*given[:3]))
    assert publish(film, order) == finished.NOT_PLAIN


def test_a_codec_that_is_not_installed_publishes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    film = make_film(drawn_frames(5))
    monkeypatch.setattr("av.codecs_available", {"libx264"})
    refused = publish(film, request(film, codec=FilmCodec.VP9))
    assert isinstance(refused, RenditionRefused)
    assert "codec" in refused.message
    assert isinstance(publish(film, request(film)), Rendition)


def test_cells_show_nothing_of_the_head_that_they_cover() -> None:
    """Two films that differ only in the covered head are published alike."""
    films = [make_film(with_pattern(number), options={"crf": "5"}) for number in (1, 2)]
    made = [publish(film, request(film, covered=(HIDDEN,), cover_colour=None)) for film in films]
    posters = []
    for one in made:
        assert isinstance(one, Rendition), one
        posters.append(cv2.imdecode(np.frombuffer(one.data, np.uint8), cv2.IMREAD_COLOR))
    inside = [np.asarray(poster)[98:142, 98:142].astype(int) for poster in posters]
    assert np.abs(inside[0] - inside[1]).max() < 16


class SeesCells(Scout):
    """Takes cells for a face, but not grey."""

    def detect(self, rgb: RGB) -> list[Detection]:
        is_grey = np.abs(rgb[104:136, 104:136].astype(int) - COVER_GREY).max() < 20
        return [] if is_grey else super().detect(rgb)


def test_covers_become_grey_where_their_cells_look_like_a_face() -> None:
    film = make_film(drawn_frames(10))
    order = request(film, HIDDEN, covered=(HIDDEN,), cover_colour=None)
    made = publish(film, order, SeesCells((100, 100, 40, 40)))
    assert isinstance(made, Rendition)
    poster = cv2.imdecode(np.frombuffer(made.data, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.abs(np.asarray(poster)[100:140, 100:140].astype(int) - COVER_GREY).max() < 20
    assert publish(film, order, Scout((100, 100, 40, 40))) == finished.NOT_HIDDEN


def test_covers_become_grey_where_their_cells_cannot_be_encoded_as_they_were(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Bars of high contrast that move beside a cover may do this."""
    monkeypatch.setattr(
        finished,
        "are_filled",
        lambda rgb, heads, colour: colour is not None and are_filled(rgb, heads, colour),
    )
    film = make_film(drawn_frames(10))
    order = request(film, HIDDEN, covered=(HIDDEN,), cover_colour=None)
    assert isinstance(publish(film, order), Rendition)


def test_no_place_in_a_cover_may_look_like_a_face_even_where_somebody_cleared_is() -> None:
    film = make_film(drawn_frames(10))
    order = request(film, HIDDEN, covered=(HIDDEN,))
    assert publish(film, order, Scout((100, 100, 40, 40))) == finished.NOT_HIDDEN
    assert isinstance(publish(film, order), Rendition)


def test_a_cover_that_was_not_filled_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "covered_frame", lambda rgb, *_: rgb)
    film = make_film(with_pattern(1))
    order = request(film, covered=(HIDDEN,))
    for fill in COVER_FILLS:
        assert publish(film, replace(order, cover_colour=fill)) == finished.NOT_PLAIN
