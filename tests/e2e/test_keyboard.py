"""Staff do everything by the keyboard alone, and see the focus at each step."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from consent_gate.db.models import Item, Publication, Role, StaffTag
from tests.support.browser import Site
from tests.support.factories import PASSWORD, STRANGER, World, matches
from tests.support.film_items import make_film_item

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ANN, BEN = "000001", "000002"

MOST_STOPS = 400

WAITS = """() => {
  const wanted = 'a[href], button, input, select, textarea, summary, video, [tabindex="0"]';
  const asked = [...document.querySelectorAll(wanted)].filter(e =>
    !e.disabled && e.type !== 'hidden' && e.tabIndex >= 0
    && e.checkVisibility({visibilityProperty: true}));
  const first = asked.filter(e => e.type !== 'radio' || !e.name || e ===
    (document.querySelector(`input[name="${e.name}"]:checked`)
      || asked.find(o => o.name === e.name)));
  return first.filter(e => !e.matches('[data-reached]')).map(e => e.outerHTML.slice(0, 120));
}"""
"""The elements that take the focus and that Tab has not reached."""

FOCUSED = """() => {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return null;
  const seen = e.matches('[data-reached]'), again = e === window.lastStop;
  window.lastStop = e;
  e.setAttribute('data-reached', '');
  const styles = [e, ...e.querySelectorAll('*')].map(x => getComputedStyle(x));
  if (e.labels) styles.push(...[...e.labels].map(x => getComputedStyle(x)));
  const shown = styles.some(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0);
  const mark = e.matches('.face') && getComputedStyle(e.querySelector('.mark'));
  const framed = mark && mark.stroke === 'rgb(255, 255, 255)' && parseFloat(mark.strokeWidth) >= 6;
  const box = e.getBoundingClientRect();
  const inside = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;
  return { seen, again, shown: (shown || framed) && inside, what: e.outerHTML.slice(0, 120) };
}"""


def walk(page: Page) -> list[str]:
    """Press Tab from the beginning to the end of a page. Returns what is wrong."""
    page.evaluate("document.activeElement.blur(); window.getSelection().removeAllRanges()")
    page.evaluate(
        "document.querySelectorAll('[data-reached]').forEach("
        "e => e.removeAttribute('data-reached'))"
    )
    wrong = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop is None:  # beyond the end; the next Tab begins at the top
            continue
        if stop["seen"]:
            if not stop["again"]:  # a player and a date have several stops
                break
        elif not stop["shown"]:
            wrong.append(f"no visible focus: {stop['what']}")
    else:
        wrong.append("Tab does not come to the end of the page")
    return wrong + [f"not reached: {what}" for what in page.evaluate(WAITS)]


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the first such element has the focus."""
    wanted = page.locator(selector).first
    expect(wanted).to_be_visible()
    for _ in range(MOST_STOPS):
        if wanted.evaluate("e => e === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not come to {selector}")


def log_in_by_keys(page: Page, name: str = "j.shaw") -> None:
    page.goto("/login/")
    tab_to(page, "[name=login]")
    page.keyboard.type(name)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "/login/" not in address)


def test_a_review_from_the_queue_to_the_next_picture(site: Site, world: World, page: Page) -> None:
    """By Tab and Enter alone, without the keys for those who know them."""
    world.make_user()
    world.make_pupil(ANN, "Ann", "Archer")
    world.make_pupil(BEN, "Ben", "Baker")
    item = world.make_item(matches(ANN), STRANGER, STRANGER)
    world.make_item(matches(ANN), STRANGER)
    log_in_by_keys(page)
    tab_to(page, f'a[href*="/pictures/{item.pk}/"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    wrong = walk(page)
    assert not wrong, "\n".join(wrong)
    tab_to(page, "[aria-controls=keys], [data-open=keys]")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('[data-open=keys]')")
    tab_to(page, "#q")
    page.keyboard.type("bak")
    expect(page.get_by_role("button", name="Ben Baker")).to_be_visible()
    tab_to(page, "#found button")
    page.keyboard.press("Enter")
    expect(page.locator(".faces [aria-current]")).to_have_text("3")
    tab_to(page, 'button[value="blurred"]')
    page.keyboard.press("Space")
    expect(page.get_by_text("You can release it").first).to_be_visible()
    tab_to(page, "#basis")
    page.keyboard.type("I know both")
    tab_to(page, 'button[value="release"]')
    page.keyboard.press("Enter")
    expect(page.get_by_text("Released to all places")).to_be_visible()
    assert f"/pictures/{item.pk}/" not in page.url
    assert set(StaffTag.objects.values_list("face", "kind")) == {(1, "pupil"), (2, "blurred")}
    assert Publication.objects.filter(item=item).count() == 3


def test_photos_are_uploaded(site: Site, world: World, page: Page, tmp_path: Path) -> None:
    world.make_user(role=Role.OFFICE)
    photo, drawn = tmp_path / "IMG 1.jpg", io.BytesIO()
    Image.new("RGB", (90, 60), (200, 120, 40)).save(drawn, "JPEG")
    photo.write_bytes(drawn.getvalue())
    log_in_by_keys(page)
    tab_to(page, 'a[href="/events/"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Events", exact=True)).to_be_visible()
    wrong = walk(page)
    assert not wrong, "\n".join(wrong)
    tab_to(page, "[name=name]")
    page.keyboard.type("Zoo trip")
    tab_to(page, "[name=day]")
    page.keyboard.type("06062026")  # the same in every country
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="2026-06-06 Zoo trip")).to_be_visible()
    wrong = walk(page)
    assert not wrong, "\n".join(wrong)
    tab_to(page, "#photos")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Space")
    chooser.value.set_files(photo)
    tab_to(page, "#upload button[type=submit]")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 uploaded, 0 here already.")).to_be_visible()


@pytest.mark.parametrize("width", [1366, 390])
def test_every_page_of_the_administrator_is_walked_through(
    site: Site, world: World, page: Page, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    world.make_user(role=Role.ADMINISTRATOR)
    world.make_pupil(ANN, "Ann", "Archer")
    held = world.make_item(STRANGER)
    world.make_item(matches(ANN))
    film = make_film_item(world, matches(ANN), STRANGER)
    page.goto("/login/")
    wrong = [f"/login/: {what}" for what in walk(page)]
    log_in_by_keys(page)
    for path in (
        "/queue/",
        "/settings/",
        "/published/",
        "/published/?show=albums",
        f"/pictures/{held.pk}/",
        f"/pictures/{film.pk}/",
        "/events/show/?event=sports-day",
        "/pupils/",
        f"/pupils/{ANN}/",
        "/imports/",
        "/people/",
        "/rules/",
        "/health/",
        "/cameras/",
        "/audit/",
    ):
        page.goto(path)
        for summary in page.locator("main summary").all():
            summary.focus()
            page.keyboard.press("Enter")
        wrong += [f"{path}: {what}" for what in walk(page)]
    assert not wrong, "\n".join(wrong)
    page.goto("/settings/")
    tab_to(page, "main summary")
    page.keyboard.press("Enter")
    expect(page.get_by_alt_text("With “hold” the whole picture waits", exact=False)).to_be_visible()
    assert Item.objects.count() == 3
