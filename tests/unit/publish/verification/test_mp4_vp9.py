"""In VP9 a picture may be hidden, repeated, or packed behind another one: none of these passes."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from publish.rendering.film import FilmCodec, FilmEncoder
from publish.verification.mp4 import plain_structure
from publish.verification.mp4_boxes import NotOurs
from publish.verification.mp4_vp9 import Vp9, _Bits, _filters_and_segments, _frame_type, _tiles
from tests.support.films import drawn_frames

SIZE = (192, 128)
PARAMETERS = bytes.fromhex("010000000014820101010000")


def encode(frames: int = 6, size: tuple[int, int] = SIZE) -> bytes:
    encoder = FilmEncoder(*size, codec=FilmCodec.VP9)
    for number, frame in enumerate(drawn_frames(frames, *size)):
        encoder.add(number / 25, frame)
    return encoder.finish()


def samples_of(film: bytes) -> list[bytes]:
    at, place = film.index(b"stsz") + 12, film.index(b"mdat") + 4
    (count,) = struct.unpack_from(">I", film, at)
    found = []
    for size in struct.unpack_from(f">{count}I", film, at + 4):
        found.append(film[place : place + size])
        place += size
    return found


@pytest.fixture(scope="module")
def samples() -> list[bytes]:
    return samples_of(encode())


def passes(sample: bytes, size: tuple[int, int] = SIZE) -> bool:
    try:
        Vp9.check_sample(sample, 0, len(sample), size)
    except (NotOurs, struct.error, IndexError):
        return False
    return True


def test_each_frame_of_ours_passes_and_the_first_is_the_key(samples: list[bytes]) -> None:
    keys = [Vp9.check_sample(sample, 0, len(sample), SIZE) for sample in samples]
    assert keys == [True, *([False] * 5)]


def index_of(*sizes: int) -> bytes:
    """The index of a superframe (annex B.2), with two bytes for each size."""
    marker = bytes([0xC0 | 1 << 3 | (len(sizes) - 1)])
    return marker + b"".join(struct.pack("<H", size) for size in sizes) + marker


def with_first_byte(change: Callable[[int], int]) -> Callable[[list[bytes]], bytes]:
    return lambda samples: bytes([change(samples[1][0])]) + samples[1][1:]


@pytest.mark.parametrize(
    "hide",
    [
        pytest.param(lambda s: s[1] + s[2] + index_of(len(s[1]), len(s[2])), id="superframe"),
        pytest.param(lambda s: s[1] + b"Mia" + index_of(len(s[1]), 3), id="text in a superframe"),
        pytest.param(lambda s: s[1] + index_of(len(s[1])), id="superframe of one"),
        pytest.param(with_first_byte(lambda byte: byte & ~0x02), id="frame that is not shown"),
        pytest.param(with_first_byte(lambda byte: byte | 0x08), id="repetition of a frame"),
        pytest.param(with_first_byte(lambda byte: byte | 0x20), id="profile 1"),
        pytest.param(with_first_byte(lambda byte: byte & 0x7F), id="no frame"),
        pytest.param(lambda s: s[0][:1] + b"\x00" + s[0][2:], id="no sync code"),
        pytest.param(lambda s: s[0][:4] + b"\xe0" + s[0][5:], id="other colours"),
        pytest.param(lambda s: s[1][:4], id="cut off"),
        pytest.param(lambda s: b"Mia Ash", id="text"),
        pytest.param(lambda s: b"\x00", id="zero"),
    ],
)
def test_what_is_no_single_shown_frame_is_refused(
    samples: list[bytes], hide: Callable[[list[bytes]], bytes]
) -> None:
    assert not passes(hide(samples))


def test_a_frame_of_another_size_is_refused(samples: list[bytes]) -> None:
    for size in ((194, 128), (192, 126), (128, 192)):
        assert not passes(samples[0], size)


def test_tiles_must_lie_in_the_sample() -> None:
    """At 1280 pixels a frame has several tiles, each with its length before it."""
    (first, *_) = samples_of(encode(2, (1280, 64)))
    assert passes(first, (1280, 64))
    assert not passes(first[: len(first) // 2], (1280, 64))


def test_the_lengths_of_tiles_must_fit() -> None:
    (first, *_), size = samples_of(encode(2, (1280, 64))), (1280, 64)
    header = _Bits(first)
    _frame_type(header, size)
    _filters_and_segments(header)
    assert _tiles(header, size[0]) == (4, 1)
    compressed = header.read(16)
    at = header.end() + compressed
    for _ in range(3):
        for length in (0, len(first) - at - 4, len(first), 1 << 31):
            assert not passes(first[:at] + struct.pack(">I", length) + first[at + 4 :], size)
        at += 4 + int.from_bytes(first[at : at + 4], "big")


def test_a_frame_is_shown_at_its_own_size(samples: list[bytes]) -> None:
    """A frame may ask to be shown at another size: in an inter frame after what it refers to."""
    inter = samples[1]
    assert inter[0] & 1 == 0
    assert inter[3] & 0b11 == 0b10  # as large as the first frame that it refers to
    assert not passes(inter[:3] + bytes([inter[3] | 1]) + inter[4:])
    key = samples[0]
    header = _Bits(key[:8] + bytes([key[8] | 0x08]) + key[9:])
    with pytest.raises(NotOurs):
        _frame_type(header, SIZE)


def test_the_index_of_a_superframe_is_found_in_the_whole_file() -> None:
    film = bytearray(encode())
    film[-1] = 0xC8
    assert plain_structure(bytes(film)) is None


@pytest.mark.parametrize(
    "changed",
    [
        PARAMETERS + b"Mia",
        PARAMETERS[:-1],
        b"",
        PARAMETERS[:5] + b"\x0f" + PARAMETERS[6:],  # no level
        PARAMETERS[:6] + b"\xa2" + PARAMETERS[7:],  # ten bits
        PARAMETERS[:7] + b"\x09" + PARAMETERS[8:],  # other colours
        b"\x01\x00\x00\x00\x02" + PARAMETERS[5:],  # profile 2
    ],
)
def test_nothing_is_behind_the_parameters(changed: bytes) -> None:
    Vp9.check_configuration(PARAMETERS, SIZE)
    with pytest.raises(NotOurs):
        Vp9.check_configuration(changed, SIZE)


def test_data_for_the_decoder_are_refused_in_the_whole_file() -> None:
    film = encode()
    at = film.index(b"vpcC") + 4
    longer = film[: at + 10] + b"\x00\x03Mia" + film[at + 12 :]
    assert plain_structure(film) is not None
    assert plain_structure(longer) is None


def test_key_frames_that_the_index_does_not_list_are_found() -> None:
    film = bytearray(encode())
    struct.pack_into(">I", film, film.index(b"stss") + 12, 2)
    assert plain_structure(bytes(film)) is None
