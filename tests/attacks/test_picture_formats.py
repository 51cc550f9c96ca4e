"""Pictures as phones write them: what is judged and published is what a viewer shows, turned once.

An ordinary picture is not held for its gain map, its depth map or its tiles. A picture that a
viewer shows otherwise, or of which a part is missing, is held.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from consent_gate.model import Reason
from ingest.decoding.decode import DecodedImage, DecodeError, DecodeLimits, decode
from publish.rendering.render import RenditionSpec, render
from tests.support import heif_files as heif
from tests.support import images as made
from tests.support.heif_files import HeifFile

UPRIGHT = [made.RED, made.GREEN, made.BLUE, made.YELLOW]
TURNED = [made.GREEN, made.YELLOW, made.RED, made.BLUE]
"""The corners after a quarter turn anticlockwise."""

HALF = np.zeros((200, 320, 3), np.uint8)
HALF[:, :160] = 255


def judged(data: bytes) -> DecodedImage:
    return decode(data, DecodeLimits())


def why_held(data: bytes) -> str:
    with pytest.raises(DecodeError) as held:
        judged(data)
    return held.value.message


def heic(*properties: bytes, brand: bytes = b"heic") -> HeifFile:
    file = HeifFile(brand)
    file.add_picture(made.scene(), *properties)
    return file


def with_aux(meaning: bytes) -> bytes:
    file = heic()
    file.add_aux(HALF, meaning)
    return file.content()


def with_another_thumbnail() -> bytes:
    file = heic()
    file.refer(b"thmb", file.add_picture(made.scene(160, 100, seed=9)), 1)
    return file.content()


def burst() -> bytes:
    file = heic()
    file.add_picture(made.scene(seed=5))
    return file.content()


def ultra_hdr() -> bytes:
    """Android's form: a second JPEG behind the first, and ISO 21496-1 in a segment APP2."""
    iso = made.segment(0xE2, b"urn:iso:std:iso:ts:21496:-1\x00" + bytes(4))
    return made.with_segments(made.multi_picture(gain_map=True), iso)


PHONES: dict[str, Callable[[], bytes]] = {
    "HEIC": lambda: heic().content(),
    "HEIC of tiles": lambda: heif.tiles(made.scene()).content(),
    "gain map of Apple": lambda: with_aux(heif.APPLE_GAIN_MAP),
    "gain map of ISO": lambda: heif.gain_map_of_iso(made.scene(), HALF).content(),
    "Ultra HDR": ultra_hdr,
    "depth map": lambda: with_aux(heif.DEPTH),
    "another thumbnail": with_another_thumbnail,
    "burst": burst,
    "AVIF": lambda: heic(brand=b"avif").content(),
}


@pytest.mark.parametrize("form", PHONES)
def test_an_ordinary_picture_of_a_phone_is_examined(form: str) -> None:
    rgb = judged(PHONES[form]()).rgb
    assert rgb.shape == (200, 320, 3)
    assert np.abs(rgb.astype(int) - made.scene()).mean() < 6
    published = render(rgb, RenditionSpec())
    assert published.count(b"\xff\xd8\xff") == 1
    assert b"hdrgm" not in published


@pytest.mark.parametrize("brand", [b"heic", b"avif"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turn_of_the_file_wins_over_exif_and_is_made_once(brand: bytes, orientation: int) -> None:
    file = heic(heif.turned(1), brand=brand)
    file.add_exif(made.exif(orientation).tobytes())
    assert made.corners(judged(file.content()).rgb) == TURNED


def test_what_is_transparent_in_a_heic_is_white() -> None:
    rgb = judged(with_aux(heif.ALPHA)).rgb
    assert (rgb[:, 170:] > 250).all()
    assert np.abs(rgb[:, :150].astype(int) - made.scene()[:, :150]).mean() < 6


@pytest.mark.parametrize("kept", [0.1, 0.5])
def test_a_heic_with_a_tile_that_is_cut_short_is_held(kept: float) -> None:
    """The decoder leaves the rest of the tile green and reports no error."""
    file = heif.tiles(made.scene(1280, 800))
    tile = file.items[3]
    tile.data = tile.data[: round(len(tile.data) * kept)]
    assert "damaged" in why_held(file.content())


def test_a_green_poster_is_not_taken_for_a_damaged_picture() -> None:
    green = np.full((96, 96, 3), (0, 128, 0), np.uint8)
    file = HeifFile()
    file.add_picture(green)
    assert judged(file.content()).rgb.shape == (96, 96, 3)


def test_an_avif_of_which_viewers_show_a_part_is_held() -> None:
    """Somebody has cropped a child away, and the file still has the whole picture."""
    assert "only a part" in why_held(heic(heif.cropped(160, 100), brand=b"avif").content())


@pytest.mark.parametrize("brand", [b"heic", b"avif"])
def test_hdr_pixels_are_held(brand: bytes) -> None:
    file = heic(heif.colours(heif.HDR_PQ), brand=brand)
    assert "HDR" in why_held(file.content())


@pytest.mark.parametrize(("transfer", "is_held"), [(16, True), (18, True), (13, False)])
def test_a_png_that_says_it_is_hdr_is_held(transfer: int, is_held: bool) -> None:
    body = b"cICP" + bytes([9, transfer, 0, 1])
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    whole = made.saved(made.scene(), "PNG")
    data = whole[:33] + chunk + whole[33:]
    if is_held:
        assert "HDR" in why_held(data)
    else:
        assert made.corners(judged(data).rgb) == UPRIGHT


@pytest.mark.parametrize("marker", [0xC3, 0xC5, 0xC7, 0xCB, 0xCF, 0xF7])
def test_a_jpeg_that_no_viewer_shows_is_held_with_its_kind(marker: int) -> None:
    """Decoders take some of them for pictures in other colours."""
    data = made.jpeg().replace(b"\xff\xc0", bytes([0xFF, marker]), 1)
    assert "rare kind of JPEG" in why_held(data)


def test_a_jpeg_of_twelve_bits_is_held_with_its_kind() -> None:
    data = bytearray(made.jpeg())
    data[data.index(b"\xff\xc0") + 4] = 12
    with pytest.raises(DecodeError) as held:
        judged(bytes(data))
    assert held.value.reason is Reason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("stored", [0, 9, 65_535])
def test_an_orientation_that_is_none_turns_nothing(stored: int) -> None:
    assert made.corners(judged(made.jpeg(exif=made.exif(stored))).rgb) == UPRIGHT


def test_an_orientation_in_xmp_turns_nothing() -> None:
    words = b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    packet = made.segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + words)
    assert made.corners(judged(made.with_segments(made.jpeg(), packet)).rgb) == UPRIGHT
