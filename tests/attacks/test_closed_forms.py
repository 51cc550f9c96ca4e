"""A picture that a person closed comes in again in another form: another format, a frame, a
screenshot, or a moment of an animation or a film."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageOps

from consent_gate.matching.copies.picture_hash import (
    BURST_DISTANCE,
    COPY_DISTANCE,
    HASHED_SIDE,
    MAX_PICTURES,
    STORED_BYTES,
    distances,
    picture_hashes,
)
from consent_gate.matching.gallery import gallery_of
from consent_gate.matching.shipped_thresholds import shipped_thresholds
from ingest.decoding.decode import DecodeLimits, decode
from ingest.film.frame_hashes import MAX_FRAMES, FrameHashes
from ingest.film.scenes import thumbnail_of
from ingest.workers import worker
from ingest.workers.worker_config import WorkerConfig
from tests.support.animations import animation
from tests.support.drawn_people import ANN, drawn_film, examine_drawn
from tests.support.drawn_people import scene as drawn_scene

Pixels = NDArray[np.uint8]

SIZE = (480, 360)


@cache
def photo(seed: int) -> Image.Image:
    """A photo-like picture: soft shapes in random places, in the size of a small photo."""
    rng = np.random.default_rng(seed)
    grey = np.zeros((SIZE[1], SIZE[0]), np.float32)
    for cells, share in ((5, 0.5), (9, 0.3), (17, 0.2)):
        coarse = rng.integers(0, 255, (cells, cells)).astype(np.float32)
        grey += share * cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)
    return Image.fromarray(grey.clip(0, 255).astype(np.uint8)).convert("RGB")


def luma_of(picture: Image.Image) -> Pixels:
    small = picture.convert("L")
    small.thumbnail((HASHED_SIDE, HASHED_SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.uint8)


def distance(hashes: bytes, closed: Image.Image) -> int:
    stored = picture_hashes(luma_of(closed))[:STORED_BYTES]
    return int(distances(hashes, [stored])[0])


def is_held(copy: Image.Image, closed: Image.Image) -> bool:
    return distance(picture_hashes(luma_of(copy)), closed) <= COPY_DISTANCE


def encoded(picture: Image.Image, fmt: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, fmt)
    return out.getvalue()


@pytest.mark.parametrize("fmt", ["PNG", "WEBP", "AVIF", "TIFF", "BMP", "GIF", "JPEG"])
def test_a_closed_picture_in_another_format_is_recognised(fmt: str) -> None:
    file = encoded(photo(1), fmt)
    copy = Image.fromarray(decode(file, DecodeLimits()).rgb)
    assert is_held(copy, photo(1))
    assert not is_held(copy, photo(2))


def framed(share: float, colour: str) -> Callable[[Image.Image], Image.Image]:
    return lambda picture: ImageOps.expand(picture, round(share * picture.width), colour)


def instant_picture(picture: Image.Image) -> Image.Image:
    """As an instant camera prints it: a wider border below."""
    paper = Image.new("RGB", (picture.width + 60, picture.height + 150), "#f6f4ee")
    paper.paste(picture, (30, 30))
    return paper


def phone_screenshot(picture: Image.Image) -> Image.Image:
    """Upright, with a clock above and signs below the picture."""
    screen = Image.new("RGB", (SIZE[0], SIZE[0] * 13 // 6), "black")
    screen.paste(picture, (0, 340))
    draw = ImageDraw.Draw(screen)
    draw.text((30, 20), "12:41", "white", font_size=24)
    draw.text((360, 20), "5G 87 %", "white", font_size=24)
    for x in (90, 200, 310, 420):
        draw.ellipse((x - 16, 960, x + 16, 992), outline="white", width=3)
    return screen


def desktop_screenshot(picture: Image.Image) -> Image.Image:
    """In a window, with a title bar and a task bar."""
    screen = Image.new("RGB", (960, 540), "#202020")
    screen.paste(picture, (240, 60))
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, 960, 30), fill="#f0f0f0")
    draw.text((20, 6), "Photos - IMG_2033.jpg", "black", font_size=16)
    draw.rectangle((0, 510, 960, 540), fill="#c8c8c8")
    for x in range(20, 380, 30):
        draw.rectangle((x, 514, x + 20, 536), fill="#505050")
    return screen


@pytest.mark.parametrize(
    "form",
    [
        framed(0.05, "white"),
        framed(0.12, "white"),
        framed(0.25, "black"),
        instant_picture,
        phone_screenshot,
        desktop_screenshot,
        lambda picture: framed(0.12, "white")(ImageOps.mirror(picture)),
        lambda picture: framed(0.12, "white")(picture.crop((20, 10, 470, 350))),
        lambda picture: framed(0.1, "black")(framed(0.1, "white")(picture)),
    ],
)
def test_a_closed_picture_in_a_frame_or_on_a_screen_is_recognised(
    form: Callable[[Image.Image], Image.Image],
) -> None:
    assert is_held(form(photo(1)), photo(1))
    assert not is_held(form(photo(2)), photo(1))


@pytest.mark.costly
@pytest.mark.parametrize(
    ("fmt", "at"), [("GIF", 0), ("GIF", 5), ("WEBP", 3), ("PNG", 3), ("film", 3)]
)
def test_a_closed_picture_is_recognised_as_any_moment_of_an_animation(fmt: str, at: int) -> None:
    """The poster shows another moment: the one with most people."""
    shown = [drawn_scene((ANN, 20 + n, 100)) for n in range(6)]
    height, width = shown[0].shape[:2]
    shown[at] = np.asarray(photo(1).resize((width, height)), np.uint8)
    data = drawn_film(shown) if fmt == "film" else animation(shown, fmt, 200)
    result = examine_drawn(data)
    assert not np.array_equal(result.poster, shown[at])
    assert distance(result.hashes, photo(1)) <= COPY_DISTANCE
    assert distance(result.hashes, photo(2)) > BURST_DISTANCE


def test_a_closed_picture_between_many_others_in_a_slide_show_is_recognised() -> None:
    """Two pictures that take turns, as in a flicker, are kept once each."""
    hashes = FrameHashes()
    for seed in (3, 4, 3, 4, 3, 4, 1, 4, 3, 5, 6, 7, 8, 9):
        picture = np.asarray(photo(seed), np.uint8)
        hashes.add(picture, thumbnail_of(picture))
    made = hashes.hashes()
    assert len(made) == 8 * 8 * STORED_BYTES
    assert distance(made, photo(1)) <= COPY_DISTANCE


def test_a_film_of_endless_pictures_has_a_bounded_number_of_hashes() -> None:
    rng, hashes = np.random.default_rng(0), FrameHashes()
    for _ in range(3 * MAX_FRAMES):
        coarse = rng.integers(0, 255, (4, 6, 3), dtype=np.uint8)
        picture = np.asarray(cv2.resize(coarse, (64, 48)), np.uint8)
        hashes.add(picture, thumbnail_of(picture))
    assert MAX_FRAMES // 3 < len(hashes._frames) <= MAX_FRAMES


@pytest.mark.costly
def test_a_worker_answers_with_the_hashes_of_other_frames_than_the_poster() -> None:
    worker.start(WorkerConfig(gallery_of(()), shipped_thresholds(), DecodeLimits()))
    frames = [np.asarray(photo(seed), np.uint8) for seed in (3, 1)]
    examination = worker.examine_film(io.BytesIO(animation(frames, "GIF", 200)))
    assert examination.preview is not None
    poster = Image.open(io.BytesIO(examination.preview))
    assert not is_held(poster, photo(1))
    assert distance(examination.hashes, photo(1)) <= COPY_DISTANCE
    assert distance(examination.hashes[:STORED_BYTES], photo(3)) <= COPY_DISTANCE


def test_a_worker_that_answers_with_endless_hashes_costs_no_more_than_a_film() -> None:
    other = picture_hashes(luma_of(photo(2)))
    beyond = other * MAX_PICTURES + picture_hashes(luma_of(photo(1)))
    assert distance(beyond, photo(1)) > BURST_DISTANCE
