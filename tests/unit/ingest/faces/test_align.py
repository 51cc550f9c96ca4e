"""Aligned face crops: upright, averaged down, and black outside the picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.faces.align import ARCFACE_TEMPLATE, aligned_crop, dlib_square


def pattern(size: int = 112) -> NDArray[np.uint8]:
    """A picture with detail everywhere, the same each time."""
    random = np.random.default_rng(0)
    return random.integers(60, 200, size=(size, size, 3), dtype=np.uint8)


def test_an_aligned_face_stays_as_it_is() -> None:
    picture = pattern()
    assert np.array_equal(aligned_crop(picture, ARCFACE_TEMPLATE)[2:-2, 2:-2], picture[2:-2, 2:-2])


def test_a_face_lying_on_its_side_is_turned_upright() -> None:
    picture = pattern()
    on_its_side = np.ascontiguousarray(np.rot90(picture))
    points = np.stack([ARCFACE_TEMPLATE[:, 1], 111 - ARCFACE_TEMPLATE[:, 0]], axis=1)
    crop = aligned_crop(on_its_side, points.astype(np.float32)).astype(int)
    assert np.abs(crop - picture)[4:-4, 4:-4].mean() < 2


def test_a_large_face_is_averaged_down_not_sampled() -> None:
    checks = np.indices((1120, 1120)).sum(axis=0) % 2 * 255
    picture = np.repeat(checks[:, :, None], 3, axis=2).astype(np.uint8)
    crop = aligned_crop(picture, (ARCFACE_TEMPLATE * 10).astype(np.float32))
    assert np.abs(crop[4:-4, 4:-4].astype(int) - 128).max() < 20


def test_a_face_outside_the_picture_gives_a_black_crop() -> None:
    crop = aligned_crop(pattern(), ARCFACE_TEMPLATE + 5000)
    assert crop.shape == (112, 112, 3)
    assert not crop.any()


def test_landmarks_in_one_point_do_not_end_the_run() -> None:
    crop = aligned_crop(pattern(), np.zeros((5, 2), np.float32))
    assert crop.shape == (112, 112, 3)
    assert dlib_square(np.zeros((5, 2), np.float32))[2] >= 1
