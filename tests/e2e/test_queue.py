"""The queue in a real browser: new pictures appear, batches are undone, classes are named."""

from __future__ import annotations

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import EventClasses, Item, ItemState, Publication, StaffTag
from consent_gate.decisions.bursts import NEIGHBOURS, place_in_queue
from consent_gate.web.pages import queue
from tests.support.browser import Site, log_in
from tests.support.factories import STRANGER, World, draw_picture, make_evidence, matches

pytestmark = pytest.mark.browser


def test_a_picture_that_was_just_checked_appears_by_itself(
    site: Site, world: World, page: Page
) -> None:
    world.make_user()
    checked = world.make_item(STRANGER)
    waiting = world.make_item(STRANGER)
    Item.objects.filter(pk=waiting.pk).update(state=ItemState.RECEIVED)
    log_in(page)
    expect(page.get_by_text("Sports day: 1 of 2 checked")).to_be_visible()
    expect(page.locator(".cards .card")).to_have_count(1)
    Item.objects.filter(pk=waiting.pk).update(state=ItemState.DECIDED)
    expect(page.locator(".cards .card")).to_have_count(2, timeout=15_000)
    expect(page.get_by_role("link", name="To decide 2")).to_be_visible()
    page.locator(f"#card-{checked.pk}").click()
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()


def test_the_list_does_not_move_under_a_ticking_hand(site: Site, world: World, page: Page) -> None:
    world.make_user()
    world.make_item()
    waiting = world.make_item()
    Item.objects.filter(pk=waiting.pk).update(state=ItemState.RECEIVED)
    log_in(page)
    page.get_by_label("Choose this picture").check()
    Item.objects.filter(pk=waiting.pk).update(state=ItemState.DECIDED)
    with page.expect_response(lambda answer: "queue-changed" in str(answer.headers)):
        pass
    page.wait_for_timeout(500)
    expect(page.locator(".cards .card")).to_have_count(1)
    expect(page.get_by_label("Choose this picture")).to_be_checked()


def test_a_batch_is_released_and_undone_with_one_key(site: Site, world: World, page: Page) -> None:
    world.make_user()
    items = [world.make_item() for _ in range(3)]
    world.make_item(STRANGER)
    log_in(page)
    page.get_by_label("Choose this picture").first.check()
    page.get_by_role("button", name="Tick all without faces").click()
    page.get_by_role("button", name="Release ticked").click()
    expect(page.get_by_text("School website: 3 pictures")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 pictures released")).to_be_visible()
    expect(page.get_by_text("Published in")).to_be_visible()
    page.keyboard.press("z")
    expect(page.get_by_role("link", name="To decide 4")).to_be_visible()
    assert {d.verdict for item in items for d in item.decisions.all()} == {"held"}
    assert set(Publication.objects.values_list("state", flat=True)) == {"cancelled_cleaned"}


def test_the_classes_of_an_event_are_named_on_its_page(
    site: Site, world: World, page: Page
) -> None:
    world.make_user()
    world.make_pupil("000001", "Ann", "Archer", reg_group="5B")
    world.make_pupil("000002", "Ben", "Baker", reg_group="4A")
    item = world.make_item(matches("000001"), STRANGER)
    log_in(page)
    page.get_by_text("Which classes were at this event?").click()
    page.get_by_role("checkbox", name="4A").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("At this event: 4A")).to_be_visible()
    assert EventClasses.objects.get(event="sports-day").reg_groups == ["4A"]
    faces = item.decisions.get(channel="website").faces
    assert faces["0"] == ["not_at_event"], "Ann is in 5B, which was not there"


def test_the_queue_is_narrowed_by_class_and_by_waiting_time(
    site: Site, world: World, page: Page
) -> None:
    world.make_user()
    world.make_pupil("000001", reg_group="5B")
    shows_ann = world.make_item(matches("000001"), STRANGER)
    other = world.make_item(STRANGER)
    log_in(page)
    page.get_by_label("Shows").select_option("5B")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(f"#card-{shows_ann.pk}")).to_be_visible()
    expect(page.locator(f"#card-{other.pk}")).to_have_count(0)
    page.get_by_label("Waiting").select_option("week")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name="No held picture matches")).to_be_visible()


def test_the_next_picture_is_there_before_it_is_asked_for(
    site: Site, world: World, page: Page
) -> None:
    world.make_user()
    world.make_item(STRANGER)
    second = world.make_item(STRANGER)
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    log_in(page)
    with page.expect_response(lambda answer: f"{second.pk}/preview.jpg" in answer.url):
        page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Not recognised")).to_be_visible()
    page.keyboard.press("j")
    page.wait_for_url(f"**/pictures/{second.pk}/**")
    page.wait_for_load_state("networkidle")
    previews = [url for url in fetched if f"{second.pk}/preview.jpg" in url]
    assert len(previews) == 1, "the picture on the page is the one loaded ahead"


def came(world: World, item: Item, minute: int) -> Item:
    """The picture came at this minute and was examined then."""
    item.received_at = world.home.now() + timedelta(minutes=minute)
    item.queue_place = place_in_queue(item, from_json(item.evidence))
    item.save(update_fields=["received_at", "queue_place"])
    return item


def test_a_burst_that_lies_on_two_pages_stands_together_and_offers_its_answers(
    site: Site, world: World, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One picture came first, the other after more pictures than one page of the list has."""
    monkeypatch.setattr(queue, "PAGE_SIZE", NEIGHBOURS)
    world.make_user()
    world.make_pupil("000001", "Ann", "Archer")
    seen = make_evidence(STRANGER)
    photo = draw_picture(seen, "same")
    first = came(world, world.make_item(evidence=seen, photo=photo), 0)
    between = make_evidence(STRANGER, STRANGER)
    drawn = draw_picture(between, "between")
    for minute in range(1, NEIGHBOURS + 2):
        came(world, world.make_item(evidence=between, photo=drawn), minute)
    last = came(world, world.make_item(evidence=seen, photo=photo), NEIGHBOURS + 2)
    log_in(page)
    cards = page.locator(".cards .card")
    expect(cards).to_have_count(NEIGHBOURS)
    expect(cards.nth(1).locator("a")).to_have_id(f"card-{last.pk}")
    expect(cards.nth(1).get_by_text("Same moment as the picture before.")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.press("p")
    page.keyboard.type("arc")
    expect(page.get_by_role("button", name="Ann Archer")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_text("You can release it").first).to_be_visible()
    page.keyboard.press("j")
    offer = page.get_by_role("button", name="Ann Archer S")
    expect(page.get_by_role("link", name="a picture of the same moment")).to_be_visible()
    expect(offer).to_be_visible()
    assert f"/pictures/{last.pk}/" in page.url
    tags = StaffTag.objects.values_list("item", "admission_number")
    assert set(tags) == {(first.pk, "000001")}
    page.keyboard.press("s")
    expect(page.get_by_text("You can release it").first).to_be_visible()
    assert set(tags.all()) == {(first.pk, "000001"), (last.pk, "000001")}
