"""A file's format is recognised by its content, and staff are told what to do with others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ingest.decoding.formats import Format, UnsupportedFile, sniff
from tests.support import images as made


@pytest.mark.parametrize(
    ("pillow_name", "expected"),
    [
        ("JPEG", Format.JPEG),
        ("PNG", Format.PNG),
        ("WEBP", Format.WEBP),
        ("TIFF", Format.TIFF),
        ("AVIF", Format.AVIF),
        ("GIF", Format.GIF),
        ("BMP", Format.BMP),
    ],
)
def test_each_picture_format_is_known_by_its_content(pillow_name: str, expected: Format) -> None:
    assert sniff(made.saved(made.scene(), pillow_name)) is expected


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_is_known_in_either_byte_order(order: str) -> None:
    depth = Image.fromarray(np.zeros((4, 4), dtype=f"{order}u2"))
    assert sniff(made.saved(depth, "TIFF")) is Format.TIFF


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1"])
def test_a_phone_picture_is_known_by_its_brand(brand: bytes) -> None:
    assert sniff(b"\x00\x00\x00\x18ftyp" + brand + bytes(4) + b"mif1heic") is Format.HEIF


@pytest.mark.parametrize("brand", [b"hevc", b"msf1", b"avis"])
def test_a_burst_stored_as_a_sequence_is_said_to_move(brand: bytes) -> None:
    answer = sniff(b"\x00\x00\x00\x18ftyp" + brand + bytes(4) + b"mif1heic")
    assert isinstance(answer, UnsupportedFile)
    assert "animated" in answer.message


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"qt  "])
def test_a_film_is_not_a_picture(brand: bytes) -> None:
    answer = sniff(b"\x00\x00\x00\x18ftyp" + brand + bytes(8))
    assert isinstance(answer, UnsupportedFile)
    assert "film" in answer.message


@pytest.mark.parametrize("kind", ["cr2", "cr3", "dng", "nef", "arw"])
def test_a_camera_raw_file_is_not_judged_by_its_thumbnail(kind: str) -> None:
    assert sniff(made.raw_file(kind)) is Format.RAW


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (made.archive_of_pictures(), "archive"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(30), "archive"),
        (made.office_file("word"), "Office"),
        (made.office_file("ppt"), "Office"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "Office"),
        (b"%PDF-1.7\n", "PDF"),
        (b"8BPS\x00\x01", "drawing"),
        (b"<!doctype html><p>Hello", "text"),
        (b"BM is how this letter starts", "text"),
        (bytes(range(200, 256)), "not a picture"),
    ],
)
def test_staff_are_told_what_a_file_is_instead(data: bytes, word: str) -> None:
    answer = sniff(data)
    assert isinstance(answer, UnsupportedFile)
    assert word in answer.message


@given(st.binary(max_size=80) | st.binary(max_size=80).map(lambda tail: b"II*\x00" + tail))
def test_no_content_confuses_the_sniffer(data: bytes) -> None:
    assert isinstance(sniff(data), Format | UnsupportedFile)
