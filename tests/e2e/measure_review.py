"""How many keys and seconds a held picture takes: ``python -m tests.e2e.measure_review``.

A scripted reviewer works through 100 held pictures by keyboard alone, as fast as the pages answer.
Reading and thinking is not in it: the seconds are what the program adds to them.
"""

# ruff: noqa: E402, T201  Django first; the figures are printed

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from consent_gate.bootstrap import configure_django, create_home
from consent_gate.home.home import Home

configure_django()

from consent_gate.db.models import Item, Publication
from consent_gate.model import Ambiguous, Identity
from consent_gate.web.server import serve
from tests.support.browser import ARGUMENTS, log_in
from tests.support.factories import STRANGER, World, matches

PICTURES = 100
KINDS: dict[str, tuple[Identity, ...]] = {
    "nobody in it": (),
    "one of two pupils": (Ambiguous(("000001", "000002")), matches("000003")),
    "a pupil to be named": (STRANGER, matches("000003")),
    "a visitor": (STRANGER, matches("000003")),
    "two faces on a poster": (STRANGER, STRANGER, matches("000003")),
}


class Reviewer:
    """Somebody at a keyboard, counting."""

    def __init__(self, page: Page) -> None:
        self.page, self.keys = page, 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1

    def write(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.keys += len(text)

    def face_done(self, left: int) -> None:
        """Wait until the page shows that one face fewer is open."""
        self.page.wait_for_function(
            "left => document.querySelectorAll('.faces a:not(.cleared)').length === left", arg=left
        )

    def deal_with(self, kind: str) -> None:
        """The keys that this kind of picture takes."""
        if kind == "one of two pupils":
            self.press("y")
        elif kind == "a pupil to be named":
            self.press("p")
            self.write("bak")
            self.page.get_by_role("button", name="Ben Baker").wait_for()
            self.press("Enter")
        elif kind == "a visitor":
            self.press("v")
            self.write("Signed form")
            self.press("Enter")
        elif kind == "two faces on a poster":
            self.press("n")
            self.face_done(1)
            self.press("n")
        self.face_done(0)
        address = self.page.url
        self.press("r")
        if self.page.evaluate("document.activeElement.id === 'basis'"):  # once a session
            self.write("I know everyone")
            self.press("Enter")
        self.page.wait_for_url(lambda now: now != address)


def main() -> None:
    """Build the queue, work through it, print keys and seconds."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with tempfile.TemporaryDirectory() as temporary:
        home = create_home(Path(temporary) / "home")
        kinds = a_queue(World(home))
        stop = threading.Event()
        server = threading.Thread(target=serve, args=(home, stop))
        server.start()
        try:
            work_through(home, kinds)
        finally:
            stop.set()
            server.join()


def a_queue(world: World) -> dict[str, str]:
    """Held pictures of each kind in turn. Returns the kind of each, by id."""
    world.make_import()
    world.make_user()
    for number, name in (("000001", "Archer"), ("000002", "Baker"), ("000003", "Cole")):
        world.make_pupil(number, {"Baker": "Ben"}.get(name, "Ann"), name)
    names = list(KINDS)
    return {
        world.make_item(*KINDS[kind]).pk: kind
        for kind in (names[number % len(names)] for number in range(PICTURES))
    }


def work_through(home: Home, kinds: dict[str, str]) -> None:
    """As one person, from the queue to its end."""
    keys: Counter[str] = Counter()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(ARGUMENTS)
        )
        web = home.settings.web
        page = browser.new_page(base_url=f"http://{web.host}:{web.port}")
        log_in(page)
        started = time.monotonic()
        page.keyboard.press("Enter")
        for _ in range(PICTURES):
            page.wait_for_selector(".picture-head")
            kind = kinds[page.url.split("/pictures/")[1].split("/")[0]]
            reviewer = Reviewer(page)
            reviewer.deal_with(kind)
            keys[kind] += reviewer.keys
        seconds = time.monotonic() - started
        browser.close()
    released = Publication.objects.values("item").distinct().count()
    print(f"{released} of {Item.objects.count()} pictures released")
    for kind, count in keys.items():
        print(f"  {kind}: {count / (PICTURES / len(KINDS)):.1f} keys a picture")
    print(f"{sum(keys.values()) / PICTURES:.1f} keys and {seconds / PICTURES:.2f} s a picture")


if __name__ == "__main__":
    main()
