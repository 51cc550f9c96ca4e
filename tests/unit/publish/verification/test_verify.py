"""A rendition that carries anything but the judged picture is refused."""

from __future__ import annotations

import dataclasses
import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consent_gate.model import Box, Colour
from publish.rendering.heads import head_of
from publish.rendering.redact import Redaction
from publish.rendering.render import Chroma, ImageFormat, RenditionSpec, render, scaled_size
from publish.verification.likeness import expected_size
from publish.verification.verify import Expected, FindingCode, verify, verify_pixels
from tests.support import images as made
from tests.support.budgets import examples

FACE = Box(120, 60, 60, 80)

FOUND_AS = {
    "exif with gps, serial and a name": {
        FindingCode.MARKER_NOT_ALLOWED,
        FindingCode.METADATA_FOUND,
    },
    "exif thumbnail of the uncropped original": {
        FindingCode.MARKER_NOT_ALLOWED,
        FindingCode.METADATA_FOUND,
    },
    "comment with a name": {FindingCode.COMMENT},
    "photoshop caption": {FindingCode.MARKER_NOT_ALLOWED},
    "extended xmp": {FindingCode.MARKER_NOT_ALLOWED},
    "content credentials": {FindingCode.MARKER_NOT_ALLOWED},
    "icc profile with a name": {FindingCode.PROFILE_NOT_OURS},
    "motion photo": {FindingCode.DATA_AFTER_END},
    "second picture": {FindingCode.SEVERAL_PICTURES, FindingCode.DATA_AFTER_END},
    "gain map": {FindingCode.SEVERAL_PICTURES, FindingCode.MARKER_NOT_ALLOWED},
    "jpeg and zip": {FindingCode.DATA_AFTER_END},
    "jpeg and web page": {FindingCode.COMMENT, FindingCode.DATA_AFTER_END},
}


def codes(data: bytes, expected: Expected | None = None) -> set[FindingCode]:
    return {finding.code for finding in verify(data, expected)}


def judged(spec: RenditionSpec) -> Expected:
    return Expected(made.scene(), spec)


def test_every_made_carrier_has_its_finding() -> None:
    assert set(FOUND_AS) == set(made.CARRIERS)


@pytest.mark.parametrize("carrier", FOUND_AS)
def test_what_a_picture_carries_along_is_found(carrier: str) -> None:
    assert codes(made.CARRIERS[carrier]()) >= FOUND_AS[carrier]


@pytest.mark.parametrize("progressive", [True, False])
@pytest.mark.parametrize("chroma", list(Chroma))
@pytest.mark.parametrize("quality", [40, 85, 95])
@pytest.mark.parametrize("max_side", [97, 1600])
def test_what_we_render_passes(
    progressive: bool, chroma: Chroma, quality: int, max_side: int
) -> None:
    spec = RenditionSpec(max_side, quality, progressive, chroma)
    assert verify(render(made.scene(), spec), judged(spec)) == []


def test_a_covered_and_cropped_picture_passes() -> None:
    covers = (
        Redaction(FACE, head_of(FACE)),
        Redaction(Box(200, 90, 40, 50), head_of(Box(200, 90, 40, 50)), None),
    )
    spec = RenditionSpec(max_side=240, crop=Box(20, 10, 280, 180), redactions=covers)
    assert verify(render(made.scene(), spec), judged(spec)) == []


@pytest.mark.parametrize("fill", made.COVER_FILLS)
def test_a_forgotten_cover_is_found(fill: Colour | None) -> None:
    noisy = np.random.default_rng(1).integers(0, 255, (200, 320, 3), np.uint8)
    rgb = np.asarray((made.scene() * 0.7 + noisy * 0.3), np.uint8)
    asked = RenditionSpec(redactions=(Redaction(FACE, head_of(FACE), fill),))
    assert codes(render(rgb, RenditionSpec()), Expected(rgb, asked)) == {FindingCode.WRONG_PIXELS}


def test_another_picture_is_found() -> None:
    other = render(made.scene(seed=5), RenditionSpec())
    assert codes(other, judged(RenditionSpec())) == {FindingCode.WRONG_PIXELS}


def test_one_strange_face_in_the_picture_is_found() -> None:
    tampered = made.scene()
    tampered[90:106, 150:166] = 255 - tampered[90:106, 150:166]
    assert codes(render(tampered, RenditionSpec()), judged(RenditionSpec())) == {
        FindingCode.WRONG_PIXELS
    }


@pytest.mark.parametrize("top", [0, 60, 64, 130, 185])
def test_a_strange_patch_is_found_in_every_strip_and_a_cover_across_two_is_left_out(
    top: int,
) -> None:
    tampered = made.scene()
    strange = tampered[top : top + 15, 150:166]
    strange[:] = 0 if strange.mean() > 128 else 255
    data = render(tampered, RenditionSpec())
    assert codes(data, judged(RenditionSpec())) == {FindingCode.WRONG_PIXELS}
    patch = Box(146, max(0, top - 4), 24, 23)
    covered = RenditionSpec(redactions=(Redaction(patch, patch),))
    assert verify(render(tampered, covered), judged(covered)) == []


@pytest.mark.parametrize("progressive", [True, False])
def test_a_picture_that_was_cut_and_closed_is_found(progressive: bool) -> None:
    spec = RenditionSpec(progressive=progressive)
    data = render(made.scene(), spec)
    scan = data.index(b"\xff\xda")
    half = data[: (scan + len(data)) // 2].rstrip(b"\xff")
    assert codes(half + b"\xff\xd9", judged(spec))


def test_the_pixels_that_were_compared_are_those_that_a_reader_sees() -> None:
    data = render(made.scene(), RenditionSpec())
    pixels = verify_pixels(data, judged(RenditionSpec())).pixels
    assert pixels is not None
    assert np.array_equal(pixels, np.asarray(Image.open(io.BytesIO(data))))
    other = judged(RenditionSpec(max_side=100, kind=ImageFormat.WEBP))
    assert verify_pixels(data, other).pixels is None


def test_swapped_colours_are_found() -> None:
    swapped = np.ascontiguousarray(made.scene()[..., ::-1])
    assert codes(render(swapped, RenditionSpec()), judged(RenditionSpec())) == {
        FindingCode.WRONG_PIXELS
    }


def test_a_picture_lying_on_its_side_is_found() -> None:
    lying = np.ascontiguousarray(np.rot90(made.scene(240, 240)))
    expected = Expected(made.scene(240, 240), RenditionSpec())
    assert codes(render(lying, RenditionSpec()), expected) == {FindingCode.WRONG_PIXELS}


def test_another_crop_is_found() -> None:
    asked = RenditionSpec(crop=Box(0, 0, 160, 100))
    got = dataclasses.replace(asked, crop=Box(160, 100, 160, 100))
    assert codes(render(made.scene(), got), judged(asked)) == {FindingCode.WRONG_PIXELS}


def test_another_size_is_found() -> None:
    got = render(made.scene(), RenditionSpec(max_side=200))
    assert codes(got, judged(RenditionSpec(max_side=199))) == {FindingCode.WRONG_SIZE}


@settings(max_examples=examples(500))
@given(st.integers(1, 6000), st.integers(1, 6000), st.integers(1, 3000))
def test_writer_and_checker_agree_on_every_size(width: int, height: int, max_side: int) -> None:
    blank = np.broadcast_to(np.zeros(3, np.uint8), (height, width, 3))
    spec = RenditionSpec(max_side=max_side)
    assert scaled_size(width, height, max_side) == expected_size(blank, spec)


def test_a_size_that_ends_on_half_a_pixel_is_agreed() -> None:
    blank = np.broadcast_to(np.zeros(3, np.uint8), (2112, 1430, 3))
    assert expected_size(blank, RenditionSpec(max_side=1200)) == scaled_size(1430, 2112, 1200)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", FindingCode.NOT_JPEG),
        (made.saved(made.scene(), "PNG"), FindingCode.NOT_JPEG),
        (made.jpeg()[:-2], FindingCode.MALFORMED),
        (made.jpeg()[:400], FindingCode.MALFORMED),
        (made.jpeg() + b"\x00", FindingCode.DATA_AFTER_END),
        (made.jpeg(icc_profile=None), FindingCode.PROFILE_NOT_OURS),
        (made.jpeg(exif=b"Exif\x00\x00"), FindingCode.MARKER_NOT_ALLOWED),
        (made.jpeg(Image.new("CMYK", (8, 8))), FindingCode.FRAME_NOT_OURS),
        (
            made.with_segments(made.jpeg(), made.segment(0xE0, b"JFXX\x00\x10")),
            FindingCode.JFIF_NOT_PLAIN,
        ),
        (
            made.with_segments(made.jpeg(), made.segment(0xDB, bytes(70))),
            FindingCode.TABLE_NOT_PLAIN,
        ),
        (
            made.with_segments(made.jpeg(), made.segment(0xDD, bytes(9))),
            FindingCode.TABLE_NOT_PLAIN,
        ),
        (made.with_segments(made.jpeg(), b"\xff\xff\xff"), FindingCode.MALFORMED),
    ],
)
def test_anything_but_a_plain_published_picture_is_found(data: bytes, code: FindingCode) -> None:
    assert code in codes(data)


def test_a_thumbnail_in_the_jfif_header_is_found() -> None:
    data = bytearray(made.jpeg())
    data[4:6], data[18:20] = (19).to_bytes(2, "big"), b"\x01\x01"
    data[20:20] = b"\x11\x22\x33"
    assert codes(bytes(data)) == {FindingCode.JFIF_NOT_PLAIN}


@settings(deadline=None, max_examples=examples(150))
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=4), st.booleans())
def test_no_damaged_picture_stops_the_check(
    changes: list[tuple[int, int]], progressive: bool
) -> None:
    data = bytearray(render(made.scene(64, 48), RenditionSpec(progressive=progressive)))
    for position, value in changes:
        data[position % len(data)] = value
    assert isinstance(verify(bytes(data), Expected(made.scene(64, 48), RenditionSpec())), list)


@settings(deadline=None, max_examples=examples(60))
@given(st.binary(min_size=1, max_size=40), st.integers(0, 2000))
def test_bytes_put_in_between_segments_or_behind_are_always_found(extra: bytes, where: int) -> None:
    data = made.jpeg(made.scene(64, 48))
    frame = data.index(b"\xff\xc0")
    at = where % 20 if where % 20 in (0, 2) else frame
    assert verify(data[:at] + extra + data[at:])
    assert verify(data + extra)


@settings(deadline=None, max_examples=examples(40))
@given(
    st.tuples(*[st.integers(0, 190)] * 2, *[st.integers(1, 60)] * 2),
    st.sampled_from(made.COVER_FILLS),
    st.sampled_from([200, 64, 31]),
)
def test_a_covered_face_of_any_size_can_be_published(
    place: tuple[int, int, int, int], fill: Colour | None, max_side: int
) -> None:
    """A check that staff could never satisfy would be worked around."""
    rgb = np.random.default_rng(2).integers(0, 255, (200, 200, 3), np.uint8)
    rgb[:] = cv2.GaussianBlur(rgb, (0, 0), 2)
    spec = RenditionSpec(
        max_side=max_side, redactions=(Redaction(Box(*place), head_of(Box(*place)), fill),)
    )
    assert verify(render(rgb, spec), Expected(rgb, spec)) == []
