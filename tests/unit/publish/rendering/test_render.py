"""Renditions have the requested size and quality, and hide covered faces."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from consent_gate.model import COVER_GREY, Box, Colour
from publish.rendering.heads import clip, head_of
from publish.rendering.redact import CELLS, Redaction, redact
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


@pytest.mark.parametrize("fill", made.COVER_FILLS)
def test_nothing_of_a_covered_face_is_left(fill: Colour | None) -> None:
    """Two pictures that differ only in the face are published as the same bytes."""
    one, other = made.scene(), made.scene()
    region = np.s_[FACE.y : FACE.y + FACE.height, FACE.x : FACE.x + FACE.width]
    one[region], other[region] = 200, made.RED
    spec = RenditionSpec(redactions=(Redaction(FACE, head_of(FACE), fill),))
    assert render(one, spec) == render(other, spec)


places = st.builds(Box, *[st.integers(-30, 170)] * 2, *[st.integers(0, 120)] * 2)


@settings(deadline=None, max_examples=examples(60))
@given(
    st.lists(st.tuples(places, st.sampled_from(made.COVER_FILLS)), min_size=1, max_size=4),
    st.data(),
)
def test_a_covered_picture_depends_only_on_what_lies_outside_all_covers(
    covers: list[tuple[Box, Colour | None]], data: st.DataObject
) -> None:
    """Whatever lies under the covers, the result is the same before it is encoded."""
    crop = data.draw(st.none() | st.just(Box(20, 10, 90, 100)))
    redactions = tuple(Redaction(place, place, fill) for place, fill in covers)
    rgb = np.random.default_rng(3).integers(0, 255, (140, 150, 3), np.uint8)
    other = rgb.copy()
    for place, _ in covers:
        box = clip(place, 150, 140)
        if box is not None:
            inside = np.random.default_rng(4).integers(0, 255, (box.height, box.width, 3), np.uint8)
            other[box.y : box.y + box.height, box.x : box.x + box.width] = inside
    assert np.array_equal(redact(rgb, redactions), redact(other, redactions))
    spec = RenditionSpec(crop=crop, redactions=redactions)
    assert render(rgb, spec) == render(other, spec)


def test_cells_show_nothing_of_a_neighbour_who_is_covered_too() -> None:
    """The rim of the one cover lies within the other."""
    one, other = np.full((100, 160, 3), 128, np.uint8), np.full((100, 160, 3), 128, np.uint8)
    one[30:70, 80:120], other[30:70, 80:120] = 250, 5
    for places in ([Box(40, 30, 40, 40), Box(80, 30, 40, 40)], [Box(40, 30, 41, 40)] * 2):
        for order in (places, places[::-1]):
            covers = tuple(Redaction(box, box, None) for box in [*order, Box(80, 30, 40, 40)])
            assert np.array_equal(redact(one, covers), redact(other, covers))


def test_the_whole_picture_under_one_cover_is_grey_in_every_style_without_a_colour() -> None:
    whole = Box(-5, -5, 400, 400)
    covered = redact(made.scene(), (Redaction(whole, whole, None),))
    assert (covered == COVER_GREY).all()


def test_cells_have_the_colours_around_the_cover() -> None:
    rgb = np.full((200, 320, 3), 30, np.uint8)
    rgb[:, 160:] = (200, 180, 40)
    box = Box(120, 60, 80, 80)
    covered = redact(rgb, (Redaction(box, box, None),))[60:140, 120:200].astype(int)
    assert np.abs(covered[:, 0] - 30).max() < 40
    assert np.abs(covered[:, -1] - (200, 180, 40)).max() < 40
    assert len(np.unique(covered.reshape(-1, 3), axis=0)) <= CELLS**2
    side = 80 // CELLS
    assert (covered[:side, :side] == covered[0, 0]).all()


def test_a_solid_cover_reaches_beyond_brow_and_chin() -> None:
    spec = RenditionSpec(
        redactions=(Redaction(FACE, head_of(FACE)),), quality=95, chroma=Chroma.FULL
    )
    published = shown(made.scene(), spec)
    covered = np.abs(published.astype(int) - COVER_GREY).max(axis=2) < 8
    assert covered[FACE.y - 8 : FACE.y + FACE.height + 8, FACE.x - 6 : FACE.x + 66].all()


def test_a_cover_follows_the_picture_when_it_is_cropped() -> None:
    spec = RenditionSpec(crop=Box(100, 50, 150, 120), redactions=(Redaction(FACE, head_of(FACE)),))
    assert np.abs(shown(made.scene(), spec)[40, 40].astype(int) - COVER_GREY).max() < 8


@settings(deadline=None, max_examples=examples(60))
@given(
    st.tuples(*[st.integers(-50, 400)] * 2, *[st.integers(0, 300)] * 2),
    st.sampled_from(made.COVER_FILLS),
)
def test_a_cover_anywhere_hides_what_lies_in_its_box(
    place: tuple[int, int, int, int], fill: Colour | None
) -> None:
    rgb = np.tile(np.array([[[0], [255]], [[255], [0]]], np.uint8), (100, 160, 3))
    box = Box(*place)
    published = shown(
        rgb, RenditionSpec(redactions=(Redaction(box, head_of(box), fill),), quality=95)
    )
    left, top = max(0, box.x), max(0, box.y)
    inside = published[top : max(0, box.y + box.height), left : max(0, box.x + box.width)]
    assert inside.size == 0 or (inside.min() > 20 and inside.max() < 200)
