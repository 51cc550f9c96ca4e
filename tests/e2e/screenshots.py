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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright
from waitress.server import create_server

from consent_gate.bootstrap import configure_django, create_home, open_home
from consent_gate.home.home import Home
from consent_gate.home.settings import FILE_NAME

configure_django()

from consent_gate.db.models import Item, Role
from consent_gate.operations import demo
from consent_gate.review import service as review
from consent_gate.review.descriptions import describe_event
from consent_gate.web import uploads
from ingest.enrolment.enrol import enrol
from ingest.enrolment.sources import FolderOfPhotos
from ingest.pipeline import ingest_once
from publish.albums import set_album
from publish.public_gallery.application import GalleryApplication, GalleryChannel
from publish.public_gallery.approved import ApprovedFolder
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import
from tests.support import fake_webcam
from tests.support.browser import ARGUMENTS, log_in
from tests.support.face_photos import demo_portrait
from tests.support.factories import World
from tests.support.films import make_film
from tests.support.http_server import serve_home
from tests.support.imports import confirm_portraits
from tests.support.public_gallery import running

WEBCAM = "collins_nasa"
"""The photo of the demonstration that the browser's camera shows."""

FILM_WIDTH, FILM_FRAMES = 320, 38
"""Width of the film in pixels, and its length at 25 frames a second."""

COLOURS = 256
"""Enough for pages with a few photos, at a third of the size."""

LOOKS: dict[str, tuple[Literal["light", "dark"], int, int]] = {
    "light": ("light", 1366, 768),
    "dark": ("dark", 1366, 768),
    "narrow": ("light", 400, 860),
}


SPRING_EXPORT = demo.EXPORT.replace("T,T,T,T,\n", "T,T,F,T,\n").replace("Kit,", "Kit Ann,")
"""The export of the next term: one pupil withdraws a consent."""
UNCLEAR_COLUMN = "000104,,Ash,Rowe,3W,Year  3,perhaps,T,T,T,\n"


def main(folder: Path) -> None:
    """Take all pictures into a folder."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        home = make_school(Path(temporary) / "home")
        with (
            serve_home(home) as (address, here),
            serve_gallery(home) as gallery,
            sync_playwright() as playwright,
        ):
            edit_settings(home, "port = 8000", f"port = {here.settings.web.port}")
            film = Path(temporary) / "webcam.y4m"
            portrait = demo_portrait(WEBCAM) // 16 * 15
            fake_webcam.write_y4m(film, [portrait + shade for shade in range(15)])
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=[*ARGUMENTS, *fake_webcam.arguments(film)],
            )
            addresses = pages(home) | {"gallery": gallery}
            for look in LOOKS:
                take_all(browser, address, addresses, folder, look)
            browser.close()


def make_school(root: Path) -> Home:
    """Make the demonstration's school, with its photos examined and something on every page."""
    home = create_home(root)
    keep_sound(home)
    home = open_home(root)
    World(home).make_user(role=Role.ADMINISTRATOR)
    export, portraits = demo.write_school(home.root)
    run_import(home, ExportFile(export.name, export.read_bytes()), accepted=(), actor="office")
    enrol(home, FolderOfPhotos(portraits), {}, "office", lambda *_: None)
    confirm_portraits(home)
    demo.write_event(home.inbox)
    ingest_once(home, lambda *_: None)
    set_album(home, "sports-day", "Sports day", "j.shaw")
    describe_event(home, "sports-day", "The winners of sports day", "j.shaw")
    refuse_and_bring_in_again(home)
    add_second_portrait(home)
    bring_in_a_film(home)
    return home


def keep_sound(home: Home) -> None:
    """Let films keep their sound on the website."""
    edit_settings(home, 'film_sound = "off"', 'film_sound = "reviewed"')


def edit_settings(home: Home, before: str, after: str) -> None:
    """Change the settings file, so that it agrees with the settings in force."""
    file = home.root / FILE_NAME
    file.write_text(file.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")


def refuse_and_bring_in_again(home: Home) -> None:
    """Refuse a picture everywhere, and take in a smaller copy of it."""
    refused = Item.objects.get(source__contains="05 two")
    action = review.ReviewAction(home, "j.shaw", refused.pk, refused.revision)
    review.refuse(action, list(home.settings.channels), "the family asked us not to")
    photo = next(photo for photo in demo.event_photos() if "05 two" in photo.name)
    with Image.open(io.BytesIO(photo.data)) as picture:
        smaller = picture.resize((picture.width * 2 // 3, picture.height * 2 // 3))
        smaller.save(home.inbox / "sports-day" / "11 from a parent.jpg", quality=80)
    ingest_once(home, lambda *_: None)


def add_second_portrait(home: Home) -> None:
    """Enrol a second portrait of a pupil. Nobody has confirmed it yet."""
    folder = home.root / "second-portraits"
    folder.mkdir()
    portrait = demo.event_photos()[0].data
    (folder / "000101.jpg").write_bytes(portrait)
    enrol(home, FolderOfPhotos(folder), {}, "office", lambda *_: None)


def bring_in_a_film(home: Home) -> None:
    """Take in a film with sound: the camera passes along a photo of two people."""
    photo = next(photo for photo in demo.event_photos() if "07 guest" in photo.name)
    with Image.open(io.BytesIO(photo.data)) as picture:
        height = 400
        wide = picture.convert("RGB").resize((picture.width * height // picture.height, height))
    rgb, room = np.asarray(wide, np.uint8), max(0, wide.width - FILM_WIDTH)
    steps = (room * number // FILM_FRAMES for number in range(FILM_FRAMES))
    film = make_film((rgb[:, x : x + FILM_WIDTH] for x in steps), sound=True)
    (home.inbox / "sports-day" / "12 prizes.mp4").write_bytes(film)
    ingest_once(home, lambda *_: None)


@contextmanager
def serve_gallery(home: Home) -> Iterator[str]:
    """Serve the public gallery of the website. Gives its address."""
    approved = ApprovedFolder("website", home.approved("website"), timedelta(hours=24), home.clock)
    application = GalleryApplication({"website": GalleryChannel("School website", approved)}, [])
    server = create_server(application, host="127.0.0.1", port=0, threads=2)
    with running(server):
        yield f"http://127.0.0.1:{server.effective_port}/gallery/website/"


def take_all(
    browser: Browser, address: str, addresses: Mapping[str, str], folder: Path, look: str
) -> None:
    """Take a picture of every page in one look.

    Args:
        browser: Chromium.
        address: Address of the staff pages.
        addresses: Path or address of each page by the name of its picture.
        folder: Folder for the pictures.
        look: A key of ``LOOKS``.
    """
    scheme, width, height = LOOKS[look]
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        locale="en-GB",
        permissions=["camera"],
    )
    page = context.new_page()
    page.goto("/login/")
    save_picture(page, folder / f"log-in-{look}.png")
    log_in(page)
    for name, path in addresses.items():
        page.goto(path)
        if name == "webcam":
            take_two(page)
        if name.startswith("film"):
            page.wait_for_function("document.querySelector('video').readyState >= 2")
            page.locator(
                ".film-sound" if name == "film-sound" else ".strip"
            ).scroll_into_view_if_needed()
        if name == "settings-covers":
            for question in page.locator("main summary").all():
                question.click()
        save_picture(page, folder / f"{name}-{look}.png")
    context.close()


def take_two(page: Page) -> None:
    """Take two of the three pictures on the webcam page."""
    page.get_by_role("button", name="Start the camera").click()
    for number in (1, 2):
        page.get_by_role("button", name="Take the picture").click()
        expect(page.get_by_role("img", name="Picture taken")).to_have_count(number)


def pages(home: Home) -> dict[str, str]:
    """Return the paths of the pages by name. The picture is the guest of honour's."""
    picture = Item.objects.get(source__contains="07 guest").pk
    copy = Item.objects.get(source__contains="11 from").pk
    film = Item.objects.get(source__contains="12 prizes").pk
    export = uploads.Upload("spring.csv", SPRING_EXPORT.encode())
    unclear = uploads.Upload("summer.csv", (SPRING_EXPORT + UNCLEAR_COLUMN).encode())
    return {
        "queue": "/queue/",
        "picture": f"/pictures/{picture}/",
        "film": f"/pictures/{film}/",
        "film-sound": f"/pictures/{film}/",
        "seen-before": f"/pictures/{copy}/",
        "events": "/events/",
        "event": "/events/show/?event=sports-day",
        "published": "/published/",
        "albums": "/published/?show=albums",
        "pupils": "/pupils/",
        "pupil": "/pupils/000102/",
        "webcam": "/pupils/000102/webcam/",
        "portraits": "/portraits/",
        "portraits-sheet": "/portraits/?class=3W",
        "imports": "/imports/",
        "import-preview": f"/imports/{uploads.store(home, export)}/",
        "import-questions": f"/imports/{uploads.store(home, unclear)}/questions/",
        "audit-trail": "/audit/",
        "health": "/health/",
        "people": "/people/",
        "cameras": "/cameras/",
        "calibration": "/calibration/",
        "confirm": "/confirm/",
        "erasures": "/erasures/",
        "settings": "/settings/",
        "settings-covers": "/settings/",
        "rules": "/rules/",
        "sealed-advice": "/sealed/what-now/",
        "account": "/account/second-step/",
    }


def save_picture(page: Page, path: Path) -> None:
    """Save the part of a page that is visible without scrolling."""
    page.wait_for_load_state("networkidle")
    with Image.open(io.BytesIO(page.screenshot())) as taken:
        taken.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
