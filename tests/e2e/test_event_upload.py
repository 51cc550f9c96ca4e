"""Photos are dropped on the page of an event, over a connection that breaks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Route, expect

from consent_gate.db.models import Role
from tests.support.browser import Site, log_in
from tests.support.factories import World

pytestmark = pytest.mark.browser


def test_photos_arrive_whole_though_the_connection_breaks(
    site: Site, world: World, context: BrowserContext, tmp_path: Path
) -> None:
    """Every third request is lost. The same photo is then chosen once more."""
    world.make_user(role=Role.OFFICE)
    first = tmp_path / "IMG 1.jpg"
    first.write_bytes(os.urandom(900_000))
    requests, page = 0, context.new_page()

    def breaks(route: Route) -> None:
        nonlocal requests
        requests += 1
        if requests % 3 == 2:
            route.fulfill(status=502)
        else:
            route.continue_()

    log_in(page)
    page.goto("/events/")
    page.get_by_label("Name of the event").fill("Zoo trip")
    page.get_by_label("Day").fill("2026-06-12")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="2026-06-12 Zoo trip")).to_be_visible()
    page.route("**/events/upload/**", breaks)
    for told in ("1 uploaded, 0 here already.", "0 uploaded, 1 here already."):
        page.get_by_label("Choose photos, or drop photos and folders here").set_input_files(first)
        page.get_by_role("button", name="Upload").click()
        expect(page.get_by_text(told)).to_be_visible(timeout=60_000)
    (arrived,) = (site.home.inbox / "2026-06-12 Zoo trip").iterdir()
    assert arrived.read_bytes() == first.read_bytes()
