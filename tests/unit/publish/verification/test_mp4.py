"""Only one plain silent film passes."""

from __future__ import annotations

import struct

import pytest

from publish.rendering.film import TICKS, FilmCodec, FilmEncoder, can_encode, published_size
from publish.verification.findings import FindingCode
from publish.verification.mp4 import mp4_codes, plain_structure
from publish.verification.verify import verify
from tests.support.films import HEIGHT, WIDTH, drawn_frames, make_film


def encode(codec: FilmCodec = FilmCodec.H264, count: int = 10) -> bytes:
    encoder = FilmEncoder(WIDTH, HEIGHT, codec=codec)
    for number, frame in enumerate(drawn_frames(count)):
        encoder.add(number / 25, frame)
    return encoder.finish()


@pytest.fixture(scope="module", params=list(FilmCodec))
def film(request: pytest.FixtureRequest) -> bytes:
    return encode(request.param)


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def test_our_own_film_passes_and_says_what_it_is(film: bytes) -> None:
    structure = plain_structure(film)
    assert structure is not None
    assert (structure.width, structure.height, structure.frames) == (WIDTH, HEIGHT, 10)
    assert structure.seconds == pytest.approx(0.4, abs=0.05)
    assert verify(film) == []
    assert film.index(b"moov") < film.index(b"mdat")
    for name in (b"Lav", b"x264", b"vpx", b"libvpx", b"Lavf", b"udta", b"VideoHandler"):
        assert name not in film


def test_every_bit_of_the_index_matters(film: bytes) -> None:
    """Except in the parameters of the picture, which the decoder reads, and which are short, and in
    the level of VP9, which has a few values."""
    start = film.index(b"avcC" if b"avcC" in film else b"vpcC") + 4
    level = range(start + 5, start + 6)
    parameters = range(start, film.index(b"colr") - 4) if b"avcC" in film else level
    free = range(film.index(b"stts") + 12, film.index(b"stts") + 28)
    for place in range(film.index(b"mdat") + 4):
        if place in parameters or place in free:
            continue
        for bit in range(8):
            changed = bytearray(film)
            changed[place] ^= 1 << bit
            assert plain_structure(bytes(changed)) is None, place


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


def test_a_unit_that_is_no_slice_is_found() -> None:
    film = encode()
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
        {"codec": "libvpx-vp9"},
        {"codec": "libsvtav1"},
        {"muxer": {"movflags": "frag_keyframe+empty_moov"}},
        {"container": "mov"},
    ],
)
def test_films_of_other_programs_do_not_pass(other: dict[str, object]) -> None:
    assert verify(make_film(**other))  # type: ignore[arg-type]


def test_a_part_of_a_film_does_not_pass(film: bytes) -> None:
    for length in range(0, len(film), 97):
        assert plain_structure(film[:length]) is None


def test_both_codecs_can_be_written() -> None:
    assert all(can_encode(codec) for codec in FilmCodec)
    structures = [plain_structure(encode(codec)) for codec in FilmCodec]
    assert [one.codec for one in structures if one is not None] == ["h264", "vp9"]


@pytest.mark.parametrize("codec", list(FilmCodec))
@pytest.mark.parametrize(("ends_at", "seconds"), [(0.5, 0.5), (3.0, 3.0), (99.0, 10.16), (0, 0.16)])
def test_the_last_frame_is_shown_as_long_as_in_the_original_but_not_for_hours(
    codec: FilmCodec, ends_at: float, seconds: float
) -> None:
    encoder = FilmEncoder(64, 48, codec=codec)
    for number, frame in enumerate(drawn_frames(5, 64, 48)):
        encoder.add(number / 25, frame)
    structure = plain_structure(encoder.finish(ends_at))
    assert structure is not None
    assert structure.seconds == pytest.approx(seconds, abs=0.01)


def test_the_size_is_even_and_never_larger() -> None:
    assert published_size(1920, 1080, 1280) == (1280, 720)
    assert published_size(333, 201, 1280) == (332, 200)
    assert published_size(1080, 1920, 1280) == (720, 1280)
    assert TICKS == 90_000
