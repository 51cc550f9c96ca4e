"""Photos are dropped on the page of an event, over a connection that breaks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from consent_gate.db.models import Role
from tests.support.browser import Site, log_in
from tests.support.factories import World

pytestmark = pytest.mark.browser


@pytest.mark.slow
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


def test_a_folder_is_dropped_and_goes_on_by_itself_after_the_network_was_away(
    site: Site, world: World, context: BrowserContext, tmp_path: Path
) -> None:
    """The person opens another event meanwhile, and drops the same folder there."""
    world.make_user(role=Role.OFFICE)
    card = tmp_path / "card"
    (card / "100CANON").mkdir(parents=True)
    for name in ("IMG 1.jpg", "IMG 2.jpg", "100CANON/IMG 1.jpg"):
        (card / name).write_bytes(os.urandom(500_000))
    for name in ("Thumbs.db", ".DS_Store", "100CANON/desktop.ini"):
        (card / name).write_bytes(b"system")
    (site.home.inbox / "Other").mkdir()
    (site.home.inbox / "Zoo").mkdir()
    page = context.new_page()
    log_in(page)
    page.goto("/events/show/?event=Zoo")
    context.set_offline(True)
    drop(page, card)
    expect(page.get_by_text("The connection is lost.")).to_be_visible()
    context.set_offline(False)
    expect(page.get_by_text("3 uploaded, 0 here already.")).to_be_visible(timeout=30_000)
    assert page.get_by_text("The connection is lost.").count() == 0
    assert page.locator(".upload-problems li").count() == 0
    names = sorted(path.name for path in (site.home.inbox / "Zoo").iterdir())
    assert names == ["IMG 1 (2).jpg", "IMG 1.jpg", "IMG 2.jpg"]
    drop(page, card)
    expect(page.get_by_text("0 uploaded, 3 here already.")).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Events", exact=True).first.click()
    page.goto("/events/show/?event=Other")
    drop(page, card / "IMG 2.jpg")
    expect(page.get_by_text("1 uploaded, 0 here already.")).to_be_visible(timeout=30_000)
    assert [path.name for path in (site.home.inbox / "Other").iterdir()] == ["IMG 2.jpg"]


def drop(page: Page, path: Path) -> None:
    """Drop a file or a folder on the page, as from the desktop."""
    browser = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 300, "data": data})
