"""A real server on loopback and a real browser."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from consent_gate.bootstrap import Home
from consent_gate.web.server import serve
from tests.e2e.browsing import ARGUMENTS, Site
from tests.web_fixtures import world

__all__ = ["world"]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; the test is skipped where there is none."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("Chromium is not here: apt install chromium")
    with pytest.MonkeyPatch.context() as here, sync_playwright() as playwright:
        # Playwright runs a loop in this thread, and the tests read the database from it.
        here.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


def wait_until_open(port: int) -> None:
    """The server binds its port in a moment."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")


@pytest.fixture
def site(home: Home) -> Iterator[Site]:
    """The pages of the test's home, served as ``run`` serves them."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    web = home.settings.web.model_copy(update={"port": port})
    here = replace(home, settings=home.settings.model_copy(update={"web": web}))
    settings.CONSENT_GATE_HOME = here
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(here, stop))
    thread.start()
    wait_until_open(port)
    yield Site(f"http://127.0.0.1:{port}", here)
    stop.set()
    thread.join(timeout=10)


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
