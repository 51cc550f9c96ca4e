"""A picture that was not copied completely is never judged by the half that arrived."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from consent_gate.model import Reason
from ingest.decoding.decode import DecodeError, DecodeLimits, decode
from tests.support import images as made

FORMATS: dict[str, dict[str, object]] = {
    "JPEG": {},
    "JPEG progressive": {"progressive": True},
    "PNG": {},
    "WEBP": {},
    "WEBP lossless": {"lossless": True},
    "GIF": {},
    "BMP": {},
    "AVIF": {},
    "TIFF": {},
    "TIFF lzw": {"compression": "tiff_lzw"},
    "TIFF deflate": {"compression": "tiff_adobe_deflate"},
    "TIFF jpeg": {"compression": "jpeg"},
}
CUTS = 60


def whole(name: str) -> bytes:
    return made.saved(made.scene(), name.split(maxsplit=1)[0], **FORMATS[name])


def judged(data: bytes) -> str | None:
    """The hash of the judged pixels, or None where the picture is held."""
    try:
        return decode(data, DecodeLimits()).pixels_sha256
    except DecodeError:
        return None


@pytest.mark.parametrize("name", FORMATS)
def test_a_short_copy_is_held_wherever_it_stopped(name: str) -> None:
    data = whole(name)
    complete = judged(data)
    assert complete is not None
    for end in np.linspace(0, len(data) - 1, CUTS).astype(int):
        assert judged(data[:end]) in (None, complete), f"cut at {end} of {len(data)}"


@pytest.mark.parametrize("name", FORMATS)
def test_a_copy_that_windows_padded_with_zeros_is_held(name: str) -> None:
    data = whole(name)
    complete = judged(data)
    for kept in np.linspace(0, len(data) - 4097, CUTS).astype(int):
        padded = data[:kept] + bytes(len(data) - kept)
        assert judged(padded) in (None, complete), f"zeros from {kept} of {len(data)}"


def test_a_cut_photo_closed_with_an_end_marker_is_held() -> None:
    assert judged(made.baseline_cut_and_closed()) is None


def test_a_progressive_photo_that_never_got_sharp_is_held() -> None:
    assert judged(made.progressive_cut_and_closed()) is None


def test_a_photo_that_declares_more_rows_than_it_has_is_held() -> None:
    assert judged(made.jpeg_declaring(320, 400)) is None


def test_a_grey_photo_is_not_taken_for_a_cut_one() -> None:
    assert judged(made.saved(Image.new("RGB", (64, 64), (127, 127, 127)), "JPEG")) is not None


def test_a_png_with_a_wrong_checksum_is_held() -> None:
    data = bytearray(made.saved(made.scene(), "PNG"))
    data[data.index(b"IDAT") + 500] ^= 1
    assert judged(bytes(data)) is None


def test_an_empty_file_is_held_as_empty() -> None:
    with pytest.raises(DecodeError, match="empty"):
        decode(b"", DecodeLimits())


@pytest.mark.parametrize(
    "data",
    [
        made.png_declaring(60_000, 60_000),
        made.jpeg_declaring(60_000, 60_000),
        made.png_declaring(9_000, 9_000),
    ],
)
def test_a_picture_that_claims_to_be_huge_is_held_before_it_is_decoded(data: bytes) -> None:
    with pytest.raises(DecodeError, match="80 megapixels") as held:
        decode(data, DecodeLimits())
    assert held.value.reason is Reason.NOT_EXAMINED


def test_a_school_can_allow_only_smaller_pictures() -> None:
    with pytest.raises(DecodeError, match="larger"):
        decode(made.jpeg(), DecodeLimits(max_pixels=320 * 200 - 1))


def test_the_sentence_for_staff_holds_nothing_of_the_file() -> None:
    with pytest.raises(DecodeError) as held:
        decode(f"{made.CHILD} swims".encode(), DecodeLimits())
    assert made.CHILD not in str(held.value)
