"""What a channel's settings ask of its pictures."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from consent_gate.home.settings import default_settings
from consent_gate.model import COVER_GREY, Box
from consent_gate.publication import Appearance
from publish.rendering.render import render
from publish.renditions.rendition import RenditionRefused, RenditionRequest, make_rendition
from publish.renditions.requests import rendition_spec, uncovered

FULL, HALF = 0, 2
"""Pillow's names for 4:4:4 and 4:2:0."""


@pytest.mark.parametrize(
    ("channel", "detail"), [("website", HALF), ("mag", FULL), ("displays", FULL)]
)
def test_lettering_stays_sharp_in_print(channel: str, detail: int) -> None:
    spec = rendition_spec(default_settings().channels[channel], Appearance(), {}, COVER_GREY)
    picture = Image.open(io.BytesIO(render(np.zeros((64, 64, 3), np.uint8), spec)))
    assert JpegImagePlugin.get_sampling(picture) == detail


def test_a_channel_sets_size_and_quality() -> None:
    website = default_settings().channels["website"]
    spec = rendition_spec(website, Appearance(), {}, COVER_GREY)
    assert (spec.max_side, spec.quality) == (website.max_side, website.quality)
    assert spec.progressive


def test_a_picture_is_rendered_as_small_as_its_faces_ask() -> None:
    website = default_settings().channels["website"]
    assert rendition_spec(website, Appearance(side=400), {}, COVER_GREY).max_side == 400
    assert (
        rendition_spec(website, Appearance(side=9999), {}, COVER_GREY).max_side == website.max_side
    )


@pytest.mark.parametrize("is_covered", [True, False])
def test_a_face_that_can_still_be_found_where_it_was_covered_stops_the_picture(
    is_covered: bool,
) -> None:
    face, other = Box(40, 40, 50, 60), Box(150, 40, 50, 60)
    appearance = Appearance((face,) if is_covered else ())
    judged = np.full((200, 300, 3), 200, np.uint8)
    spec = rendition_spec(default_settings().channels["website"], appearance, {}, COVER_GREY)
    request = RenditionRequest(spec, "", uncovered([face, other], appearance))
    made = make_rendition(judged, request, lambda *_: [face, other], lambda _: [])
    assert isinstance(made, RenditionRefused) is is_covered
