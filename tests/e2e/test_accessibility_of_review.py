"""Dialogs, crop and batches of the review pages, against axe-core's rules for WCAG 2.2 AA."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from consent_gate.model import Ambiguous, Tag, TagKind
from consent_gate.review import service as review
from tests.support.accessibility import Axe, violations_on
from tests.support.browser import Site, log_in
from tests.support.factories import STRANGER, World, matches
from tests.support.film_items import make_film_item

pytestmark = pytest.mark.browser

ANN, BEN = "000001", "000002"


def cropping(page: Page) -> None:
    page.keyboard.press("c")


def cropped(page: Page) -> None:
    page.keyboard.press("c")
    for _ in range(8):
        page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("Enter")
    page.get_by_text("Only the bright part will be published.").wait_for()


def asked_about_enrolment(page: Page) -> None:
    page.keyboard.press("1")
    page.get_by_role("button", name="Remember this face").wait_for()
    page.keyboard.press("e")


def everything_open(page: Page) -> None:
    page.get_by_text("Note, title, exact crop, report a concern").click()


def a_batch(page: Page) -> None:
    page.goto("/queue/")
    page.get_by_text("Which classes were at this event?").click()
    page.get_by_label("Choose this picture").first.check()


def just_released(page: Page) -> None:
    a_batch(page)
    page.get_by_role("button", name="Tick all without faces").click()
    page.get_by_role("button", name="Release ticked").click()
    page.get_by_role("button", name="Release them").click()
    page.get_by_text("Published in").wait_for()


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        pytest.param(1366, "light", marks=pytest.mark.slow),
        pytest.param(1366, "dark", marks=pytest.mark.slow),
        pytest.param(390, "light", marks=pytest.mark.slow),
        (390, "dark"),
    ],
)
def test_what_opens_on_a_page_can_be_used_by_everybody(
    site: Site, world: World, context: BrowserContext, scheme: str, width: int
) -> None:
    world.make_user("j.shaw")
    world.make_pupil(ANN, "Ann", "Archer")
    world.make_pupil(BEN, "Ben", "Baker")
    item = world.make_item(STRANGER, Ambiguous((ANN, BEN)), matches(BEN))
    world.make_item()
    review.tag_face(
        review.at_current_revision(world.home, "j.shaw", item.pk), 0, Tag(TagKind.PUPIL, ANN)
    )
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    log_in(page)
    axe, found = Axe(), []
    states: list[Callable[[Page], None]] = [
        cropping,
        cropped,
        asked_about_enrolment,
        everything_open,
        a_batch,
        just_released,
    ]
    for state in states:
        page.goto(f"/pictures/{item.pk}/")
        state(page)
        found += violations_on(axe, page, state.__name__)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
            found.append(f"{state.__name__}: has to be scrolled sideways at {width}")
    assert found == []


def marked(page: Page) -> None:
    page.locator("#cut [name=to]").fill("0:00.680")
    page.get_by_text("Cut away: face 4.").wait_for()


def cut_and_covered(page: Page) -> None:
    marked(page)
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Keep only this part").click()
    page.get_by_text("Only these parts are kept").wait_for()
    page.keyboard.press("b")
    page.locator(".tile.cleared").nth(2).wait_for()


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 390])
def test_the_form_that_cuts_a_film_can_be_used_by_everybody(
    site: Site, world: World, context: BrowserContext, scheme: str, width: int
) -> None:
    world.make_user("j.shaw")
    world.make_pupil(ANN, "Ann", "Archer")
    film = make_film_item(world, matches(ANN), STRANGER, matches(ANN), STRANGER)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    log_in(page)
    axe, found = Axe(), []
    for state in (lambda _: None, marked, cut_and_covered):
        page.goto(f"/pictures/{film.pk}/")
        state(page)
        found += violations_on(axe, page, getattr(state, "__name__", "film"))
        if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
            found.append(f"{state}: has to be scrolled sideways at {width}")
    assert found == []
