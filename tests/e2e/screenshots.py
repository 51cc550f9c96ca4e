"""Pictures of the pages for the documentation.

``python -m tests.e2e.screenshots docs/screenshots`` shows the demonstration's school, on
public-domain photos (consent_gate/operations/demo_photos/CREDITS.md). Everything in it went through
the real import and the real gate.
"""

# ruff: noqa: E402  the tables can be imported once Django is prepared

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from consent_gate.bootstrap import configure_django, create_home
from consent_gate.home.home import Home

configure_django()

from consent_gate.db.models import Item, Role
from consent_gate.operations import demo
from consent_gate.web.server import serve
from ingest.enrolment.enrol import enrol
from ingest.enrolment.sources import FolderOfPhotos
from ingest.pipeline import ingest_once
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import
from tests.support.browser import ARGUMENTS, log_in
from tests.support.factories import World
from tests.support.imports import confirm_portraits

COLOURS = 256
"""Enough for pages with a few photos, at a third of the size."""

LOOKS: dict[str, tuple[Literal["light", "dark"], int, int]] = {
    "light": ("light", 1366, 768),
    "dark": ("dark", 1366, 768),
    "narrow": ("light", 400, 860),
}


def main(folder: Path) -> None:
    """Take all pictures into a folder."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        home = a_school(Path(temporary) / "home")
        stop = threading.Event()
        server = threading.Thread(target=serve, args=(home, stop))
        server.start()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=list(ARGUMENTS)
            )
            for look in LOOKS:
                take(browser, home, folder, look)
            browser.close()
        stop.set()
        server.join()


def a_school(root: Path) -> Home:
    """The demonstration's school with its photos examined."""
    home = create_home(root)
    World(home).make_user(role=Role.ADMINISTRATOR)
    export, portraits = demo.write_school(home.root)
    run_import(home, ExportFile(export.name, export.read_bytes()), accepted=(), actor="office")
    enrol(home, FolderOfPhotos(portraits), {}, "office", lambda *_: None)
    confirm_portraits(home)
    demo.write_event(home.inbox)
    ingest_once(home, lambda *_: None)
    return home


def take(browser: Browser, home: Home, folder: Path, look: str) -> None:
    """Every page in one look."""
    scheme, width, height = LOOKS[look]
    web = home.settings.web
    context = browser.new_context(
        base_url=f"http://{web.host}:{web.port}",
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        locale="en-GB",
    )
    page = context.new_page()
    page.goto("/login/")
    keep(page, folder / f"log-in-{look}.png")
    log_in(page)
    for name, address in pages().items():
        page.goto(address)
        keep(page, folder / f"{name}-{look}.png")
    context.close()


def pages() -> dict[str, str]:
    """Addresses by name; the picture is the guest of honour's."""
    picture = Item.objects.get(source__contains="07 guest").pk
    return {
        "queue": "/queue/",
        "picture": f"/pictures/{picture}/",
        "published": "/published/",
        "pupils": "/pupils/",
        "pupil": "/pupils/000102/",
        "imports": "/imports/",
        "audit-trail": "/audit/",
        "health": "/health/",
        "people": "/people/",
        "cameras": "/cameras/",
        "calibration": "/calibration/",
        "erasures": "/erasures/",
        "settings": "/settings/",
        "sealed-advice": "/sealed/what-now/",
        "account": "/account/second-step/",
    }


def keep(page: Page, path: Path) -> None:
    """What is to be seen without scrolling."""
    page.wait_for_load_state("networkidle")
    with Image.open(io.BytesIO(page.screenshot())) as taken:
        taken.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
