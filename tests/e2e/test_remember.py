"""The tick "remember this face" beside the pupil whom the machine would name."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from consent_gate.db.models import FaceToRemember, Item, StaffTag
from tests.support.browser import Site, log_in
from tests.support.factories import STRANGER, World
from tests.support.unsure_faces import make_unsure

pytestmark = pytest.mark.browser


def unsure_picture(world: World) -> Item:
    """One good face, nearest to Ann; Ben is on the register too."""
    world.make_user()
    world.make_pupil("000001", "Ann", "Archer")
    world.make_pupil("000002", "Ben", "Baker")
    item = world.make_item(STRANGER)
    make_unsure(item, 0, "000001")
    return item


def test_a_face_that_staff_name_as_offered_is_queued_to_be_remembered(
    site: Site, world: World, page: Page
) -> None:
    item = unsure_picture(world)
    log_in(page)
    page.goto(f"/pictures/{item.pk}/")
    expect(page.get_by_label("If this is Ann Archer, remember this face")).to_be_checked()
    page.keyboard.press("y")
    expect(page.get_by_text("You can release it").first).to_be_visible()
    assert FaceToRemember.objects.get().admission_number == "000001"
    page.goto(f"/pictures/{item.pk}/?face=1")
    expect(page.get_by_text("The gate remembers this face in a moment.")).to_be_visible()


@pytest.mark.parametrize("how", ["the tick is removed", "another pupil is named"])
def test_nothing_is_remembered_otherwise(site: Site, world: World, page: Page, how: str) -> None:
    item = unsure_picture(world)
    log_in(page)
    page.goto(f"/pictures/{item.pk}/")
    tick = page.get_by_label("If this is Ann Archer, remember this face")
    expect(tick).to_be_checked()
    if how == "the tick is removed":
        tick.uncheck()
        page.get_by_role("button", name="Ann Archer").click()
    else:
        page.locator("#face-title").click()
        page.keyboard.press("p")
        page.keyboard.type("bak")
        page.get_by_role("button", name="Ben Baker").click()
    expect(page.get_by_text("You can release it").first).to_be_visible()
    assert StaffTag.objects.get(item=item).admission_number in {"000001", "000002"}
    assert not FaceToRemember.objects.exists()


def test_a_face_that_nobody_recognised_is_remembered_only_if_a_person_ticks_it(
    site: Site, world: World, page: Page
) -> None:
    item = unsure_picture(world)
    make_unsure(item, 0, None)
    log_in(page)
    page.goto(f"/pictures/{item.pk}/")
    page.locator("#face-title").click()
    page.keyboard.press("p")
    page.keyboard.type("bak")
    tick = page.locator("#found").get_by_label("Remember this face, too.")
    expect(tick).not_to_be_checked()
    tick.check()
    page.get_by_role("button", name="Ben Baker").click()
    expect(page.get_by_text("You can release it").first).to_be_visible()
    assert FaceToRemember.objects.get().admission_number == "000002"
