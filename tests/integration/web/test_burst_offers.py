"""What was said of a face is offered for the same face in a picture of the same moment."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from PIL import Image, ImageDraw

from consent_gate.db.models import Item, StaffApproval, StaffTag, User
from consent_gate.model import Tag, TagKind
from consent_gate.review import service as review
from consent_gate.web.pages.burst import answer_in_burst
from tests.support.factories import STRANGER, World, draw_picture, make_evidence

pytestmark = pytest.mark.dialect

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
