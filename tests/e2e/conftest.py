"""Fixtures of the browser tests: a server on loopback and Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from consent_gate.home.home import Home
from tests.support.browser import ARGUMENTS, Site
from tests.support.http_server import serve_home
from tests.support.web_fixtures import world

__all__ = ["world"]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; the test is skipped where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("needs Chromium: apt install chromium")
    with pytest.MonkeyPatch.context() as here, sync_playwright() as playwright:
        # Playwright runs a loop in this thread, and the tests read the database from it.
        here.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def site(home: Home) -> Iterator[Site]:
    """The pages of the test's home."""
    with serve_home(home) as (address, here):
        yield Site(address, here)


@pytest.fixture
def context(chromium: Browser, site: Site) -> Iterator[BrowserContext]:
    """A browser window of its own, 1366 by 768 as on an office PC."""
    window = chromium.new_context(
        base_url=site.address, viewport={"width": 1366, "height": 768}, locale="en-GB"
    )
    window.set_default_timeout(15_000)
    yield window
    window.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page on which any complaint of the browser fails the test."""
    complaints: list[str] = []
    tab = context.new_page()
    tab.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    assert complaints == []
