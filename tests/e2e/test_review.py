"""Staff review pictures in a real browser."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from consent_gate.db.models import Publication, StaffTag
from consent_gate.model import Ambiguous, Tag, TagKind
from consent_gate.review.service import ReviewAction, tag_face
from tests.support.browser import Site, log_in
from tests.support.factories import STRANGER, World, matches

pytestmark = pytest.mark.browser


def test_a_picture_is_tagged_and_released_without_touching_the_mouse(
    site: Site, world: World, page: Page
) -> None:
    world.make_user()
    world.make_pupil("000001", "Ann", "Archer")
    world.make_pupil("000002", "Ben", "Baker")
    item = world.make_item(Ambiguous(("000001", "000002")), STRANGER, STRANGER)
    log_in(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Please check")).to_be_visible()
    page.keyboard.press("y")
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    page.keyboard.press("p")
    page.keyboard.type("bak")
    expect(page.get_by_role("button", name="Ben Baker")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator(".faces [aria-current]")).to_have_text("3")
    page.keyboard.press("v")
    page.keyboard.type("Signed the visitors' form")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You can release it").first).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("I know everyone shown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="No pictures are waiting")).to_be_visible()
    assert set(Publication.objects.values_list("item", "channel")) == {
        (item.pk, channel) for channel in ("website", "mag", "displays")
    }


def test_somebody_who_types_ahead_of_the_page_names_nobody_wrong(
    site: Site, world: World, page: Page
) -> None:
    """Keys are pressed without a pause, in a page that answers late."""

    def late(route: Route) -> None:
        time.sleep(0.4)
        route.continue_()

    world.make_user()
    world.make_pupil("000001", "Ann", "Archer")
    world.make_pupil("000002", "Ben", "Baker")
    named = world.make_item(STRANGER)
    said = ReviewAction(site.home, "j.shaw", named.pk, named.revision)
    tag_face(said, 0, Tag(TagKind.PUPIL, "000001"))  # Ann is offered as named in this event
    item = world.make_item(STRANGER, STRANGER)
    log_in(page)
    page.goto(f"/pictures/{item.pk}/")
    page.route("**/face*/**", late)
    page.keyboard.type("pbak")
    page.keyboard.press("Enter")
    page.keyboard.type("n")
    expect(page.get_by_role("link", name="Face 2: Not a face.")).to_be_visible()
    tags = {(t.face, t.kind, t.admission_number) for t in StaffTag.objects.filter(item=item)}
    assert tags == {(0, "pupil", "000002"), (1, "not_a_face", "")}


def test_the_typed_text_and_the_found_pupils_are_visible_together(
    site: Site, world: World, page: Page
) -> None:
    world.make_user()
    for at in range(8):
        world.make_pupil(f"00000{at}", f"Name{at}", "Baker")
    world.make_item(Ambiguous(("000001", "000002", "000003")))
    log_in(page)
    page.keyboard.press("Enter")
    page.keyboard.press("p")
    page.keyboard.type("bak")
    expect(page.locator("#found button").first).to_be_visible()
    seen = page.locator(".panel-scroll").bounding_box()
    for part in (page.locator("#q"), page.locator("#found button").first):
        box = part.bounding_box()
        assert seen
        assert box
        assert seen["y"] <= box["y"] <= seen["y"] + seen["height"] - box["height"]


def test_in_a_crowd_of_sixty_the_chosen_face_and_the_choices_are_in_view(
    site: Site, world: World, page: Page
) -> None:
    world.make_user()
    item = world.make_item(*[STRANGER] * 60)
    log_in(page)
    for number in (1, 30, 60):
        page.goto(f"/pictures/{item.pk}/?face={number}")
        expect(page.locator(".faces [aria-current]")).to_have_text(str(number))
        dot = page.locator(".faces [aria-current]").bounding_box()
        dots, card = (page.locator(name).bounding_box() for name in (".faces", ".panel-scroll"))
        assert dot
        assert dots
        assert card
        assert dots["y"] <= dot["y"] <= dots["y"] + dots["height"] - dot["height"]
        assert card["height"] >= 200
        assert page.evaluate("scrollY") == 0


def test_a_picture_looks_the_same_from_the_queue_as_from_its_address(
    site: Site, world: World, page: Page
) -> None:
    """From the queue only the inside of the page is exchanged."""
    world.make_user()
    world.make_item()
    world.make_item(STRANGER)
    log_in(page)
    page.keyboard.press("Enter")
    page.keyboard.press("r")
    undo = page.locator(".undo")
    expect(undo).to_be_visible()
    expect(page.locator(".review-columns")).to_be_visible()
    exchanged = undo.bounding_box()
    page.reload()
    loaded = undo.bounding_box()
    assert exchanged
    assert loaded
    assert abs(exchanged["x"] - loaded["x"]) < 2


def test_a_release_is_undone_with_one_key(site: Site, world: World, page: Page) -> None:
    world.make_user()
    item = world.make_item()
    log_in(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("You can release it").first).to_be_visible()
    page.keyboard.press("r")
    expect(page.get_by_text("Released to all places")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_text("You can release it").first).to_be_visible()
    assert {d.verdict for d in item.decisions.all()} == {"held"}


def test_the_sheet_of_keys_opens_and_closes(site: Site, world: World, page: Page) -> None:
    world.make_user()
    world.make_item(STRANGER)
    log_in(page)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("n")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
    assert not StaffTag.objects.exists()


def test_two_people_at_one_picture_and_the_second_is_told(
    site: Site, world: World, page: Page, context: BrowserContext
) -> None:
    world.make_user()
    item = world.make_item(STRANGER)
    log_in(page)
    page.goto(f"/pictures/{item.pk}/")
    other = context.new_page()
    other.goto(f"/pictures/{item.pk}/")
    page.keyboard.press("n")
    expect(page.get_by_text("You can release it").first).to_be_visible()
    other.keyboard.press("u")
    expect(other.get_by_text("Somebody else changed this picture")).to_be_visible()
    assert StaffTag.objects.get().kind == "not_a_face"
    other.keyboard.press("1")
    expect(other.get_by_role("button", name="Remove this answer")).to_be_visible()
    other.keyboard.press("u")
    expect(other.get_by_role("link", name="Face 1: Not recognised").first).to_be_visible()
    assert StaffTag.objects.get().kind == "cannot_tell"


def test_a_missed_face_is_marked_by_dragging_or_by_two_clicks(
    site: Site, world: World, page: Page
) -> None:
    world.make_user()
    world.make_pupil("000001")
    item = world.make_item(matches("000001"), STRANGER)
    log_in(page)
    page.goto(f"/pictures/{item.pk}/")
    stage = page.locator(".stage").bounding_box()
    assert stage is not None
    middle_x, middle_y = stage["x"] + stage["width"] / 2, stage["y"] + stage["height"] / 2
    page.keyboard.press("m")
    page.mouse.move(middle_x, middle_y)
    page.mouse.down()
    page.mouse.move(middle_x + 60, middle_y + 70, steps=4)
    page.mouse.up()
    expect(page.locator(".faces a")).to_have_count(3)
    page.keyboard.press("m")
    page.mouse.click(middle_x + 100, middle_y)
    page.mouse.click(middle_x + 160, middle_y + 70)
    expect(page.locator(".faces a")).to_have_count(4)
    boxes = [tag.box or [] for tag in StaffTag.objects.order_by("face")]
    assert len(boxes) == 2
    assert all(40 < box[2] < 120 and 40 < box[3] < 140 for box in boxes)


def test_the_picture_is_reviewed_without_any_script(
    site: Site, world: World, chromium: object
) -> None:
    world.make_user()
    world.make_pupil("000001", "Ann", "Archer")
    item = world.make_item(STRANGER)
    window = chromium.new_context(base_url=site.address, java_script_enabled=False)  # type: ignore[attr-defined]
    plain = window.new_page()
    log_in(plain)
    plain.goto(f"/pictures/{item.pk}/")
    plain.get_by_label(re.compile("Find a pupil")).fill("ann")
    plain.get_by_label(re.compile("Find a pupil")).press("Enter")
    plain.get_by_role("button", name="Ann Archer").click()
    plain.get_by_label(re.compile("How do you know that this is right")).fill("Her class teacher")
    plain.get_by_role("button", name="Release").click()
    window.close()
    assert Publication.objects.filter(item=item).count() == 3


def test_nothing_of_a_child_stays_in_the_browser(site: Site, world: World, page: Page) -> None:
    world.make_user()
    world.make_pupil("000001", "Ann", "Archer")
    world.make_item(Ambiguous(("000001",)), STRANGER)
    world.make_item(STRANGER)
    log_in(page)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Ann Archer").first).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    kept = page.evaluate("Object.entries({...localStorage, ...sessionStorage})")
    assert [name for name, _ in kept] in ([], ["htmx-current-path-for-history"])
    assert all(re.fullmatch(r"/[a-z0-9/]*", value) for _, value in kept)
