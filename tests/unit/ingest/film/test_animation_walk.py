"""The parts of animated pictures: what is shown for how long, and whether the file is whole."""

from __future__ import annotations

import struct

import pytest

from ingest.decoding.decode import DecodeError
from ingest.film.animation_walk import MAX_PICTURES, animation_of, is_film, may_be_animated
from tests.support import images
from tests.support.animations import FORMATS, animation, png_chunks, png_of, with_webp_chunk
from tests.support.drawn_people import ANN, scene

FRAMES = [scene((ANN, 20 + 10 * n, 100)) for n in range(3)]


@pytest.mark.parametrize("fmt", FORMATS)
def test_each_picture_is_counted_with_the_time_for_which_browsers_show_it(fmt: str) -> None:
    data = animation(FRAMES, fmt, [0, 20, 3000])
    assert is_film(data)
    found = animation_of(data)
    assert found is not None
    assert found.delays_ms == (100, 20, 3000)
    assert (found.width, found.height) == (320, 240)


@pytest.mark.parametrize("fmt", FORMATS)
def test_one_picture_is_a_photo(fmt: str) -> None:
    still = animation(FRAMES[:1], fmt)
    assert not may_be_animated(still) or animation_of(still) is None
    assert may_be_animated(still) == (fmt == "GIF"), "a GIF is known only by its end"
    assert not is_film(images.jpeg())


def test_an_animation_is_known_behind_a_colour_profile_and_remarks() -> None:
    chunks = list(png_chunks(animation(FRAMES, "PNG")))
    remarks = [(b"tEXt", b"Comment\0" + bytes(20_000))] * 3
    assert is_film(png_of(chunks[:1] + remarks + chunks[1:])[: 64 << 10])


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_cut_is_refused(fmt: str) -> None:
    """A cut file would have fewer pictures, and nobody would know."""
    data = animation(FRAMES, fmt)
    whole = animation_of(data)
    for end in range(100, len(data) - 1, 7):
        try:
            found = animation_of(data[:end])
        except DecodeError:
            continue
        assert found is None, "the decoder of photos refuses what it cannot read"
    assert animation_of(data) == whole


@pytest.mark.parametrize("fmt", FORMATS)
def test_data_behind_the_end_are_refused(fmt: str) -> None:
    data = animation(FRAMES, fmt)
    with pytest.raises(DecodeError):
        animation_of(data + animation(FRAMES, "GIF"))
    assert animation_of(data + bytes(100)) == animation_of(data), "Windows fills up with zeros"


def test_a_picture_outside_the_canvas_is_refused() -> None:
    block = images.gif_block(FRAMES[0])
    outside = block[:1] + struct.pack("<HH", 300, 0) + block[5:]
    whole = b"GIF89a" + struct.pack("<HH", 320, 240) + bytes(3)
    assert animation_of(whole + block * 2 + b";") is not None
    with pytest.raises(DecodeError):
        animation_of(whole + block + outside + b";")
    frame = list(png_chunks(animation(FRAMES, "PNG")))
    at = max(n for n, (kind, _) in enumerate(frame) if kind == b"fcTL")
    body = frame[at][1]
    frame[at] = (b"fcTL", body[:12] + struct.pack(">I", 310) + body[16:])
    with pytest.raises(DecodeError):
        animation_of(png_of(frame))


def test_a_bomb_of_tiny_pictures_ends_at_the_limit() -> None:
    head = b"GIF89a" + struct.pack("<HH", 1, 1) + bytes(3)
    tiny = b"," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\x00\x02\x01\x00\x00"
    assert animation_of(head + tiny * MAX_PICTURES + b";") is not None
    with pytest.raises(DecodeError):
        animation_of(head + tiny * (MAX_PICTURES + 1) + b";")


def test_a_png_that_states_another_number_of_pictures_is_refused() -> None:
    chunks = dict(enumerate(png_chunks(animation(FRAMES, "PNG"))))
    (at,) = [n for n, (kind, _) in chunks.items() if kind == b"acTL"]
    chunks[at] = (b"acTL", struct.pack(">II", 2, 0))
    with pytest.raises(DecodeError):
        animation_of(png_of(chunks.values()))


def test_a_damaged_picture_of_a_png_is_refused_and_a_damaged_remark_is_not() -> None:
    chunks = list(png_chunks(animation(FRAMES, "PNG")))
    data = png_of([*chunks[:-1], (b"tEXt", b"Comment\0school"), chunks[-1]])
    damaged = data.replace(b"school", b"skhool")
    assert animation_of(damaged) is not None
    at = data.rindex(b"fdAT") + 12
    with pytest.raises(DecodeError):
        animation_of(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])


def test_chunks_of_metadata_change_nothing() -> None:
    data = animation(FRAMES, "WEBP")
    more = with_webp_chunk(with_webp_chunk(data, b"EXIF", bytes(2)), b"XMP ", b"<name>Mia</name>")
    assert animation_of(more) == animation_of(data)
    with pytest.raises(DecodeError):
        animation_of(with_webp_chunk(data, b"ANMG", bytes(40)))


def test_a_hidden_picture_is_known_and_must_be_covered_as_a_whole() -> None:
    hidden = animation(FRAMES, "PNG", hidden=scene())
    found = animation_of(hidden)
    assert found is not None
    assert found.has_hidden_picture
    assert len(found.delays_ms) == 3
    chunks = list(png_chunks(hidden))
    at = next(n for n, (kind, _) in enumerate(chunks) if kind == b"fcTL")
    body = chunks[at][1]
    chunks[at] = (b"fcTL", body[:25] + b"\x01")
    with pytest.raises(DecodeError):
        animation_of(png_of(chunks))
