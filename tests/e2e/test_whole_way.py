"""From an empty home to a recalled picture, with a real import, real models and real pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from consent_gate.db import audit_log
from consent_gate.home.home import Home
from consent_gate.operations import demo
from consent_gate.web.accounts.first_run import setup_code
from ingest.enrolment.enrol import enrol
from ingest.enrolment.sources import FolderOfPhotos
from ingest.pipeline import ingest_once
from ingest.workers.analysis_pool import AnalysisPool
from tests.conftest import Clock
from tests.support.browser import Site
from tests.support.cached_analysis import CachedPool
from tests.support.factories import PASSWORD
from tests.support.imports import confirm_portraits

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(600),
    pytest.mark.usefixtures("argon2"),
]


def published(home: Home, channel: str) -> list[Path]:
    return sorted(home.approved(channel).glob("*/*.jpg"))


def listed(home: Home, channel: str) -> tuple[int, int]:
    """How many pictures a reader is told to show, and to take down."""
    manifest = json.loads((home.approved(channel) / "manifest.json").read_text())
    return len(manifest["items"]), len(manifest["withdrawn"])


@pytest.mark.parametrize(
    "open_pool",
    [
        pytest.param(CachedPool, id="models in this process"),
        pytest.param(AnalysisPool, id="confined workers", marks=pytest.mark.slow),
    ],
)
def test_a_school_starts_releases_a_visitor_and_recalls_the_picture(
    site: Site, page: Page, clock: Clock, open_pool: type[CachedPool | AnalysisPool]
) -> None:
    home = site.home

    def look_at_the_inbox() -> None:
        ingest_once(home, lambda *_: None, open_pool)

    make_the_first_account(home, page)
    export, portraits = demo.write_school(home.root)
    import_in_the_browser(page, export)
    enrol(home, FolderOfPhotos(portraits), {}, "office", lambda *_: None, open_pool=open_pool)
    confirm_portraits(home)
    demo.write_event(home.inbox)
    look_at_the_inbox()
    before = len(published(home, "website"))

    page.goto("/queue/")
    expect(page.get_by_role("heading", name="Sports day")).to_be_visible()
    open_picture(page, "07 guest of honour")
    page.get_by_label("An adult who agreed").fill("Guest of honour, signed at reception")
    page.get_by_role("button", name="They agreed").click()
    expect(page.get_by_text("You can release it").first).to_be_visible()
    page.get_by_label("How do you know that this is right?").fill("I met him")
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_text("Released to all places")).to_be_visible()
    look_at_the_inbox()
    assert len(published(home, "website")) == before, "it can still be undone"
    clock.pass_minutes(2)
    look_at_the_inbox()
    assert len(published(home, "website")) == before + 1

    page.goto("/published/?channel=website")
    page.get_by_role("button", name="Withdraw").first.click()
    expect(page.get_by_text("The picture is withdrawn from School website.")).to_be_visible()
    assert len(published(home, "website")) == before
    assert listed(home, "website") == (before, 1)
    assert audit_log.verify(home) == []


def make_the_first_account(home: Home, page: Page) -> None:
    page.goto("/")
    page.get_by_label("Set-up code").fill(setup_code(home) or "")
    page.get_by_label("First name").fill("Pat")
    page.get_by_label("Last name").fill("Lee")
    page.get_by_label("Log-in name").fill("p.lee")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Repeat the password").fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()
    expect(page.get_by_role("heading", name="No pictures are waiting")).to_be_visible()


def import_in_the_browser(page: Page, export: Path) -> None:
    page.get_by_role("link", name="Imports").click()
    page.get_by_label("The report saved from SIMS").set_input_files(export)
    page.get_by_role("button", name="Check the file").click()
    expect(page.get_by_role("heading", name="What this import would change")).to_be_visible()
    expect(page.get_by_role("heading", name="New pupils").first).to_be_visible()
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The import is applied.")).to_be_visible()


def open_picture(page: Page, file_name: str) -> None:
    """Through the queue, picture by picture, as a person would."""
    page.keyboard.press("Enter")
    for _ in range(12):
        expect(page.locator(".picture-head h1")).to_be_visible()
        if file_name in (page.locator(".picture-head h1").text_content() or ""):
            return
        address = page.url
        page.keyboard.press("j")
        page.wait_for_url(lambda now: now != address)  # noqa: B023  waited for at once
    raise AssertionError(f"{file_name} is not in the queue")
