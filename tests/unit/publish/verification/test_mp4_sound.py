"""A published film may have one track of AAC beside its picture, and nothing in it is free."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from publish.rendering.film import FilmEncoder
from publish.verification.mp4 import plain_structure, sound_in
from publish.verification.verify import verify
from tests.support.films import drawn_frames

CHANNELS = (1, 2)


def encode(channels: int, frames: int = 10) -> bytes:
    encoder = FilmEncoder(64, 48, channels)
    noise = np.random.default_rng(1).integers(-3000, 3000, (max(channels, 1), 1920 * frames))
    for number, frame in enumerate(drawn_frames(frames, 64, 48)):
        encoder.add(number / 25, frame)
        encoder.add_sound(noise[:, 1920 * number : 1920 * (number + 1)].astype(np.int16))
    return encoder.finish()


@pytest.mark.parametrize("channels", CHANNELS)
def test_our_own_film_with_sound_passes_and_says_what_it_is(channels: int) -> None:
    film = encode(channels)
    structure = plain_structure(film)
    assert structure is not None
    assert (structure.frames, structure.channels, structure.samples) == (10, channels, 19_200)
    assert verify(film) == []
    for name in (b"Lav", b"libfdk", b"SoundHandler", b"udta", b"sgpd"):
        assert name not in film


def test_every_bit_of_the_second_track_matters() -> None:
    """Except in the two bit rates."""
    film = encode(2)
    start = film.index(b"trak", film.index(b"trak") + 4)
    rates = film.index(b"esds") + 4 + 22
    for place in range(start, film.index(b"mdat") + 4):
        if place in range(rates, rates + 8):
            continue
        for bit in range(8):
            changed = bytearray(film)
            changed[place] ^= 1 << bit
            assert plain_structure(bytes(changed)) is None, (place, bit)


def test_a_silent_film_and_one_with_sound_are_told_apart() -> None:
    silent = plain_structure(encode(0))
    assert silent is not None
    assert silent.channels == silent.samples == 0


def test_bytes_between_the_packets_are_found() -> None:
    film = encode(1)
    mdat = film.index(b"mdat") - 4
    (size,) = struct.unpack_from(">I", film, mdat)
    longer = film[:mdat] + struct.pack(">I", size + 6) + film[mdat + 4 :] + b"secret"
    assert plain_structure(longer) is None


def test_a_packet_that_begins_with_data_instead_of_sound_is_found() -> None:
    film = encode(1)
    offsets = film.rindex(b"stco") + 12
    (first,) = struct.unpack_from(">I", film, offsets)
    changed = bytearray(film)
    changed[first] = 0b100_00000 | (changed[first] & 0x1F)  # a data stream element
    assert plain_structure(bytes(changed)) is None


def test_the_bytes_of_a_part_are_those_of_its_packets() -> None:
    film = encode(1, 50)
    track = sound_in(film[: film.index(b"mdat") - 4])
    structure = plain_structure(film)
    assert track is not None
    assert structure is not None
    start, end = film.index(b"mdat") + 4, len(film)
    whole = track.packets_between(0, 2000)
    early, late = track.packets_between(0, 500), track.packets_between(1500, 2000)
    assert whole is not None
    assert early is not None
    assert late is not None
    assert start <= whole[0] == early[0] < early[1] < late[0] < late[1] == whole[1] <= end
    assert track.packets_between(5000, 6000) is None
    silent = encode(0)
    assert sound_in(silent[: silent.index(b"mdat") - 4]) is None
    assert sound_in(b"") is None
