"""The short tour of the review page, for somebody who reviews for the first time."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from consent_gate.db.models import User
from tests.support.browser import log_in
from tests.support.factories import STRANGER, World

pytestmark = pytest.mark.browser


def test_the_tour_is_shown_until_it_is_closed_by_its_key(world: World, page: Page) -> None:
    user = world.make_user()
    User.objects.filter(pk=user.pk).update(knows_review=False)
    world.make_item(STRANGER)
    log_in(page)
    page.keyboard.press("Enter")
    tour = page.get_by_role("region", name="Your first picture")
    expect(tour).to_be_visible()
    page.keyboard.press("g")
    expect(tour).to_be_hidden()
    page.reload()
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    expect(tour).to_be_hidden()
    page.goto(page.url + "?tour=1")
    expect(tour).to_be_visible()
