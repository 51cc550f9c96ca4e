"""Incomplete copies are recognised in pictures cut short or filled with zeros."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache

import pytest

from ingest.decoding.completeness import is_complete
from tests.support.images import archive_of_pictures, frames, jpeg, office_file, saved, scene

PICTURES: dict[str, Callable[[], bytes]] = {
    "jpeg": lambda: jpeg(scene(800, 600)),
    "progressive": lambda: jpeg(scene(800, 600), progressive=True),
    "png": lambda: saved(scene(800, 600), "PNG"),
    "webp": lambda: saved(scene(800, 600), "WEBP", quality=95),
    "gif": lambda: frames("GIF"),
    "tiff": lambda: saved(scene(800, 600), "TIFF"),
    "avif": lambda: saved(scene(800, 600), "AVIF"),
}


@cache
def picture(kind: str) -> bytes:
    return PICTURES[kind]()


@pytest.mark.parametrize("kind", PICTURES)
def test_a_complete_picture_has_arrived(kind: str) -> None:
    assert is_complete(picture(kind))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_cut_short_is_waited_for(kind: str, share: float) -> None:
    data = picture(kind)
    assert not is_complete(data[: int(len(data) * share)])


@pytest.mark.parametrize("kind", sorted(set(PICTURES) - {"tiff"}))
def test_a_picture_whose_place_was_reserved_with_zeros_is_waited_for(kind: str) -> None:
    data = picture(kind)
    half = len(data) // 2
    assert not is_complete(data[:half] + bytes(len(data) - half + 70_000))


def test_a_reserved_file_of_which_nothing_came_yet_is_waited_for() -> None:
    assert not is_complete(bytes(4_000_000))


def test_a_raw_file_is_waited_for_until_its_sensor_data_are_there() -> None:
    sub = 8 + 2 + 12 + 4
    main = struct.pack("<H", 1) + struct.pack("<HHII", 330, 4, 1, sub) + struct.pack("<I", 0)
    strips = [(273, 4, 1, 200), (279, 4, 1, 50_000)]
    raw = struct.pack("<H", 2) + b"".join(struct.pack("<HHII", *s) for s in strips) + bytes(4)
    head = (b"II*\x00\x08\x00\x00\x00" + main + raw).ljust(200, b"\x01")
    assert not is_complete(head + b"\x01" * 49_999)
    assert is_complete(head + b"\x01" * 50_000)


def test_a_tiff_whose_directories_go_round_in_a_circle_ends() -> None:
    assert is_complete(b"II*\x00\x08\x00\x00\x00" + struct.pack("<HI", 0, 8) + b"\x01" * 64)


@pytest.mark.parametrize("data", [office_file(), archive_of_pictures(), b"Dear parents"])
def test_what_is_no_picture_is_taken_as_it_is(data: bytes) -> None:
    assert is_complete(data)
