"""A dropped photo with a child without consent comes to the public gallery with a covered head."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, Role
from consent_gate.home.home import Home
from consent_gate.model import CoverStyle, Examined, Match, Uncleared
from consent_gate.operations import demo
from ingest.enrolment.enrol import enrol
from ingest.enrolment.sources import FolderOfPhotos
from ingest.pipeline import ingest_once
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import
from tests.e2e.test_event_upload import drop
from tests.support.browser import Site, log_in
from tests.support.cached_analysis import CachedPool
from tests.support.factories import World
from tests.support.http_server import serve_home
from tests.support.imports import confirm_portraits
from tests.support.public_gallery import serve_gallery
from tests.support.settings_override import with_channel, with_section

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]

CLEARED, WITHOUT_CONSENT = "000101", "000102"
"""Robin may be shown on the website, Kit may not."""
COLOUR = (47, 75, 124)


@pytest.fixture
def site(home: Home) -> Iterator[Site]:
    """The pages of a school whose website covers heads in the school's colour."""
    covers = with_channel(home, "website", uncleared=Uncleared.COVER)
    covers = with_section(covers, "publishing", cover_style=CoverStyle.COLOUR)
    with serve_home(covers) as (address, here):
        yield Site(address, here)


def test_a_dropped_photo_is_in_the_gallery_with_the_head_covered(
    site: Site, page: Page, context: BrowserContext, tmp_path: Path
) -> None:
    home = site.home
    World(home).make_user(role=Role.OFFICE)
    _, portraits = demo.write_school(home.root)
    run_import(home, ExportFile("school.csv", demo.EXPORT.encode()), (), "office")
    enrol(home, FolderOfPhotos(portraits), {}, "office", lambda *_: None, open_pool=CachedPool)
    confirm_portraits(home)
    photo = tmp_path / "two together.jpg"
    photo.write_bytes(next(p.data for p in demo.event_photos() if "two together" in p.name))
    (home.inbox / "Zoo").mkdir()
    log_in(page)
    page.goto("/events/show/?event=Zoo")
    drop(page, photo)
    expect(page.get_by_text("1 uploaded, 0 here already.")).to_be_visible()
    ingest_once(home, lambda *_: None, CachedPool)
    page.reload()
    expect(page.get_by_text("School website: 1").first).to_be_visible()
    expect(page.get_by_text("Millfields Mag: 1").first).to_be_visible()
    folder = str(home.approved("website"))
    with serve_gallery({"website": ("School website", folder)}) as port:
        reader = context.new_page()
        reader.goto(f"http://127.0.0.1:{port}/gallery/website/")
        reader.locator(".pictures a").first.click()
        shown = reader.locator("main img")
        expect(shown).to_be_visible()
        data = reader.request.get(shown.evaluate("image => image.src")).body()
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), np.int16)
    share = {number: coloured(picture, number) for number in (CLEARED, WITHOUT_CONSENT)}
    assert share[WITHOUT_CONSENT] == 1.0
    assert share[CLEARED] == 0.0


def coloured(picture: NDArray[np.int16], number: str) -> float:
    """The share of a pupil's face that has the colour of covers, in a published picture."""
    evidence = from_json(Item.objects.get().evidence)
    assert isinstance(evidence, Examined)
    (box,) = [
        face.box
        for face in evidence.faces
        if isinstance(face.identity, Match) and face.identity.pupil == number
    ]
    scale = picture.shape[1] / evidence.width
    top, bottom = round(box.y * scale), round((box.y + box.height) * scale)
    left, right = round(box.x * scale), round((box.x + box.width) * scale)
    face = picture[top:bottom, left:right]
    return float((np.abs(face - COLOUR).max(axis=2) < 16).mean())
