"""A picture with a large face goes out smaller, where the channel's settings say so."""

from __future__ import annotations

import io

import pytest
from django.db import transaction
from PIL import Image

from consent_gate import policy
from consent_gate.db.models import ChannelDecision, Item, Publication
from consent_gate.decisions.rules.rules_change import apply_rule_changes
from consent_gate.home.home import Home
from consent_gate.model import LargeFaces
from publish.release import publications_to_render, publish_pending, render_publications
from tests.support.factories import World
from tests.support.fake_renderer import FakeRenderer, decide_item, make_photo, published_files
from tests.support.settings_override import with_channel

ANN = "000001"


def website(home: Home) -> Home:
    """A website whose faces have at most 20 pixels; the drawn one has 30 of 168."""
    return with_channel(home, "website", largest_face_px=20, large_faces=LargeFaces.SMALLER)


def sizes(home: Home, channel: str) -> list[tuple[int, int]]:
    return [Image.open(io.BytesIO(data)).size for data in published_files(home, channel).values()]


@pytest.fixture
def home_with_ann(world: World, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(policy, "SMALLEST_SIDE", 64)
    world.make_pupil(ANN)
    return world.home


def test_the_picture_is_smaller_only_where_the_channel_says_so(home_with_ann: Home) -> None:
    home = website(home_with_ann)
    make_photo(home, ANN)
    publish_pending(home, FakeRenderer())
    assert sizes(home, "website") == [(112, 80)]
    assert sizes(home, "mag") == [(168, 120)]


def test_a_large_picture_that_is_out_is_replaced_when_the_limit_comes(home_with_ann: Home) -> None:
    item = make_photo(home_with_ann, ANN)
    publish_pending(home_with_ann, FakeRenderer())
    assert sizes(home_with_ann, "website") == [(168, 120)]
    home = website(home_with_ann)
    apply_rule_changes(home)
    publish_pending(home, FakeRenderer())
    assert sizes(home, "website") == []
    with transaction.atomic():
        decide_item(home, Item.objects.get(pk=item.pk))
    publish_pending(home, FakeRenderer())
    assert sizes(home, "website") == [(112, 80)]


def test_a_large_picture_is_recalled_where_the_channel_holds_it(home_with_ann: Home) -> None:
    item = make_photo(home_with_ann, ANN)
    publish_pending(home_with_ann, FakeRenderer())
    home = with_channel(home_with_ann, "website", largest_face_px=20)
    apply_rule_changes(home)
    publish_pending(home, FakeRenderer())
    assert sizes(home, "website") == []
    decision = ChannelDecision.objects.get(item=item, channel="website")
    assert decision.reasons == ["too_recognisable"]


def test_a_written_picture_is_not_listed_larger_than_the_limit_that_came_since(
    home_with_ann: Home,
) -> None:
    make_photo(home_with_ann, ANN)
    renderer = FakeRenderer()
    Publication.objects.exclude(channel="website").delete()
    render_publications(home_with_ann, renderer, list(publications_to_render(home_with_ann)))
    assert Publication.objects.get().state == "written"
    home = website(home_with_ann)
    publish_pending(home, None)
    assert sizes(home, "website") == []
