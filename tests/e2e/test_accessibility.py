"""Each page, light and dark, wide and narrow, against axe-core's rules for WCAG 2.2 AA."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import BrowserContext

from consent_gate.db.models import Item, Role
from consent_gate.model import Ambiguous, NotJudged, Reason
from tests.e2e.browsing import Site, log_in
from tests.world import STRANGER, World, matches

Axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe

pytestmark = pytest.mark.browser

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def a_busy_school(world: World) -> dict[str, str]:
    """Something on every page. Returns the pages' addresses by name."""
    for name, role in (("j.shaw", Role.ADMINISTRATOR), ("lead", Role.SAFEGUARDING_LEAD)):
        world.a_person(name, role)
    world.a_pupil("000001", "Ann", "Archer")
    world.a_pupil("000002", "Ben", "Baker", said_no_to=["website"])
    picture = world.a_picture(
        Ambiguous(("000001", "000002")),
        STRANGER,
        NotJudged(Reason.LOW_QUALITY_FACE),
        matches("000002"),
    )
    world.a_picture()
    world.a_picture(matches("000001"))
    sealed = world.a_picture(STRANGER)
    Item.objects.filter(pk=sealed.pk).update(state="sealed")
    return {
        "queue": "/queue/",
        "settled": "/queue/?show=settled",
        "picture": f"/pictures/{picture.pk}/",
        "published": "/published/",
        "pupils": "/pupils/",
        "pupil": "/pupils/000002/",
        "imports": "/imports/",
        "audit": "/audit/",
        "health": "/health/",
        "settings": "/settings/",
        "people": "/people/",
        "advice": "/sealed/what-now/",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1366, 390])
def test_every_page_can_be_used_by_everybody(
    site: Site, world: World, context: BrowserContext, scheme: str, width: int
) -> None:
    pages = a_busy_school(world)
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    axe, found = Axe(), []
    page.goto("/login/")
    found += _violations(axe, page, "login")
    log_in(page)
    for name, address in pages.items():
        page.goto(address)
        found += _violations(axe, page, name)
        wider = page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
        if wider:
            found.append(f"{name}: has to be scrolled sideways at {width}")
    assert found == []


def _violations(axe: Any, page: object, name: str) -> list[str]:
    results = axe.run(page, options=RULES)  # type: ignore[arg-type]
    return [
        f"{name}: {rule['id']} {node['html'][:160]}"
        for rule in results.response["violations"]
        for node in rule["nodes"][:3]
    ]
