"""A camera raw file is judged by its sensor data, not by its thumbnail."""

from __future__ import annotations

import pytest

from consent_gate.model import Reason
from ingest.decoding.decode import DecodeError, DecodeLimits, decode
from ingest.decoding.formats import Format
from tests.support.images import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    corners,
    raw_file,
    saved,
    scene,
)
from tests.support.raw_images import dng

LIMITS = DecodeLimits()


def test_a_raw_file_is_judged_by_what_the_sensor_saw_not_by_its_thumbnail() -> None:
    picture = decode(dng(scene(320, 200)), LIMITS)
    assert picture.format is Format.RAW
    assert picture.rgb.shape == (200, 320, 3)
    assert corners(picture.rgb) == [RED, GREEN, BLUE, YELLOW]


def test_a_raw_file_is_developed_to_the_same_pixels_every_time() -> None:
    data = dng(scene(320, 200))
    assert decode(data, LIMITS).pixels_sha256 == decode(data, LIMITS).pixels_sha256


def test_a_raw_file_taken_upright_is_turned_once() -> None:
    picture = decode(dng(scene(320, 200), orientation=6), LIMITS)
    assert picture.rgb.shape == (320, 200, 3)
    assert corners(picture.rgb) == [BLUE, RED, YELLOW, GREEN]


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_raw_file_cut_short_is_held(share: float) -> None:
    data = dng(scene(320, 200))
    with pytest.raises(DecodeError) as held:
        decode(data[: int(len(data) * share)], LIMITS)
    assert held.value.reason is Reason.NOT_EXAMINED


def test_a_raw_file_whose_end_is_zeros_is_held() -> None:
    data = dng(scene(320, 200))
    with pytest.raises(DecodeError) as held:
        decode(data[:-20_000] + bytes(20_000), LIMITS)
    assert held.value.reason is Reason.NOT_EXAMINED


def test_a_raw_file_too_large_is_held_before_it_is_developed() -> None:
    with pytest.raises(DecodeError, match="megapixels"):
        decode(dng(scene(320, 200)), DecodeLimits(max_pixels=1000))


@pytest.mark.parametrize("kind", ["cr2", "cr3", "nef", "arw", "dng"])
def test_a_raw_file_that_cannot_be_developed_is_held_with_a_hint(kind: str) -> None:
    with pytest.raises(DecodeError) as held:
        decode(raw_file(kind).ljust(6000, b"\x01"), LIMITS)
    assert held.value.reason in {Reason.UNSUPPORTED_FORMAT, Reason.NOT_EXAMINED}


def test_a_tiff_is_still_a_tiff() -> None:
    assert decode(saved(scene(), "TIFF"), LIMITS).format is Format.TIFF
