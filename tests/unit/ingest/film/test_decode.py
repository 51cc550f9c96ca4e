"""Decode films: upright, complete, bounded, or not at all."""

from __future__ import annotations

import gc
import io
import struct
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from consent_gate.model import Reason
from ingest.decoding.decode import DecodeError
from ingest.film import libav
from ingest.film.decode import FilmReader
from ingest.film.frames import JudgedFrame
from ingest.film.libav import FilmLimits
from tests.support.films import HEIGHT, RGB, WIDTH, drawn_frames, make_film

pytestmark = pytest.mark.costly


def read(film: bytes, limits: FilmLimits | None = None) -> tuple[FilmReader, list[JudgedFrame]]:
    with FilmReader(io.BytesIO(film), limits) as reader:
        return reader, list(reader.frames())


def refusal(film: bytes, limits: FilmLimits | None = None) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        read(film, limits)
    return caught.value


def corner_frames(count: int = 10) -> list[RGB]:
    """White, with a red square in the upper left corner."""
    picture = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    picture[:80, :80] = (255, 0, 0)
    return [picture] * count


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp4", "libx264"),
        ("mov", "libx265"),
        ("matroska", "libx264"),
        ("webm", "libvpx-vp9"),
        ("mpegts", "libx264"),
        ("avi", "mpeg4"),
        ("mp4", "libsvtav1"),
    ],
)
def test_every_frame_of_every_format_is_judged(container: str, codec: str) -> None:
    reader, frames = read(make_film(container=container, codec=codec))
    assert len(frames) == reader.frames_judged == 25
    assert frames[0].time == 0
    assert frames[-1].time == pytest.approx(0.96, abs=0.01)
    assert frames[0].rgb.shape == (HEIGHT, WIDTH, 3)


def test_the_same_file_gives_the_same_frames() -> None:
    film = make_film()
    assert read(film)[0].frames_sha256 == read(film)[0].frames_sha256
    other = make_film(drawn_frames(24))
    assert read(film)[0].frames_sha256 != read(other)[0].frames_sha256


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_turned_film_is_judged_upright(rotation: int) -> None:
    """The film is stored lying on its side, with a display matrix that turns it back."""
    upright = corner_frames(5)
    stored = [np.rot90(picture, -rotation // 90) for picture in upright]
    reader, frames = read(make_film(stored, rotation=rotation))
    assert frames[0].rgb.shape == (HEIGHT, WIDTH, 3)
    assert (reader.facts.width, reader.facts.height) == (WIDTH, HEIGHT)
    red = frames[0].rgb[20:60, 20:60].reshape(-1, 3).mean(axis=0)
    assert red[0] > 200
    assert red[1] < 60


def test_a_film_turned_by_some_other_angle_is_refused() -> None:
    assert refusal(make_film(rotation=30)).reason is Reason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("rate", [50, 60])
def test_of_a_fast_film_every_second_frame_is_judged(rate: int) -> None:
    reader, frames = read(make_film(drawn_frames(30), rate=rate))
    assert len(frames) == 15
    assert reader.frames_decoded == 30


def test_times_come_from_the_frames_and_not_from_the_rate() -> None:
    times = [Fraction(n, 10) if n < 5 else Fraction(1, 2) + Fraction(n - 5, 25) for n in range(10)]
    _, frames = read(make_film(drawn_frames(10), times=times))
    assert [frame.time for frame in frames] == pytest.approx([float(t) for t in times], abs=0.002)


@pytest.mark.parametrize("container", ["mp4", "matroska", "avi", "webm"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_a_film_that_was_cut_short_is_not_examined(container: str, part: float) -> None:
    codec = {"avi": "mpeg4", "webm": "libvpx-vp9"}.get(container, "libx264")
    film = make_film(drawn_frames(75), container=container, codec=codec)
    assert refusal(film[: int(len(film) * part)]).reason is Reason.NOT_EXAMINED


def test_a_film_whose_index_comes_first_and_whose_end_is_missing_is_not_examined() -> None:
    film = make_film(drawn_frames(75), muxer={"movflags": "frag_keyframe+empty_moov"})
    whole = make_film(drawn_frames(75))
    assert refusal(moov_first(whole)[: int(len(whole) * 0.7)]).reason is Reason.NOT_EXAMINED
    assert len(read(film)[1]) == 75


def moov_first(film: bytes) -> bytes:
    """The film with its index before its pictures; the offsets are mended."""
    boxes, start = {}, 0
    while start < len(film):
        size, kind = struct.unpack_from(">I4s", film, start)
        boxes[kind] = film[start : start + size]
        start += size
    moov, offset = bytearray(boxes[b"moov"]), len(boxes[b"moov"])
    at = moov.index(b"stco")
    (count,) = struct.unpack_from(">I", moov, at + 8)
    for entry in range(count):
        place = at + 12 + 4 * entry
        (value,) = struct.unpack_from(">I", moov, place)
        struct.pack_into(">I", moov, place, value + offset)
    return (
        boxes[b"ftyp"]
        + bytes(moov)
        + b"".join(box for kind, box in boxes.items() if kind not in (b"ftyp", b"moov"))
    )


@pytest.mark.parametrize(
    ("container", "codec"),
    [("mp4", "libx264"), ("mp4", "libx265"), ("mpegts", "libx264")],
)
def test_a_film_damaged_in_the_middle_is_not_examined(container: str, codec: str) -> None:
    film = bytearray(make_film(drawn_frames(75), container=container, codec=codec))
    middle = len(film) // 2
    film[middle : middle + 2000] = np.random.default_rng(3).bytes(2000)
    assert refusal(bytes(film)).reason is Reason.NOT_EXAMINED


def test_two_films_in_one_file_are_refused() -> None:
    assert "several films" in refusal(make_film(second_video=True)).message


def test_sound_and_cover_art_are_listed_and_not_judged() -> None:
    reader, frames = read(make_film(sound=True))
    assert [stream.kind for stream in reader.facts.streams] == ["video", "audio"]
    assert len(frames) == 25
    reader, frames = read(make_film(container="mp4", cover=True))
    assert sorted(stream.kind for stream in reader.facts.streams) == ["cover", "video"]
    assert frames[0].rgb.shape == (HEIGHT, WIDTH, 3)


def test_frames_that_an_edit_list_hides_are_not_judged() -> None:
    film = bytearray(make_film(drawn_frames(50), options={"bf": "0"}))
    at = film.index(b"elst")
    (media_time,) = struct.unpack_from(">i", film, at + 16)
    struct.pack_into(">i", film, at + 16, media_time + 12800)  # skips one second
    struct.pack_into(">I", film, at + 12, 1000)
    _, frames = read(bytes(film))
    assert len(frames) < 30


@pytest.mark.parametrize("transfer", [16, 18])
def test_a_high_dynamic_range_film_is_refused(transfer: int) -> None:
    film = make_film(
        codec="libx265", pix_fmt="yuv420p10le", colours={"color_trc": transfer, "colorspace": 9}
    )
    assert "HDR" in refusal(film).message


def test_ten_bits_are_judged_like_eight() -> None:
    film = make_film(corner_frames(), codec="libx265", pix_fmt="yuv420p10le")
    red = read(film)[1][0].rgb[20:60, 20:60].reshape(-1, 3).mean(axis=0)
    assert red[0] > 200
    assert red[1] < 60


def test_fields_are_made_into_whole_frames() -> None:
    """A bar that moves sideways between the fields is torn into a comb if fields are not mended."""
    frames = []
    for number in range(12):
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        for field in (0, 1):
            left = 20 + 16 * (2 * number + field) // 2
            picture[field::2, left : left + 40] = 255
        frames.append(picture)
    film = make_film(frames, options={"x264-params": "tff=1"})
    _, judged = read(film)
    assert len(judged) >= 11

    def tearing(picture: RGB) -> float:
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
        return float(np.abs(grey[1:-1] - (grey[:-2] + grey[2:]) / 2).mean())

    assert tearing(judged[5].rgb) < 0.5 * tearing(frames[5])


def test_a_large_film_is_judged_at_the_largest_size_that_is_published() -> None:
    picture = np.zeros((1440, 2560, 3), np.uint8)
    reader, frames = read(make_film([picture] * 3))
    assert frames[0].rgb.shape == (1080, 1920, 3)
    assert (reader.facts.width, reader.facts.height) == (2560, 1440)


def test_pixels_that_are_not_square_are_made_square() -> None:
    assert libav.in_square_pixels(1440, 1080, Fraction(4, 3)) == (1920, 1080)
    assert libav.in_square_pixels(1440, 1080, Fraction(0)) == (1440, 1080)
    assert libav.in_square_pixels(1440, 1080, Fraction(1000)) == (1440, 1080)


def test_a_film_beyond_a_limit_is_refused() -> None:
    film = make_film(drawn_frames(75))
    assert "longer" in refusal(film, FilmLimits(max_seconds=2)).message
    assert "larger" in refusal(film, FilmLimits(max_frame_pixels=WIDTH * HEIGHT - 1)).message
    many = FilmLimits(max_seconds=3, max_frames_per_second=10)
    assert "longer" in refusal(film, many).message


def test_a_rare_decoder_is_not_used() -> None:
    film = make_film(container="matroska", codec="ffv1")
    assert refusal(film).reason is Reason.UNSUPPORTED_FORMAT


def test_a_file_that_only_begins_like_a_film_is_not_examined() -> None:
    for head in (b"\x00\x00\x00\x18ftypmp42", b"\x1aE\xdf\xa3", b"RIFF\x00\x00\x00\x00AVI "):
        assert refusal(head + bytes(5000)).reason is Reason.NOT_EXAMINED


def test_without_the_extra_a_film_is_held_with_the_right_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(libav, "find_spec", lambda _: None)
    error = refusal(make_film())
    assert error.reason is Reason.UNSUPPORTED_FORMAT
    assert "consent-gate[film]" in error.message


def test_no_frame_stays_in_memory_with_its_threads() -> None:
    """A worker has a limit of memory, and each frame that stays keeps threads of the scaler."""
    film = make_film(drawn_frames(30))
    read(film)  # what is made once stays
    tasks = Path("/proc/self/task")
    gc.collect()
    gc.disable()
    try:
        before = len(list(tasks.iterdir()))
        read(film)
        assert len(list(tasks.iterdir())) <= before
    finally:
        gc.enable()
