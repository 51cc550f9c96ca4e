"""WebP and AVIF renditions are verified as strictly as the JPEG."""

from __future__ import annotations

import dataclasses
import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consent_gate.model import Box
from publish.rendering.heads import head_of
from publish.rendering.redact import Redaction
from publish.rendering.render import ImageFormat, RenditionSpec, render
from publish.rendering.srgb import SRGB_PROFILE
from publish.verification.avif import HEAD
from publish.verification.likeness import compare
from publish.verification.verify import Expected, FindingCode, verify
from tests.support import images as made
from tests.support.budgets import examples, is_thorough

pytestmark = pytest.mark.costly

WEBP, AVIF = RenditionSpec(kind=ImageFormat.WEBP), RenditionSpec(kind=ImageFormat.AVIF)
BOTH = pytest.mark.parametrize("spec", [WEBP, AVIF], ids=lambda spec: spec.kind.value)

CHILD = made.CHILD.encode()


def codes(data: bytes, expected: Expected | None = None) -> set[FindingCode]:
    return {finding.code for finding in verify(data, expected)}


def picture(spec: RenditionSpec) -> bytes:
    return render(made.scene(), spec)


def judged(spec: RenditionSpec) -> Expected:
    return Expected(made.scene(), spec)


def exif() -> Image.Exif:
    tags = Image.Exif()
    tags[0x010E], tags[0x0110] = made.CHILD, "Canon EOS 2000D"
    return tags


def saved(spec: RenditionSpec, **options: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(made.scene()).save(out, spec.kind.value.upper(), **options)
    return out.getvalue()


def with_chunk(data: bytes, name: bytes, payload: bytes) -> bytes:
    """A WebP with one more chunk at its end, its lengths made right."""
    body = data[12:] + name + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body


@BOTH
@pytest.mark.parametrize("quality", [40, 85, 95])
@pytest.mark.parametrize("max_side", [97, 150, 1600])
def test_a_sibling_of_any_size_and_quality_passes(
    spec: RenditionSpec, quality: int, max_side: int
) -> None:
    wanted = dataclasses.replace(spec, quality=quality, max_side=max_side)
    assert verify(picture(wanted), judged(wanted)) == []


@BOTH
def test_the_same_pixels_give_the_same_sibling(spec: RenditionSpec) -> None:
    assert picture(spec) == picture(spec)


@BOTH
def test_one_pixel_makes_a_whole_sibling(spec: RenditionSpec) -> None:
    pixel = np.full((1, 1, 3), 90, np.uint8)
    assert verify(render(pixel, spec), Expected(pixel, spec)) == []


@BOTH
def test_a_forgotten_cover_is_found_in_a_sibling(spec: RenditionSpec) -> None:
    covered = dataclasses.replace(
        spec, redactions=(Redaction(Box(120, 60, 60, 80), head_of(Box(120, 60, 60, 80))),)
    )
    assert verify(picture(covered), judged(covered)) == []
    assert FindingCode.WRONG_PIXELS in codes(picture(spec), judged(covered))


@BOTH
def test_a_sibling_of_another_picture_or_size_is_found(spec: RenditionSpec) -> None:
    upside_down = Expected(np.ascontiguousarray(made.scene()[::-1]), spec)
    assert codes(picture(spec), upside_down) == {FindingCode.WRONG_PIXELS}
    smaller = dataclasses.replace(spec, max_side=64)
    assert codes(picture(spec), judged(smaller)) == {FindingCode.WRONG_SIZE}


def test_a_jpeg_cannot_pass_for_a_sibling_nor_a_sibling_for_the_jpeg() -> None:
    for asked in ImageFormat:
        for given_as in set(ImageFormat) - {asked}:
            data = picture(RenditionSpec(kind=given_as))
            assert codes(data, judged(RenditionSpec(kind=asked))) == {FindingCode.OTHER_FORMAT}


@BOTH
def test_camera_details_in_a_sibling_are_found(spec: RenditionSpec) -> None:
    data = saved(spec, exif=exif().tobytes(), icc_profile=SRGB_PROFILE)
    assert made.CHILD.encode() in data
    assert FindingCode.MARKER_NOT_ALLOWED in codes(data)


@BOTH
def test_an_xmp_packet_in_a_sibling_is_found(spec: RenditionSpec) -> None:
    data = saved(spec, xmp=b"<x:xmpmeta>" + CHILD + b"</x:xmpmeta>", icc_profile=SRGB_PROFILE)
    assert CHILD in data
    assert FindingCode.MARKER_NOT_ALLOWED in codes(data)


@BOTH
def test_a_moving_sibling_is_found(spec: RenditionSpec) -> None:
    frames = [Image.fromarray(made.scene()[::-1])]
    data = saved(spec, save_all=True, append_images=frames, duration=100)
    assert codes(data) & {
        FindingCode.SEVERAL_PICTURES,
        FindingCode.MARKER_NOT_ALLOWED,
        FindingCode.NOT_JPEG,
    }


@BOTH
def test_a_see_through_sibling_is_found(spec: RenditionSpec) -> None:
    transparent = Image.new("RGBA", (64, 64), (10, 20, 30, 40))
    out = io.BytesIO()
    transparent.save(out, spec.kind.value.upper())
    assert FindingCode.MARKER_NOT_ALLOWED in codes(out.getvalue())


@pytest.mark.parametrize("profile", [None, SRGB_PROFILE[:-4] + b"Ann!", SRGB_PROFILE + bytes(4)])
def test_a_webp_without_exactly_our_profile_is_found(profile: bytes | None) -> None:
    data = saved(WEBP, icc_profile=profile) if profile else saved(WEBP)
    assert codes(data) & {FindingCode.PROFILE_NOT_OURS, FindingCode.MARKER_NOT_ALLOWED}


def test_a_profile_in_an_avif_is_found() -> None:
    assert FindingCode.MARKER_NOT_ALLOWED in codes(saved(AVIF, icc_profile=SRGB_PROFILE))


def test_a_lossless_webp_is_not_ours() -> None:
    assert FindingCode.MARKER_NOT_ALLOWED in codes(
        saved(WEBP, lossless=True, icc_profile=SRGB_PROFILE)
    )


@pytest.mark.parametrize("name", [b"EXIF", b"XMP ", b"ICCP", b"VP8 ", b"ALPH", b"Ann "])
def test_one_more_chunk_in_a_webp_is_found(name: bytes) -> None:
    assert FindingCode.MARKER_NOT_ALLOWED in codes(with_chunk(picture(WEBP), name, CHILD))


@BOTH
@pytest.mark.parametrize("behind", [b"\x00", CHILD, b"PK\x03\x04" + CHILD])
def test_bytes_behind_a_sibling_are_found(spec: RenditionSpec, behind: bytes) -> None:
    assert FindingCode.DATA_AFTER_END in codes(picture(spec) + behind)


@BOTH
def test_a_sibling_cut_short_anywhere_is_found(spec: RenditionSpec) -> None:
    data = picture(spec)
    for end in (*range(0, 300, 7), len(data) // 2, len(data) - 1):
        assert codes(data[:end])


@BOTH
def test_no_bit_of_the_container_can_carry_anything(spec: RenditionSpec) -> None:
    """All that stands before the coded picture; a quick run tries one bit of each byte."""
    data = picture(spec)
    coded_at = HEAD if spec is AVIF else data.index(b"VP8 ") + 8
    unnoticed = []
    for at in range(coded_at):
        for bit in range(8) if is_thorough() else (at % 8,):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            if not verify(bytes(changed), judged(spec)):
                unnoticed.append((at, bit))
    assert unnoticed == []


@pytest.mark.parametrize("kind", [5, 15, 3, 6, 1])
def test_another_unit_in_the_coded_data_of_an_avif_is_found(kind: int) -> None:
    """Metadata, padding, another frame or header: with all lengths made right."""
    data = picture(AVIF)
    coded = data[HEAD:] + bytes([kind << 3 | 2, len(CHILD)]) + CHILD
    head = bytearray(data[:HEAD])
    length = data.index(b"iloc") + 4 + 18
    head[length : length + 4] = struct.pack(">I", len(coded))
    head[267:271] = struct.pack(">I", 8 + len(coded))
    assert codes(bytes(head) + coded) & {
        FindingCode.MARKER_NOT_ALLOWED,
        FindingCode.SEVERAL_PICTURES,
    }


@BOTH
@settings(max_examples=examples(150), deadline=None)
@given(data=st.data())
def test_no_damaged_sibling_stops_the_check(spec: RenditionSpec, data: st.DataObject) -> None:
    whole = bytearray(picture(dataclasses.replace(spec, max_side=64)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    verify(bytes(whole))


@BOTH
def test_a_sibling_is_as_like_the_judged_picture_as_a_jpeg(spec: RenditionSpec) -> None:
    shown = np.asarray(Image.open(io.BytesIO(picture(spec))).convert("RGB"), np.uint8)
    assert compare(shown, made.scene(), spec).is_same
