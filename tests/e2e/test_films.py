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
    wait_for_film(page)
    assert page.evaluate("document.querySelector('video').duration") == pytest.approx(2, abs=0.1)
    assert page.locator(".tile").count() == page.locator(".track").count() == 4
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    for face, cleared in ((1, 3), (3, 4)):
        page.keyboard.press("v")
        page.keyboard.type("Signed the form")
        page.keyboard.press("Enter")
        expect(page.locator(".tile.cleared")).to_have_count(cleared)
        assert StaffTag.objects.filter(item=film, face=face).exists()
    release_by_keys(page, film)


@pytest.mark.slow
def test_a_film_is_cut_and_a_face_in_it_covered_by_keys_alone(
    site: Site, film: Item, page: Page
) -> None:
    log_in(page)
    page.goto(f"/pictures/{film.pk}/")
    wait_for_film(page)
    seek(page, 0.68)
    page.keyboard.press("]")
    expect(page.locator("#cut [name=to]")).to_have_value("0:00.680")
    expect(page.get_by_text("Cut away: face 4.")).to_be_visible()  # nothing is saved yet
    film.refresh_from_db()
    assert film.film_edit is None
    page.keyboard.press("t")
    expect(page.get_by_text("Only these parts are kept")).to_be_visible()
    expect(page.locator(".tile.cut")).to_have_count(1)
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator(".tile.cleared")).to_have_count(3)
    wait_for_film(page)
    seek(page, 0.4)
    cover = page.locator(".screen .cover")
    expect(cover).to_have_attribute("visibility", "visible")
    box, screen = cover.bounding_box(), page.locator("video").bounding_box()
    assert box is not None
    assert screen is not None
    scale = min(screen["width"] / 320, screen["height"] / 240)
    left = screen["x"] + (screen["width"] - 320 * scale) / 2
    assert (box["x"] - left) / scale == pytest.approx(80 - 10, abs=2)  # where the face is
    release_by_keys(page, film)


@pytest.mark.slow
def test_one_key_covers_the_rest_of_a_film_and_releases_it_and_one_undoes_it(
    site: Site, film: Item, page: Page
) -> None:
    """While Shift is held, the film shows the covers about where they will be."""
    log_in(page)
    page.goto(f"/pictures/{film.pk}/")
    wait_for_film(page)
    expect(page.get_by_role("button", name="Cover faces 2, 4 and release")).to_be_visible()
    seek(page, 0.4)
    covers = page.locator(".screen .would-cover")
    assert covers.count() == 2
    expect(covers.first).to_be_hidden()
    page.keyboard.down("Shift")
    expect(covers.first).to_be_visible()
    page.keyboard.press("r")  # Shift+R is no key
    page.keyboard.up("Shift")
    expect(covers.first).to_be_hidden()
    assert not film.approvals.exists()
    page.keyboard.press("Shift+B")
    expect(page.get_by_text("Released to all places")).to_be_visible()
    assert set(film.tags.values_list("face", "kind")) == {(1, "blurred"), (3, "blurred")}
    page.keyboard.press("z")
    expect(page.get_by_role("button", name="Cover faces 2, 4 and release")).to_be_visible()
    assert not StaffTag.objects.exists()


def release_by_keys(page: Page, film: Item) -> None:
    """Release the film of the page once nothing holds it."""
    expect(page.get_by_text("You can release it").first).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("I watched it")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Undo").first).to_be_visible()
    assert film.approvals.filter(refused=False).exists()


def wait_for_film(page: Page) -> None:
    """Wait until the player knows the length of the film."""
    page.evaluate(
        "() => new Promise(done => { const film = document.querySelector('video');"
        " film.readyState > 0 ? done() : film.addEventListener('loadedmetadata', done); })"
    )


def seek(page: Page, seconds: float) -> None:
    """Show a moment of the film."""
    page.evaluate(
        "at => new Promise(done => { const film = document.querySelector('video');"
        " film.addEventListener('seeked', done, { once: true }); film.currentTime = at; })",
        seconds,
    )
