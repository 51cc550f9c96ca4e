"""What was said of a face is offered for the same face in a picture of the same moment."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from PIL import Image, ImageDraw

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item, Publication, StaffApproval, StaffTag, User
from consent_gate.decisions.bursts import place_in_queue
from consent_gate.model import Tag, TagKind
from consent_gate.review import service as review
from consent_gate.web.pages import queue
from consent_gate.web.pages.burst import MOST_PICTURES, answer_in_burst
from tests.support.factories import STRANGER, World, draw_picture, make_evidence

ANN = "000001"


def picture(world: World, face: tuple[int, int, int], event: str = "sports-day") -> Item:
    """A picture with one stranger, whose face has an eye at a place."""
    seen = make_evidence(STRANGER)
    photo = draw_picture(seen, "same")
    x, y, size = face
    ImageDraw.Draw(photo).ellipse((x, y, x + size, y + size), fill=(30, 30, 30))
    assert isinstance(photo, Image.Image)
    return world.make_item(evidence=seen, photo=photo, event=event)


EYE, OTHER_EYE = (80, 150, 40), (120, 210, 50)


def say(world: World, item: Item, tag: Tag) -> None:
    item.refresh_from_db()
    review.tag_face(review.ReviewAction(world.home, "j.shaw", item.pk, item.revision), 0, tag)


def test_the_answer_is_offered_and_saved_only_when_a_person_agrees(
    world: World, logged_in: Callable[[User], Client]
) -> None:
    world.make_pupil(ANN, "Ann", "Archer")
    first, second = picture(world, EYE), picture(world, EYE)
    say(world, first, Tag(TagKind.PUPIL, ANN))
    page = logged_in(world.make_user()).get(f"/pictures/{second.pk}/").content.decode()
    assert "a picture of the same moment" in page
    assert f'value="pupil:{ANN}" type="submit" data-key="s"' in " ".join(page.split())
    assert not StaffTag.objects.filter(item=second).exists()
    assert not StaffApproval.objects.exists()


def test_nothing_is_offered_for_other_pixels_or_another_event(world: World) -> None:
    world.make_pupil(ANN)
    first = picture(world, EYE)
    say(world, first, Tag(TagKind.PUPIL, ANN))
    assert answer_in_burst(world.home, picture(world, EYE), 0) is not None
    assert answer_in_burst(world.home, picture(world, OTHER_EYE), 0) is None
    assert answer_in_burst(world.home, picture(world, EYE, "fair"), 0) is None


@pytest.mark.parametrize(
    "tag", [Tag(TagKind.CANNOT_TELL), Tag(TagKind.ADULT_WITH_AGREEMENT, basis="signed")]
)
def test_some_answers_count_for_one_picture_only(world: World, tag: Tag) -> None:
    first, second = picture(world, EYE), picture(world, EYE)
    say(world, first, tag)
    assert answer_in_burst(world.home, second, 0) is None


def test_a_sealed_picture_offers_nothing(world: World) -> None:
    first, second = picture(world, EYE), picture(world, EYE)
    say(world, first, Tag(TagKind.BLURRED))
    assert answer_in_burst(world.home, second, 0) is not None
    Item.objects.filter(pk=first.pk).update(state="sealed")
    assert answer_in_burst(world.home, second, 0) is None


def came(world: World, item: Item, minutes: int) -> Item:
    """The picture came at this minute and was examined then."""
    item.received_at = world.home.now() + timedelta(minutes=minutes)
    item.queue_place = place_in_queue(item, from_json(item.evidence))
    item.save(update_fields=["received_at", "queue_place"])
    return item


def other_faces(world: World, faces: int) -> Item:
    return world.make_item(*[STRANGER] * faces)


def test_pictures_of_one_moment_follow_each_other_over_pages_and_keys(
    world: World, logged_in: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list, its pages and the keys J and K have one order."""
    monkeypatch.setattr(queue, "PAGE_SIZE", 2)
    first = came(world, picture(world, EYE), 0)
    others = [came(world, other_faces(world, 2 + n), 1 + n) for n in range(3)]
    second = came(world, picture(world, EYE), 9)
    expected = [item.pk for item in (first, second, *others)]
    staff = logged_in(world.make_user())
    pages = [staff.get(f"/queue/?event=sports-day&page={n}").content.decode() for n in (1, 2, 3)]
    listed = [re.findall(r'id="card-([^"]+)"', page) for page in pages]
    assert [pk for page in listed for pk in page] == expected
    assert [page.count("Same moment") for page in pages] == [1, 0, 0]
    wanted = queue.QueueFilter()
    items = [Item.objects.get(pk=pk) for pk in expected]
    assert [queue.picture_after(wanted, item) for item in items[:-1]] == expected[1:]
    assert [queue.picture_before(wanted, item) for item in items[1:]] == expected[:-1]
    assert queue.picture_before(wanted, items[0]) is None


def test_a_picture_that_came_first_but_was_examined_last_stands_with_its_burst(
    world: World,
) -> None:
    late = came(world, picture(world, EYE), 5)
    between = came(world, other_faces(world, 2), 3)
    early = came(world, picture(world, EYE), 0)
    order = list(queue.held_in_event(queue.QueueFilter(), "sports-day"))
    assert order == [between, early, late]


def test_an_answer_is_offered_however_many_pictures_were_answered_since(world: World) -> None:
    """The pictures of the moment lie on other pages of the list."""
    first, second = came(world, picture(world, EYE), 0), came(world, picture(world, EYE), 1)
    say(world, first, Tag(TagKind.BLURRED))
    for number in range(MOST_PICTURES + 2):
        say(world, came(world, other_faces(world, 2), 10 + number), Tag(TagKind.BLURRED))
    assert answer_in_burst(world.home, second, 0) is not None


def test_an_approval_never_goes_to_another_picture_of_the_burst(world: World) -> None:
    world.make_pupil(ANN)
    first, second = picture(world, EYE), picture(world, EYE)
    stranger = came(world, other_faces(world, 2), 2)
    for item in (first, second):
        came(world, item, 0)
        say(world, item, Tag(TagKind.PUPIL, ANN))
    action = review.at_current_revision(world.home, "j.shaw", first.pk)
    review.release(action, ["website"], "I know everyone shown")
    assert set(StaffApproval.objects.values_list("item", flat=True)) == {first.pk}
    assert not Publication.objects.filter(item__in=[second, stranger]).exists()
