"""What staff see of a film: all judged frames, and one tile for each face."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest

from ingest.film.decode import FilmReader
from ingest.film.staff_view import (
    COLUMNS,
    MAX_BYTES,
    MAX_TILES,
    TILE,
    ViewEncoder,
    packed,
    strip_of,
    tile_of,
    unpacked,
)
from ingest.workers.answers import MAX_ANSWER_BYTES
from publish.verification.verify import verify
from tests.support.films import RGB, drawn_frames, make_film

pytestmark = pytest.mark.costly


def plain(colour: tuple[int, int, int]) -> RGB:
    return np.full((TILE, TILE, 3), colour, np.uint8)


def test_every_tile_lies_where_the_page_looks_for_it() -> None:
    tiles = [plain((10 * number, 255 - 10 * number, 40)) for number in range(COLUMNS + 3)]
    strip = strip_of([*tiles, None])
    assert strip is not None
    decoded = cv2.imdecode(np.frombuffer(strip, np.uint8), 1)
    assert decoded is not None
    found = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    assert found.shape == (2 * TILE, COLUMNS * TILE, 3)
    for number, tile in enumerate([*tiles, plain((128, 128, 128))]):
        row, column = divmod(number, COLUMNS)
        middle = found[row * TILE + TILE // 2, column * TILE + TILE // 2].astype(int)
        assert np.abs(middle - tile[0, 0]).max() < 12


def test_a_tile_shows_the_face_also_at_the_edge_of_the_frame() -> None:
    frame = np.zeros((200, 300, 3), np.uint8)
    frame[50:110, 100:150] = (255, 0, 0)
    for place in ((100.0, 50.0, 50.0, 60.0), (-20.0, -30.0, 50.0, 60.0)):
        tile = tile_of(frame, place)
        assert tile.shape == (TILE, TILE, 3)
    assert tuple(tile_of(frame, (100.0, 50.0, 50.0, 60.0))[TILE // 2, TILE // 2]) == (255, 0, 0)
    assert tuple(tile[2, 2]) == (128, 128, 128)


def test_the_film_for_staff_has_every_judged_frame_and_no_sound() -> None:
    encoder = ViewEncoder()
    with FilmReader(io.BytesIO(make_film(drawn_frames(20), sound=True))) as reader:
        for frame in reader.frames():
            encoder.add(frame)
    film = encoder.finish()
    assert film is not None
    assert verify(film) == []
    with FilmReader(io.BytesIO(film)) as reader:
        assert len(list(reader.frames())) == 20


def test_a_film_that_is_too_large_to_be_shown_has_no_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("publish.rendering.film.MAX_FILM_BYTES", 1000)
    encoder = ViewEncoder()
    with FilmReader(io.BytesIO(make_film(drawn_frames(20)))) as reader:
        for frame in reader.frames():
            encoder.add(frame)
    assert encoder.finish() is None
    assert packed(strip_of([]), None) is None
    assert packed(b"strip", bytes(MAX_BYTES)) is None
    assert MAX_BYTES + (16 << 20) < MAX_ANSWER_BYTES
    assert strip_of([None] * (MAX_TILES + 1)) is None


def test_strip_and_film_are_one_file() -> None:
    both = packed(b"strip", b"film")
    assert both is not None
    assert unpacked(both) == (b"strip", b"film")
