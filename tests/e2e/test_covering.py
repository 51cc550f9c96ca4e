"""Covering everybody who is not cleared, by one key."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from consent_gate.db.models import Publication, StaffTag
from tests.support.browser import log_in
from tests.support.factories import STRANGER, World, matches

pytestmark = pytest.mark.browser


def test_one_key_covers_the_rest_and_releases_and_one_undoes_it(world: World, page: Page) -> None:
    """While Shift is held the page shows the covers. Shift+R does not release."""
    world.make_user()
    world.make_pupil("000001")
    item = world.make_item(matches("000001"), STRANGER, STRANGER)
    log_in(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cover faces 2, 3 and release")).to_be_visible()
    page.keyboard.down("Shift")
    expect(page.locator(".would-cover").first).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.up("Shift")
    expect(page.locator(".would-cover").first).to_be_hidden()
    assert not Publication.objects.exists()
    page.keyboard.press("Shift+B")
    expect(page.get_by_text("Released to all places")).to_be_visible()
    assert Publication.objects.filter(item=item).count() == 3
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="Cover faces 2, 3 and release")).to_be_visible()
    assert not StaffTag.objects.exists()
