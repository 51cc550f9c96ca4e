"""Cropping in a real browser: by keys, by dragging, and what it opens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from consent_gate.db.models import Item, Publication
from consent_gate.model import Box
from tests.support.browser import Site, log_in
from tests.support.factories import HEIGHT, STRANGER, WIDTH, World, matches

pytestmark = pytest.mark.browser

ANN = "000001"
LEFT, RIGHT = Box(100, 200, 120, 150), Box(1000, 200, 120, 150)


@pytest.fixture
def both(world: World) -> Item:
    """Ann on the left and a stranger on the right."""
    world.make_user()
    world.make_pupil(ANN, "Ann", "Archer")
    return world.make_item(matches(ANN), STRANGER, boxes=[LEFT, RIGHT])


def crop_of(item: Item) -> list[int]:
    """The crop as ``[x, y, width, height]``; empty where there is none."""
    item.refresh_from_db()
    return list(item.crop or [])


def test_a_stranger_is_cut_away_and_the_picture_released_by_keys_alone(
    site: Site, both: Item, page: Page
) -> None:
    log_in(page)
    page.goto(f"/pictures/{both.pk}/")
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    page.keyboard.press("c")
    expect(page.get_by_text("Drag over the part to keep")).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You can release it").first).to_be_visible()
    expect(page.get_by_role("link", name="Face 2: Cropped out")).to_be_visible()
    kept = crop_of(both)
    assert kept[0] + kept[2] < 1000
    page.keyboard.press("r")
    page.keyboard.type("I know Ann")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No pictures are waiting")).to_be_visible()
    assert {tuple(p.crop or ()) for p in Publication.objects.all()} == {tuple(kept)}


def test_a_crop_is_drawn_with_the_mouse_and_taken_back(site: Site, both: Item, page: Page) -> None:
    log_in(page)
    page.goto(f"/pictures/{both.pk}/")
    shown = page.locator(".stage > svg.fit image").bounding_box()
    assert shown is not None

    def at(x: float, y: float) -> tuple[float, float]:
        return shown["x"] + x * shown["width"], shown["y"] + y * shown["height"]

    page.get_by_role("button", name="Crop C").click()
    page.mouse.move(*at(0.02, 0.1))
    page.mouse.down()
    page.mouse.move(*at(0.5, 0.9), steps=5)
    page.mouse.up()
    expect(page.get_by_text("Only the bright part will be published.")).to_be_visible()
    kept = crop_of(both)
    wanted = (0.02 * WIDTH, 0.1 * HEIGHT, 0.48 * WIDTH, 0.8 * HEIGHT)
    assert all(abs(a - b) < 12 for a, b in zip(kept, wanted, strict=True)), kept
    page.get_by_role("button", name="Keep the whole picture").click()
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    assert crop_of(both) == []


def test_escape_leaves_the_picture_as_it_was(site: Site, both: Item, page: Page) -> None:
    log_in(page)
    page.goto(f"/pictures/{both.pk}/")
    page.keyboard.press("c")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    expect(page.locator(".drawing-hint")).to_have_text("")
    assert page.locator("#boxes .cut").get_attribute("d") == ""
    assert crop_of(both) == []


def test_a_missed_face_is_marked_by_keys_alone(site: Site, both: Item, page: Page) -> None:
    log_in(page)
    page.goto(f"/pictures/{both.pk}/")
    page.keyboard.press("m")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".faces a")).to_have_count(3)


def test_a_crop_is_typed_in_without_any_script(site: Site, both: Item, chromium: object) -> None:
    window = chromium.new_context(base_url=site.address, java_script_enabled=False)  # type: ignore[attr-defined]
    plain = window.new_page()
    log_in(plain)
    plain.goto(f"/pictures/{both.pk}/")
    plain.get_by_text("Note, title, exact crop, report a concern").click()
    plain.get_by_label("Right").fill("25")
    plain.get_by_role("button", name="Crop", exact=True).last.click()
    window.close()
    assert crop_of(both) == [0, 0, 900, HEIGHT]
