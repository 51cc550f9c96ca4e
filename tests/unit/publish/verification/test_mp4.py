"""Only one plain silent film passes."""

from __future__ import annotations

import struct

import pytest

from publish.rendering.film import TICKS, FilmEncoder, published_size
from publish.verification.findings import FindingCode
from publish.verification.mp4 import mp4_codes, plain_structure
from publish.verification.verify import verify
from tests.support.films import HEIGHT, WIDTH, drawn_frames, make_film


def encode(count: int = 10) -> bytes:
    encoder = FilmEncoder(WIDTH, HEIGHT)
    for number, frame in enumerate(drawn_frames(count)):
        encoder.add(number / 25, frame)
    return encoder.finish()


@pytest.fixture(scope="module")
def film() -> bytes:
    return encode()


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def test_our_own_film_passes_and_says_what_it_is(film: bytes) -> None:
    structure = plain_structure(film)
    assert structure is not None
    assert (structure.width, structure.height, structure.frames) == (WIDTH, HEIGHT, 10)
    assert structure.seconds == pytest.approx(0.4, abs=0.05)
    assert verify(film) == []
    assert film.index(b"moov") < film.index(b"mdat")
    for name in (b"Lav", b"x264", b"Lavf", b"udta", b"VideoHandler"):
        assert name not in film


def test_every_bit_of_the_index_matters(film: bytes) -> None:
    """Except in the parameters of the picture, which the decoder reads, and which are short."""
    parameters = range(film.index(b"avcC") + 4, film.index(b"colr") - 4)
    free = range(film.index(b"stts") + 12, film.index(b"stts") + 28)
    for place in range(film.index(b"mdat") + 4):
        if place in parameters or place in free:
            continue
        for bit in range(8):
            changed = bytearray(film)
            changed[place] ^= 1 << bit
            if plain_structure(bytes(changed)) is not None:
                assert film[place - 16 : place].find(b"stss") >= 0, place


@pytest.mark.parametrize(
    "extra",
    [
        box(b"udta", b"a child's name"),
        box(b"free", bytes(20)),
        box(b"uuid", bytes(16) + b"text"),
        box(b"meta", bytes(4)),
        b"tail",
        bytes(8),
    ],
)
def test_nothing_may_stand_beside_the_boxes(film: bytes, extra: bytes) -> None:
    moov, mdat = film.index(b"moov") - 4, film.index(b"mdat") - 4
    for place in (0, moov, mdat, len(film)):
        assert verify(film[:place] + extra + film[place:])


def test_bytes_between_the_samples_are_found(film: bytes) -> None:
    mdat = film.index(b"mdat") - 4
    (size,) = struct.unpack_from(">I", film, mdat)
    longer = film[:mdat] + struct.pack(">I", size + 6) + film[mdat + 4 :] + b"secret"
    assert mp4_codes(longer) == [FindingCode.FILM_NOT_PLAIN]


def test_a_unit_that_is_no_slice_is_found(film: bytes) -> None:
    changed = bytearray(film)
    first = film.index(b"mdat") + 8
    changed[first] = (changed[first] & 0xE0) | 6
    assert mp4_codes(bytes(changed)) == [FindingCode.FILM_NOT_PLAIN]


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"sound": True},
        {"cover": True},
        {"second_video": True},
        {"rotation": 90},
        {"metadata": {"title": "Mia"}},
        {"codec": "libx265"},
        {"muxer": {"movflags": "frag_keyframe+empty_moov"}},
        {"container": "mov"},
    ],
)
def test_films_of_other_programs_do_not_pass(other: dict[str, object]) -> None:
    assert verify(make_film(**other))  # type: ignore[arg-type]


def test_a_part_of_a_film_does_not_pass(film: bytes) -> None:
    for length in range(0, len(film), 97):
        assert plain_structure(film[:length]) is None


def test_the_size_is_even_and_never_larger() -> None:
    assert published_size(1920, 1080, 1280) == (1280, 720)
    assert published_size(333, 201, 1280) == (332, 200)
    assert published_size(1080, 1920, 1280) == (720, 1280)
    assert TICKS == 90_000
