"""A film in a real browser: its strip, its timeline, and a release by keys."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from consent_gate.db.models import Item, StaffTag
from tests.support.browser import Site, log_in
from tests.support.factories import STRANGER, World, matches
from tests.support.film_items import make_film_item

pytestmark = pytest.mark.browser

ANN, BEN = "000001", "000002"


@pytest.fixture
def film(world: World) -> Item:
    world.make_user()
    world.make_pupil(ANN, "Ann", "Archer")
    world.make_pupil(BEN, "Ben", "Baker")
    return make_film_item(world, matches(ANN), STRANGER, matches(BEN), STRANGER)


def test_the_faces_of_a_film_are_named_and_it_is_released_by_keys_alone(
    site: Site, film: Item, page: Page
) -> None:
    log_in(page)
    page.goto(f"/pictures/{film.pk}/")
    page.wait_for_function("document.querySelector('video').readyState > 0")
    assert page.evaluate("document.querySelector('video').duration") == pytest.approx(2, abs=0.1)
    assert page.locator(".tile").count() == page.locator(".track").count() == 4
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    for face, cleared in ((1, 3), (3, 4)):
        page.keyboard.press("v")
        page.keyboard.type("Signed the form")
        page.keyboard.press("Enter")
        expect(page.locator(".tile.cleared")).to_have_count(cleared)
        assert StaffTag.objects.filter(item=film, face=face).exists()
    expect(page.get_by_text("You can release it").first).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("I watched it")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Undo").first).to_be_visible()
    assert film.approvals.filter(refused=False).exists()
