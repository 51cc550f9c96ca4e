"""Every picture is judged upright, in true colours, exactly as it will be shown."""

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


@pytest.mark.parametrize("fmt", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_taken_with_the_camera_turned_is_upright_once(fmt: str, orientation: int) -> None:
    data = made.saved(made.lying(orientation), fmt, exif=made.exif(orientation))
    image = decoded(data)
    assert image.rgb.shape == (200, 320, 3)
    assert made.corners(image.rgb) == UPRIGHT


def test_a_nonsense_orientation_leaves_the_picture_as_it_is() -> None:
    assert made.corners(decoded(made.jpeg(exif=made.exif(77))).rgb) == UPRIGHT


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
