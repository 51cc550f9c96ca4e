"""A film whose file is not whole is told from one that is, before and after it is decoded."""

from __future__ import annotations

import io

import pytest

from ingest.decoding.decode import DecodeError
from ingest.film.completeness import PictureCount, stored_pictures


def counted(stored: int | None, packets: int, frames: int, *, interlaced: bool = False) -> None:
    count = PictureCount(stored)
    for _ in range(packets):
        count.add_packet(100, is_discarded=False)
    for _ in range(frames):
        count.add_frame(is_interlaced=interlaced)
    count.check()


def test_every_stored_picture_must_come_out_of_the_decoder() -> None:
    counted(25, 25, 25)
    counted(None, 25, 25)
    with pytest.raises(DecodeError):
        counted(25, 24, 24)  # libav left out a cluster
    with pytest.raises(DecodeError):
        counted(None, 25, 24)  # the decoder left out a picture


def test_two_fields_are_one_frame_and_hidden_pictures_are_not_missed() -> None:
    counted(None, 50, 25, interlaced=True)
    with pytest.raises(DecodeError):
        counted(None, 50, 24, interlaced=True)
    count = PictureCount(3)
    count.add_packet(100, is_discarded=True)  # an edit list hides it
    count.add_packet(100, is_discarded=False)
    count.add_packet(100, is_discarded=False)
    count.add_packet(0, is_discarded=False)  # repeats the picture before
    count.add_frame(is_interlaced=False)
    count.add_frame(is_interlaced=False)
    count.check()


def packet(stream: int, counter: int, flags: int = 0x10, adaptation: bytes = b"") -> bytes:
    head = bytes([0x47, stream >> 8, stream & 0xFF, flags | counter])
    return (head + adaptation).ljust(188, b"\xff")


def film(*counters: int) -> bytes:
    return b"".join(packet(256, counter) for counter in counters)


def test_no_packet_of_a_transport_stream_may_be_missing() -> None:
    whole = film(13, 14, 15, 0, 1, 1, 2)  # a packet may come twice
    assert stored_pictures(io.BytesIO(whole)) is None
    for damaged in (
        film(13, 14, 0, 1, 2, 3),
        whole[:-1],
        whole[: 6 * 188] + b"x" + whole[6 * 188 + 1 :],
    ):
        with pytest.raises(DecodeError):
            stored_pictures(io.BytesIO(damaged))


def test_a_counter_may_begin_anew_only_where_the_stream_says_so() -> None:
    told = packet(256, 9, flags=0x30, adaptation=b"\x01\x80")
    assert stored_pictures(io.BytesIO(film(1, 2, 3, 4) + told + film(10, 11))) is None
    with pytest.raises(DecodeError):
        stored_pictures(io.BytesIO(film(1, 2, 3, 4) + packet(256, 9) + film(10, 11)))


def test_a_packet_that_the_recorder_marked_as_damaged_is_refused() -> None:
    broken = bytearray(film(1, 2, 3, 4, 5, 6))
    broken[2 * 188 + 1] |= 0x80
    with pytest.raises(DecodeError):
        stored_pictures(io.BytesIO(bytes(broken)))
