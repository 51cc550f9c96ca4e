"""A copy has the same pixels in a face; another picture of the scene has not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageFilter, ImageOps

from consent_gate.matching.copies.same_moment import is_other_moment
from consent_gate.model import Box

LEFT, RIGHT = Box(80, 120, 70, 80), Box(360, 130, 70, 80)


def texture(seed: int, width: int, height: int) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width), dtype=np.uint8)
    return ImageOps.autocontrast(Image.fromarray(noise).filter(ImageFilter.GaussianBlur(2)))


def scene(*people: int, room: int = 1) -> Image.Image:
    """A room with a textured wall. ``people`` are seeds of what stands at LEFT and RIGHT."""
    picture = texture(room, 512, 384)
    for person, box in zip(people, (LEFT, RIGHT), strict=False):
        picture.paste(texture(100 + person, box.width, box.height), (box.x, box.y))
    return picture


def pixels(picture: Image.Image) -> npt.NDArray[np.uint8]:
    return np.asarray(picture, dtype=np.uint8)


CLOSED = scene(1, 2)
FACES = (LEFT, RIGHT)


def test_other_people_in_the_same_room_are_another_moment() -> None:
    assert is_other_moment(pixels(CLOSED), FACES, pixels(scene(3, 4)), FACES)


def test_people_who_left_the_room_are_another_moment() -> None:
    later = scene(5, 6).transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    mirrored = [Box(512 - b.x - b.width, b.y, b.width, b.height) for b in FACES]
    assert is_other_moment(pixels(CLOSED), FACES, pixels(later), mirrored)


def test_one_face_with_the_same_pixels_makes_it_a_copy() -> None:
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(scene(1, 4)), FACES)
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(scene(3, 2)), FACES)


@pytest.mark.parametrize("covered", FACES)
def test_a_copy_with_one_face_covered_is_a_copy(covered: Box) -> None:
    copy = CLOSED.copy()
    copy.paste(255, (covered.x, covered.y, covered.x + covered.width, covered.y + covered.height))
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(copy), FACES)


def test_a_copy_with_a_caption_over_the_wall_is_a_copy() -> None:
    copy = CLOSED.copy()
    copy.paste(255, (0, 300, 512, 384))
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(copy), FACES)


def test_a_brighter_smaller_turned_copy_is_a_copy() -> None:
    copy = CLOSED.resize((256, 192)).rotate(90, expand=True).point(lambda v: min(255, v + 30))
    turned = [Box(b.y // 2, (512 - b.x - b.width) // 2, b.height // 2, b.width // 2) for b in FACES]
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(copy), turned)


def test_a_copy_that_was_stretched_is_a_copy() -> None:
    copy = CLOSED.resize((563, 384))
    wide = [Box(b.x * 11 // 10, b.y, b.width * 11 // 10, b.height) for b in FACES]
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(copy), wide)


def test_a_copy_photographed_at_a_slant_is_a_copy() -> None:
    corners = (0, 0, 20, 364, 512, 384, 492, 20)
    copy = CLOSED.transform(CLOSED.size, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC)
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(copy), FACES)


def test_a_copy_with_much_noise_is_a_copy() -> None:
    noise = np.random.default_rng(1).normal(0, 90, (384, 512))
    copy = np.clip(pixels(CLOSED) + noise, 0, 255).astype(np.uint8)
    assert not is_other_moment(pixels(CLOSED), FACES, copy, FACES)


def test_a_tiny_copy_is_a_copy() -> None:
    copy = CLOSED.resize((82, 61))
    tiny = [Box(b.x * 4 // 25, b.y * 4 // 25, b.width * 4 // 25, b.height * 4 // 25) for b in FACES]
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(copy), tiny)


@pytest.mark.parametrize("radius", [4, 6])
def test_a_copy_with_all_faces_blurred_is_a_copy(radius: int) -> None:
    copy = CLOSED.copy()
    for b in FACES:
        part = copy.crop((b.x, b.y, b.x + b.width, b.y + b.height))
        copy.paste(part.filter(ImageFilter.GaussianBlur(radius)), (b.x, b.y))
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(copy), FACES)


def test_without_a_face_in_one_picture_there_is_no_proof() -> None:
    later = pixels(scene(3, 4))
    assert not is_other_moment(pixels(CLOSED), (), later, FACES)
    assert not is_other_moment(pixels(CLOSED), FACES, later, ())


def test_pictures_that_cannot_be_laid_over_each_other_prove_nothing() -> None:
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(scene(3, 4, room=2)), FACES)
    flat = np.full((384, 512), 120, dtype=np.uint8)
    assert not is_other_moment(flat, FACES, flat, FACES)


def test_a_face_that_lies_outside_the_other_picture_proves_nothing() -> None:
    trimmed = scene(3, 4).crop((160, 0, 512, 384))
    faces = [Box(RIGHT.x - 160, RIGHT.y, RIGHT.width, RIGHT.height)]
    assert not is_other_moment(pixels(CLOSED), FACES, pixels(trimmed), faces)


def test_a_face_too_small_to_compare_proves_nothing() -> None:
    later = pixels(scene(3, 4))
    tiny = (*FACES, Box(10, 10, 5, 5))
    assert not is_other_moment(pixels(CLOSED), tiny, later, FACES)


def test_the_answer_does_not_change_from_call_to_call() -> None:
    later = pixels(scene(3, 4))
    answers = {is_other_moment(pixels(CLOSED), FACES, later, FACES) for _ in range(3)}
    assert answers == {True}


def test_even_surfaces_in_place_of_the_faces_prove_nothing() -> None:
    """Squares of one colour have no correlation that could be compared."""
    earlier, later = CLOSED.copy(), CLOSED.copy()
    for box in FACES:
        for picture, grey in ((earlier, 90), (later, 200)):
            picture.paste(grey, (box.x - 20, box.y - 20, box.x + 90, box.y + 100))
    assert not is_other_moment(pixels(earlier), FACES, pixels(later), FACES)
