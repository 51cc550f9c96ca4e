"""Renditions have the requested size and quality, and hide covered faces."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consent_gate.model import Box
from publish.rendering.heads import clip, head_of
from publish.rendering.redact import MOSAIC_CELLS, SOLID_RGB, Redaction, RedactionStyle
from publish.rendering.render import Chroma, EmptyCrop, RenditionSpec, render, scaled_size
from publish.verification.jpeg import SOF0, SOF2, parse
from tests.support import images as made
from tests.support.budgets import examples

FACE = Box(120, 60, 60, 80)


def shown(rgb: made.Pixels, spec: RenditionSpec) -> made.Pixels:
    return np.array(Image.open(io.BytesIO(render(rgb, spec))))


def test_a_large_picture_is_scaled_to_the_channels_size() -> None:
    assert shown(made.scene(800, 500), RenditionSpec(max_side=400)).shape == (250, 400, 3)


def test_a_small_picture_is_never_enlarged() -> None:
    assert shown(made.scene(), RenditionSpec(max_side=5000)).shape == (200, 320, 3)


@given(st.integers(1, 60_000), st.integers(1, 60_000), st.integers(1, 4000))
def test_no_picture_leaves_larger_than_asked(width: int, height: int, max_side: int) -> None:
    made_width, made_height = scaled_size(width, height, max_side)
    assert 1 <= made_width <= min(width, max_side)
    assert 1 <= made_height <= min(height, max_side)


def test_the_same_picture_is_published_as_the_same_bytes() -> None:
    assert render(made.scene(), RenditionSpec()) == render(made.scene(), RenditionSpec())


def test_the_judged_pixels_are_left_untouched() -> None:
    rgb = made.scene()
    render(rgb, RenditionSpec(redactions=(Redaction(FACE, head_of(FACE)),)))
    assert np.array_equal(rgb, made.scene())


@pytest.mark.parametrize(("progressive", "marker"), [(True, SOF2), (False, SOF0)])
def test_a_school_can_choose_progressive_or_baseline(progressive: bool, marker: int) -> None:
    assert parse(render(made.scene(), RenditionSpec(progressive=progressive))).with_marker(marker)


def test_coloured_lettering_stays_sharper_with_full_colour() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = (255, 0, 0), (0, 0, 255)
    half = shown(stripes, RenditionSpec(quality=90, chroma=Chroma.HALF)).astype(int)
    full = shown(stripes, RenditionSpec(quality=90, chroma=Chroma.FULL)).astype(int)
    assert np.abs(full - stripes).mean() < np.abs(half - stripes).mean() / 4


def test_a_crop_keeps_only_what_was_asked_for() -> None:
    corner = shown(made.scene(), RenditionSpec(crop=Box(0, 0, 60, 40)))
    assert corner.shape == (40, 60, 3)
    assert np.abs(corner.astype(int) - made.RED).max() < 12


def test_a_crop_over_the_edge_stops_at_the_edge() -> None:
    assert shown(made.scene(), RenditionSpec(crop=Box(300, 180, 90, 90))).shape == (20, 20, 3)


def test_a_crop_beside_the_picture_is_an_error_and_not_the_whole_picture() -> None:
    with pytest.raises(EmptyCrop):
        render(made.scene(), RenditionSpec(crop=Box(400, 0, 50, 50)))


@pytest.mark.parametrize("cover", list(RedactionStyle))
def test_nothing_of_a_covered_face_is_left(cover: RedactionStyle) -> None:
    """Two pictures that differ only in the face are published alike, to the byte or nearly."""
    one, other = made.scene(), made.scene()
    region = np.s_[FACE.y : FACE.y + FACE.height, FACE.x : FACE.x + FACE.width]
    rows, columns = np.mgrid[0 : FACE.height, 0 : FACE.width]
    one[region] = np.where(((rows // 3 + columns // 3) % 2)[..., None], 200, 40)
    other[region] = np.where(((rows // 3 + columns // 3) % 2)[..., None], 40, 200)
    spec = RenditionSpec(redactions=(Redaction(FACE, head_of(FACE), cover),))
    difference = np.abs(shown(one, spec).astype(int) - shown(other, spec))
    assert difference.max() <= (0 if cover is RedactionStyle.SOLID else 12)


def test_a_solid_cover_reaches_beyond_brow_and_chin() -> None:
    spec = RenditionSpec(
        redactions=(Redaction(FACE, head_of(FACE)),), quality=95, chroma=Chroma.FULL
    )
    published = shown(made.scene(), spec)
    covered = np.abs(published.astype(int) - SOLID_RGB).max(axis=2) < 8
    assert covered[FACE.y - 8 : FACE.y + FACE.height + 8, FACE.x - 6 : FACE.x + 66].all()


def test_a_mosaic_keeps_sixteen_colours_and_no_more() -> None:
    spec = RenditionSpec(
        redactions=(Redaction(FACE, head_of(FACE), RedactionStyle.MOSAIC),), quality=95
    )
    published = shown(made.scene(), spec)
    box = clip(head_of(FACE), 320, 200)
    assert box is not None
    middle = published[box.y + 10 : box.y + box.height - 10, box.x + box.width // 8]
    steps = (np.abs(np.diff(middle.astype(int), axis=0)).max(axis=1) > 6).sum()
    assert steps <= 6 * (MOSAIC_CELLS - 1), "only the edges between cells, softened by JPEG"


def test_a_solid_cover_wins_where_covers_overlap() -> None:
    both = (
        Redaction(FACE, head_of(FACE), RedactionStyle.SOLID),
        Redaction(Box(140, 80, 90, 80), head_of(Box(140, 80, 90, 80)), RedactionStyle.MOSAIC),
    )
    published = shown(made.scene(), RenditionSpec(redactions=both))
    assert np.abs(published[100, 150].astype(int) - SOLID_RGB).max() < 8


def test_a_cover_follows_the_picture_when_it_is_cropped() -> None:
    spec = RenditionSpec(crop=Box(100, 50, 150, 120), redactions=(Redaction(FACE, head_of(FACE)),))
    assert np.abs(shown(made.scene(), spec)[40, 40].astype(int) - SOLID_RGB).max() < 8


@settings(deadline=None, max_examples=examples(60))
@given(
    st.tuples(*[st.integers(-50, 400)] * 2, *[st.integers(0, 300)] * 2),
    st.sampled_from(list(RedactionStyle)),
)
def test_a_cover_anywhere_hides_what_lies_in_its_box(
    place: tuple[int, int, int, int], cover: RedactionStyle
) -> None:
    rgb = np.tile(np.array([[[0], [255]], [[255], [0]]], np.uint8), (100, 160, 3))
    box = Box(*place)
    published = shown(
        rgb, RenditionSpec(redactions=(Redaction(box, head_of(box), cover),), quality=95)
    )
    left, top = max(0, box.x), max(0, box.y)
    inside = published[top : max(0, box.y + box.height), left : max(0, box.x + box.width)]
    assert inside.size == 0 or (inside.min() > 60 and inside.max() < 200)
