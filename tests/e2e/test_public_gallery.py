"""The public gallery in a browser: accessible, in the light and the dark, wide and narrow."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import pytest
from PIL import Image
from playwright.sync_api import Browser
from waitress.server import create_server

from consent_gate.home.home import Home
from publish.public_gallery.application import GalleryApplication, GalleryChannel
from publish.public_gallery.approved import ApprovedFolder
from tests.support.accessibility import Axe, violations_on
from tests.support.factories import draw_picture, make_evidence, matches
from tests.support.public_gallery import running

pytestmark = pytest.mark.browser

TITLES = (("Sports day", "The relay, seen from the stand"), ("Sports day", ""), ("", ""))


@pytest.fixture
def address(home: Home) -> Iterator[str]:
    """A gallery with three pictures, two of them in an album."""
    folder = home.approved("website")
    (folder / "2026-11").mkdir()
    items = []
    for letter, (title, alt) in zip("abc", TITLES, strict=True):
        out = io.BytesIO()
        drawn: Image.Image = draw_picture(make_evidence(matches("1")), letter)
        drawn.save(out, "JPEG")
        file = f"2026-11/{letter * 26}.jpg"
        (folder / file).write_bytes(out.getvalue())
        entry = {"id": letter * 26, "file": file, "bytes": len(out.getvalue())}
        entry |= {"sha256": hashlib.sha256(out.getvalue()).hexdigest(), "title": title, "alt": alt}
        entry |= {"width": drawn.width, "height": drawn.height, "album": title}
        items.append(entry | {"released_at": "2026-11-29T10:00:00+00:00"})
    document = {"schema": "consent-gate/manifest@1", "channel": "website", "sequence": 1}
    document |= {"generated_at": home.clock().isoformat(), "items": items, "withdrawn": []}
    (folder / "manifest.json").write_text(json.dumps(document))
    approved = ApprovedFolder("website", folder, timedelta(hours=24), home.clock)
    application = GalleryApplication({"website": GalleryChannel("School website", approved)}, [])
    server = create_server(application, host="127.0.0.1", port=0, threads=2)
    with running(server):
        yield f"http://127.0.0.1:{server.effective_port}/gallery/website/"


def test_the_gallery_breaks_no_rule_of_accessibility(chromium: Browser, address: str) -> None:
    axe, found = Axe(), []
    looks: tuple[tuple[Literal["light", "dark"], int], ...]
    looks = (("light", 1200), ("dark", 1200), ("light", 320))
    for scheme, width in looks:
        window = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page = window.new_page()
        for path in ("", "?album=Sports+day", f"{'a' * 26}/", "?album=another"):
            page.goto(address + path)
            found += violations_on(axe, page, f"{scheme} {width} {path}")
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not wide, (width, path)
        window.close()
    assert found == []


def test_the_gallery_needs_no_script_and_no_mouse(chromium: Browser, address: str) -> None:
    window = chromium.new_context(java_script_enabled=False)
    page = window.new_page()
    page.goto(address)
    loaded = page.get_by_role("img").first
    loaded.wait_for()
    page.get_by_role("link", name="Sports day").first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/?album=Sports+day")
    page.get_by_role("img", name="The relay, seen from the stand").click()
    page.wait_for_url(f"**/{'a' * 26}/")
    page.get_by_role("link", name="All pictures").click()
    page.wait_for_url(address)
    window.close()


def test_each_picture_has_the_shape_of_its_card(chromium: Browser, address: str) -> None:
    """Not the height of the file: a picture of 1600 pixels would be a tower."""
    page = chromium.new_page(viewport={"width": 1200, "height": 800})
    page.goto(address)
    boxes = [image.bounding_box() for image in page.locator(".pictures img").all()]
    assert len(boxes) == 3
    assert all(box and abs(box["height"] - box["width"] * 2 / 3) < 1 for box in boxes)
    page.close()
