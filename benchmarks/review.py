"""How many keys and how much time the review of held class photos takes.

    python -m benchmarks.review [--photos N] [--held N] [--folder F]

Drives Chromium through held photos of ``benchmarks.class_school`` as a careful person would, with
the keyboard alone. The person knows who is shown (from the truth of the made school). A face is
named by ``Y`` where the first pupil offered is the right one. A photo with more than two open
faces, and every face for which ``Y`` would be wrong, is covered by ``Shift+B``. Prints the keys a
photo, the time from the key to the next page, and the keys for the same decisions without the offer
and without ``Shift+B``: a name takes ``P``, three letters and Enter.

Photos for which neither key is offered are skipped and not counted. If fewer photos are held in the
school with one portrait a pupil, those of that school with two portraits follow. Then prints the
time of the picture's page with many held pictures, by the processor and by the clock.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from playwright.sync_api import Page, sync_playwright

from benchmarks.class_school.photos import Photo, read_photos
from benchmarks.machine import heading
from consent_gate.bootstrap import configure_django, create_home, open_home
from consent_gate.home.home import Home
from consent_gate.model import Examined, FaceEvidence

if TYPE_CHECKING:
    from django.test import Client

SCHOOL = "school-report-11"
SCENARIOS = ("one", "two")
"""Homes of ``benchmarks.class_school`` in the order in which their held photos are reviewed."""

NAMED_AT_MOST = 2
"""Open faces of a photo up to which each is looked at; more are covered together."""

KEYS_TO_NAME = 5
"""``P``, three letters and Enter."""

PATIENCE_MS = 120_000


@dataclass
class Counts:
    """What the review took."""

    keys: list[int] = field(default_factory=list)
    old_keys: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    """Pictures for which neither key is offered."""
    named: int = 0
    covered: int = 0

    def add(self, other: Counts) -> None:
        """Add what another review took."""
        self.keys += other.keys
        self.old_keys += other.old_keys
        self.seconds += other.seconds
        self.skipped |= other.skipped
        self.named += other.named
        self.covered += other.covered


def main() -> None:
    """Find or make the school, review its photos, and time the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--held", type=int, default=5000)
    parser.add_argument("--folder", type=Path, help="as for benchmarks.class_school")
    options = parser.parse_args()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    folder = options.folder or Path(tempfile.mkdtemp())
    print(heading("Review of held class photos; faces are of adults"))
    counts = Counts()
    for scenario in SCENARIOS:
        missing = options.photos - len(counts.keys)
        if missing > 0:
            made = home_of(folder, scenario)
            with ProcessPoolExecutor(1, get_context("spawn")) as own:  # a process opens one home
                found = own.submit(review_copy, made, folder / SCHOOL, missing).result()
            print(f"{len(found.keys)} photos of the school with {scenario} portrait(s) a pupil")
            counts.add(found)
    if counts.keys:
        report(counts)
    else:
        print(f"no photo was decided; {len(counts.skipped)} were skipped")
    if options.held:
        configure_django()
        time_pages(options.held)


def home_of(folder: Path, scenario: str) -> Path:
    """Find the home of a scenario, or make it."""
    made = folder / f"home-report-11-{scenario}"
    if not made.exists():
        command = [sys.executable, "-m", "benchmarks.class_school", "--half", "report"]
        subprocess.run([*command, "--only", scenario, "--folder", str(folder)], check=True)
    return made


def review_copy(made: Path, school: Path, most: int) -> Counts:
    """Review a copy of a home."""
    configure_django()
    counts = Counts()
    with tempfile.TemporaryDirectory() as temporary:
        shutil.copytree(made, Path(temporary) / "home")
        review(open_home(Path(temporary) / "home"), read_photos(school), most, counts)
    return counts


def review(home: Home, photos: dict[str, Photo], most: int, counts: Counts) -> None:
    """Work through the queue from its start."""
    from consent_gate.register.repository import load_gallery
    from ingest.workers.analysis_pool import AnalysisPool
    from ingest.workers.lent_pool import lending
    from tests.support.browser import ARGUMENTS, log_in
    from tests.support.factories import World
    from tests.support.http_server import serve_home

    World(home).make_user()
    with (
        AnalysisPool(home, load_gallery(home)) as pool,
        lending(home, pool),
        serve_home(home) as (address, _),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(ARGUMENTS)
        )
        page = browser.new_page(base_url=address, viewport={"width": 1366, "height": 768})
        page.set_default_timeout(PATIENCE_MS)
        log_in(page)
        page.goto("/queue/")
        page.keyboard.press("Enter")
        wanted = len(counts.keys) + most
        while len(counts.keys) < wanted:
            page.wait_for_selector(".picture-head")
            if not decide(page, photos, counts):
                break
            if "/pictures/" not in page.url:
                break
        browser.close()


def decide(page: Page, photos: dict[str, Photo], counts: Counts) -> bool:
    """Deal with one picture, or skip it where neither key is offered.

    Returns False where the picture was skipped before, so that only such pictures are left.
    """
    from consent_gate.db.evidence_json import from_json
    from consent_gate.db.models import Item

    address = page.url
    item = Item.objects.get(pk=address.split("/pictures/")[1].split("/")[0])
    if item.pk in counts.skipped:
        return False
    evidence = from_json(item.evidence)
    assert isinstance(evidence, Examined)
    photo = photos[item.source]
    named = name_faces(page, photo, evidence)
    keys, old, counts.named = named, named * KEYS_TO_NAME, counts.named + named
    rest = len(open_faces(page))
    release = page.locator("[data-key=r]").count() > 0
    if not release and not page.locator('[data-key="Shift+B"]').count():
        counts.skipped.add(item.pk)
        page.keyboard.press("j")
        page.wait_for_function("was => location.href !== was", arg=address)
        return True
    if rest or not release:
        page.keyboard.press("Shift+B")
        keys, old, counts.covered = keys + 1, old + rest + 1, counts.covered + rest
    else:
        page.keyboard.press("r")
        keys, old = keys + 1, old + 1
        if page.evaluate("document.activeElement.id === 'basis'"):  # once a session
            page.keyboard.type("I know everyone")
            page.keyboard.press("Enter")
            keys, old = keys + 16, old + 16
    started = time.monotonic()
    page.wait_for_function("was => location.href !== was", arg=address)
    counts.seconds.append(time.monotonic() - started)
    counts.keys.append(keys)
    counts.old_keys.append(old)
    return True


def name_faces(page: Page, photo: Photo, evidence: Examined) -> int:
    """Name faces by ``Y`` while the first pupil offered is the right one. Returns how many."""
    opened, named = open_faces(page), 0
    for _ in range(len(opened) if len(opened) <= NAMED_AT_MOST else 0):
        page.wait_for_function("() => !document.body.innerText.includes('Comparing with')")
        choice = page.locator("[data-key=y]")
        current = page.locator(".faces [aria-current]")
        if not choice.count() or not current.count():
            break
        number = current.inner_text()
        revision = page.locator("#decide [name=revision]").input_value()
        face = face_numbered(page, number, evidence)
        if choice.first.get_attribute("value") != f"pupil:{photo.person_at(face.box)}":
            break
        page.keyboard.press("y")
        page.wait_for_function(
            "was => document.querySelector('#decide [name=revision]').value !== was", arg=revision
        )
        named += 1
    return named


def face_numbered(page: Page, number: str, evidence: Examined) -> FaceEvidence:
    """The face that has this number on the page."""
    box = page.locator(f'[data-face="{number}"] .mark').evaluate(
        "r => ['x', 'y', 'width', 'height'].map(n => Number(r.getAttribute(n)))"
    )
    return next(face for face in evidence.faces if face.box.as_list() == box)


def open_faces(page: Page) -> list[str]:
    """Numbers of the faces without an answer."""
    return page.locator(".faces a:not(.cleared)").all_inner_texts()


def report(counts: Counts) -> None:
    """Print keys and seconds a photo, with what the old way took."""
    done = len(counts.keys)
    print(f"{done} photos: {counts.named} faces named by Y, {counts.covered} covered by Shift+B")
    print(f"  skipped, because neither key was offered: {len(counts.skipped)}")
    for title, keys in (("now", counts.keys), ("before", counts.old_keys)):
        a_hundred = 100 * sum(keys) / max(done, 1)
        print(f"  keys {title}: median {median(keys):g}, {a_hundred:.0f} for 100 photos")
    late = sorted(counts.seconds)[int(0.95 * (done - 1))]
    middle = median(counts.seconds)
    print(f"  from the key to the next page: median {middle:.2f} s, 95 % {late:.2f} s")


def time_pages(held: int) -> None:
    """Print the processor time of the picture's page in a school with many held pictures."""
    from django.conf import settings
    from django.test import Client

    from tests.integration.web.test_large_school import a_trust
    from tests.support.factories import World

    with tempfile.TemporaryDirectory() as temporary:
        home = create_home(Path(temporary) / "home")
        settings.CONSENT_GATE_HOME = home
        world = World(home)
        world.make_import()
        a_trust(world, size=1000, held=held)
        client = Client(SERVER_NAME="localhost")
        client.force_login(world.make_user())
        step = max(1, held // 100)
        paths = [f"/pictures/item{number:022}/" for number in range(0, held, step)]
        client.get(paths[0])
        print(f"the picture's page with {held} held, {len(paths)} pages:")
        for title, clock in (("processor", time.thread_time), ("by the clock", time.perf_counter)):
            times = sorted(_seconds(clock, client, path) for path in paths)
            late = times[int(0.95 * (len(times) - 1))]
            print(f"  {title}: median {1000 * median(times):.0f} ms, 95 % {1000 * late:.0f} ms")


def _seconds(clock: Callable[[], float], client: Client, path: str) -> float:
    started = clock()
    client.get(path)
    return clock() - started


if __name__ == "__main__":
    main()
