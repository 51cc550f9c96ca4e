"""Every picture is decoded upright, in true colours and whole, as it will be shown."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageFile

from consent_gate.model import Reason
from ingest.decoding.decode import (
    DecodedImage,
    DecodeError,
    DecodeLimits,
    decode,
    pixels_sha256,
)
from ingest.decoding.formats import Format
from tests.support import images as made

UPRIGHT = [made.RED, made.GREEN, made.BLUE, made.YELLOW]


def decoded(data: bytes) -> DecodedImage:
    return decode(data, DecodeLimits())


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


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_taken_with_the_camera_turned_is_upright_once(fmt: str, orientation: int) -> None:
    data = made.saved(made.lying(orientation), fmt, exif=made.exif(orientation))
    image = decoded(data)
    assert image.rgb.shape == (200, 320, 3)
    assert made.corners(image.rgb) == UPRIGHT


def test_a_nonsense_orientation_leaves_the_picture_as_it_is() -> None:
    assert made.corners(decoded(made.jpeg(exif=made.exif(77))).rgb) == UPRIGHT


@pytest.mark.parametrize("size", [(1, 1), (7, 64), (33, 65), (50, 200)])
def test_every_row_is_copied(size: tuple[int, int]) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    data = made.saved(rgb, "PNG")
    assert np.array_equal(decoded(data).rgb, rgb)


def test_the_same_bytes_always_give_the_same_pixels() -> None:
    data = made.jpeg(exif=made.exif(6))
    assert decoded(data).pixels_sha256 == decoded(data).pixels_sha256


def test_the_hash_tells_a_wide_picture_from_a_high_one_with_the_same_bytes() -> None:
    wide = np.zeros((2, 8, 3), np.uint8)
    assert pixels_sha256(wide) != pixels_sha256(wide.reshape(8, 2, 3))


def test_judged_pixels_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValueError, match="read-only"):
        decoded(made.jpeg()).rgb[0, 0] = 0


def test_the_ending_of_the_name_is_never_asked() -> None:
    assert decoded(made.saved(made.scene(), "PNG")).format is Format.PNG


def test_what_lies_under_full_transparency_is_not_judged_and_not_shown() -> None:
    colours = {tuple(c) for c in decoded(made.see_through_png()).rgb.reshape(-1, 3).tolist()}
    assert colours == {(255, 0, 0), (255, 255, 255)}


def test_a_transparent_palette_shows_white() -> None:
    drawing = Image.new("P", (8, 8), 0)
    drawing.putpalette([10, 20, 30, 200, 100, 50])
    drawing.paste(1, (0, 0, 4, 8))
    rgb = decoded(made.saved(drawing, "GIF", transparency=0)).rgb
    assert rgb[0, 0].tolist() == [200, 100, 50]
    assert rgb[0, 7].tolist() == [255, 255, 255]


def test_sixteen_bit_grey_keeps_its_shades() -> None:
    ramp = decoded(made.png_grey16()).rgb[0, :, 0].astype(int)
    assert np.abs(ramp - np.arange(256)).max() <= 1


def test_black_and_white_scans_are_black_and_white() -> None:
    rgb = decoded(made.saved(Image.fromarray(made.scene()).convert("1"), "TIFF")).rgb
    assert set(np.unique(rgb).tolist()) == {0, 255}


@pytest.mark.parametrize("fmt", ["JPEG", "TIFF"])
def test_a_print_shops_inks_become_screen_colours(fmt: str) -> None:
    inks = Image.new("CMYK", (64, 64), (0, 255, 255, 0))
    red, green, blue = decoded(made.saved(inks, fmt)).rgb[32, 32].tolist()
    assert red > 200
    assert green < 60
    assert blue < 60


def test_a_phones_wide_colours_are_brought_to_srgb() -> None:
    wide = _profile_with_swapped_primaries()
    red = np.full((32, 32, 3), (255, 0, 0), np.uint8)
    judged = decoded(made.saved(red, "PNG", icc_profile=wide)).rgb[16, 16].tolist()
    assert judged[1] > 200, "red of this profile is the green of sRGB"
    assert judged[0] < 60


def test_a_damaged_colour_profile_does_not_stop_a_picture() -> None:
    assert made.corners(decoded(made.jpeg(icc_profile=b"not a profile")).rgb) == UPRIGHT


def test_a_profile_for_other_pixels_is_ignored() -> None:
    grey = Image.fromarray(made.scene()).convert("L")
    rgb_profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb = decoded(made.saved(grey, "JPEG", icc_profile=rgb_profile)).rgb
    assert np.array_equal(rgb[..., 0], rgb[..., 1])


def test_pixels_without_an_agreed_look_are_held() -> None:
    depth = Image.fromarray(np.linspace(0, 9, 64, dtype=np.float32).reshape(8, 8))
    with pytest.raises(DecodeError) as held:
        decoded(made.saved(depth, "TIFF"))
    assert held.value.reason is Reason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("carrier", made.CARRIERS)
def test_only_the_first_picture_of_a_file_is_judged(carrier: str) -> None:
    image = decoded(made.CARRIERS[carrier]())
    assert image.rgb.shape == (200, 320, 3)
    assert np.abs(image.rgb.astype(int) - made.scene()).mean() < 6


@pytest.mark.parametrize("fmt", ["GIF", "PNG", "WEBP", "AVIF"])
def test_a_moving_picture_is_held(fmt: str) -> None:
    with pytest.raises(DecodeError, match="animated") as held:
        decoded(made.frames(fmt))
    assert held.value.reason is Reason.UNSUPPORTED_FORMAT


def test_a_frame_that_flashes_up_once_is_found() -> None:
    """The first frames are the same: only the last shows somebody else."""
    still, other = made.gif_block(made.scene()), made.gif_block(made.scene(seed=3))
    with pytest.raises(DecodeError, match="animated"):
        decoded(made.gif_of(still, still, still, other))


def test_an_animation_of_one_picture_is_a_picture() -> None:
    still = made.gif_block(made.scene())
    once, often = decoded(made.gif_of(still)), decoded(made.gif_of(still, still, still))
    assert often.pixels_sha256 == once.pixels_sha256


def test_an_animation_too_long_to_look_through_is_held() -> None:
    still = made.gif_block(made.scene())
    limits = DecodeLimits(max_pixels=2 * 320 * 200)
    assert decode(made.gif_of(still, still), limits)
    with pytest.raises(DecodeError, match="animated"):
        decode(made.gif_of(still, still, still), limits)


def test_a_file_of_several_pages_is_held() -> None:
    with pytest.raises(DecodeError, match="several pages"):
        decoded(made.frames("TIFF"))


def test_a_library_that_lets_cut_pictures_through_is_overruled() -> None:
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with pytest.raises(DecodeError):
            decoded(made.saved(made.scene(), "BMP")[:-2000])
        assert ImageFile.LOAD_TRUNCATED_IMAGES is False
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def _profile_with_swapped_primaries() -> bytes:
    """An sRGB profile whose red and green have changed places."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    assert ImageCms.ImageCmsProfile(io.BytesIO(bytes(profile)))
    return bytes(profile)


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
