"""The sound of a film in a real browser: played, answered and muted by keys alone."""

from __future__ import annotations

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from consent_gate.db.models import Item
from consent_gate.model import FilmSound, FilmSpan, Sound
from tests.support.accessibility import Axe, violations_on
from tests.support.browser import Site, log_in
from tests.support.factories import World, matches
from tests.support.film_items import make_film_item
from tests.support.settings_override import with_channel

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ANN = "000001"
PLAYER = "document.querySelector('.film video')"


@pytest.fixture
def film(site: Site, world: World) -> Item:
    world.make_user()
    world.make_pupil(ANN, "Ann", "Archer")
    world.home = with_channel(world.home, "website", film_sound=FilmSound.REVIEWED)
    settings.CONSENT_GATE_HOME = world.home
    speech = (FilmSpan(200, 600), FilmSpan(1200, 1700))
    return make_film_item(world, matches(ANN), sound=Sound("", speech))


def test_each_part_is_heard_or_muted_by_keys_alone(film: Item, page: Page) -> None:
    log_in(page)
    page.goto(f"/pictures/{film.pk}/")
    expect(page.get_by_text("0:00.2 to 0:00.6: not heard yet")).to_be_visible()
    assert violations_on(Axe(), page, "sound") == []
    page.keyboard.press("a")
    assert 0.6 <= stopped_at(page) < 1.2
    assert not page.evaluate(f"{PLAYER}.muted")
    page.keyboard.press("l")
    expect(page.get_by_text("0:00.2 to 0:00.6: heard")).to_be_visible()
    page.keyboard.press("q")
    expect(page.get_by_text("0:01.2 to 0:01.7: muted")).to_be_visible()
    assert violations_on(Axe(), page, "answered") == []
    film.refresh_from_db()
    assert film.sound_review is not None
    assert film.sound_review["heard"] == [[200, 600]]
    assert film.sound_review["muted"] == [[1200, 1700]]
    page.keyboard.press("o")
    expect(page.get_by_text("This film is published without sound.")).to_be_visible()


def stopped_at(page: Page) -> float:
    """Wait until the player has played and stopped. Returns its time in seconds."""
    for _ in range(200):
        page.wait_for_timeout(50)
        if page.evaluate(f"{PLAYER}.paused && {PLAYER}.played.length > 0"):
            break
    return float(page.evaluate(f"{PLAYER}.currentTime"))
