"""Animated pictures are judged picture by picture, as a browser shows them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ingest.decoding.decode import DecodeError
from ingest.film import animation as reader_module
from ingest.film.animation import AnimationReader, only_picture, open_frames
from ingest.film.frames import JUDGED_SIDE, JudgedFrame
from ingest.film.libav import FilmLimits
from tests.support.animations import animation
from tests.support.drawn_people import ANN, BEN, scene

FRAMES = [scene((ANN, 20 + 10 * n, 100)) for n in range(4)]


def judged(data: bytes, limits: FilmLimits | None = None) -> list[JudgedFrame]:
    with open_frames(io.BytesIO(data), limits) as reader:
        return list(reader.frames())


@pytest.mark.parametrize(
    ("fmt", "disposal"),
    [("WEBP", 0), ("PNG", 0), ("PNG", 1), ("GIF", 0), ("GIF", 1), ("GIF", 2)],
)
def test_every_picture_is_judged_at_its_time(fmt: str, disposal: int) -> None:
    data = animation(FRAMES, fmt, [0, 20, 3000, 40], disposal=disposal)
    with open_frames(io.BytesIO(data)) as reader:
        frames = list(reader.frames())
        assert reader.seconds == pytest.approx(3.16)
        assert reader.frames_judged == reader.frames_decoded == 4
        digest = reader.frames_sha256
    assert [frame.time for frame in frames] == pytest.approx([0, 0.1, 0.12, 3.12])
    for frame, drawn in zip(frames, FRAMES, strict=True):
        assert np.array_equal(frame.rgb, drawn)
    with open_frames(io.BytesIO(data)) as again:
        list(again.frames())
        assert again.frames_sha256 == digest


def test_transparent_parts_are_white_and_what_is_hidden_in_them_is_gone() -> None:
    clear = np.dstack([FRAMES[0], np.zeros((240, 320), np.uint8)])
    out = io.BytesIO()
    pictures = [Image.fromarray(clear), Image.fromarray(np.flip(clear, 1).copy())]
    pictures[0].save(
        out, "WEBP", save_all=True, append_images=pictures[1:], lossless=True, exact=True
    )
    assert all((frame.rgb == 255).all() for frame in judged(out.getvalue()))


def test_a_file_with_one_picture_is_given_back_as_a_photo() -> None:
    still = animation(FRAMES[:1], "GIF")
    assert only_picture(io.BytesIO(still)) == still
    assert only_picture(io.BytesIO(animation(FRAMES, "GIF"))) is None
    assert only_picture(io.BytesIO(b"")) is None


def test_a_turned_animation_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = animation([scene((ANN, 20, 100)), scene((BEN, 20, 100))], "WEBP", exif=exif)
    with open_frames(io.BytesIO(data)) as reader:
        first = next(reader.frames())
        assert (reader.facts.width, reader.facts.height) == (240, 320)
    assert first.rgb.shape == (320, 240, 3)
    assert np.array_equal(first.rgb, np.rot90(scene((ANN, 20, 100)), -1))


def test_large_pictures_are_scaled_down_and_larger_ones_refused() -> None:
    large = animation([np.full((30, 2 * JUDGED_SIDE, 3), grey, np.uint8) for grey in (0, 9)], "PNG")
    assert judged(large)[0].rgb.shape == (15, JUDGED_SIDE, 3)
    with pytest.raises(DecodeError, match="larger than 4K"):
        judged(large, FilmLimits(max_frame_pixels=1000))


def test_a_long_animation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    data = animation(FRAMES, "GIF", 40_000)
    with pytest.raises(DecodeError, match="longer than 1 minutes"):
        judged(data, FilmLimits(max_seconds=60))
    monkeypatch.setattr(reader_module, "MAX_BYTES", 1000)
    with pytest.raises(DecodeError, match="too large"):
        only_picture(io.BytesIO(data))


def test_a_decoder_that_finds_other_pictures_than_the_file_has_is_not_believed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("PIL.GifImagePlugin.GifImageFile.n_frames", 3)
    with pytest.raises(DecodeError, match="damaged"):
        judged(animation(FRAMES, "GIF"))


def test_without_the_part_for_films_the_reason_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_module, "is_installed", lambda: False)
    with pytest.raises(DecodeError, match="not installed"):
        judged(animation(FRAMES, "GIF"))
    assert only_picture(io.BytesIO(animation(FRAMES[:1], "GIF"))), "one picture needs no films"


def test_the_reader_of_films_is_used_for_films() -> None:
    with pytest.raises(DecodeError):
        open_frames(io.BytesIO(b"no film"))
    with open_frames(io.BytesIO(animation(FRAMES, "PNG"))) as reader:
        assert isinstance(reader, AnimationReader)
