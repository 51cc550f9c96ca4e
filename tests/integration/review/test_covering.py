"""Covering everybody who is not cleared, and releasing the picture, in one step."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consent_gate.db.models import (
    AuditEntry,
    Camera,
    ConsentAnswer,
    Item,
    Publication,
    SeenBefore,
    StaffApproval,
    StaffTag,
)
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.model import (
    Ambiguous,
    Box,
    Examined,
    FaceKind,
    Facing,
    Identity,
    NamePart,
    NotMatched,
    Quality,
    Reason,
    Tag,
    TagKind,
    TextCheck,
    Uncleared,
    VisibleName,
)
from consent_gate.publication import OPEN
from consent_gate.review import service as review
from consent_gate.review.covering import (
    CoverPlan,
    cover_and_release,
    plan_covers,
    published_or_refused_channels,
    undo_answers,
    was_saved,
)
from consent_gate.review.transaction import judge_of
from consent_gate.review.validation import CannotBeReleased, EditConflict, examined_picture
from consent_gate.web.pages.picture import picture_view
from tests.conftest import Clock
from tests.support.factories import CHANNELS, STRANGER, World, make_evidence, matches
from tests.support.settings_override import with_channel

ANN, BEN, CAT = "000001", "000002", "000003"
NAME = Box(900, 600, 100, 40)
FIELDS = ("face", "kind", "admission_number", "basis", "box", "actor", "created_at", "before")


def acts(world: World, item: Item, by: str = "j.shaw") -> review.ReviewAction:
    item.refresh_from_db()
    return review.ReviewAction(world.home, by, item.pk, item.revision)


def offered(world: World, item: Item, by: str = "j.shaw") -> CoverPlan | None:
    """What the page offers now."""
    item.refresh_from_db()
    judge = judge_of(world.home, item, by)
    return plan_covers(
        examined_picture(item), load_staff_input(item), judge, published_or_refused_channels(item)
    )


def press(world: World, item: Item, by: str = "j.shaw") -> CoverPlan:
    """Press the key on the page as it is now."""
    plan = offered(world, item, by)
    assert plan is not None
    cover_and_release(acts(world, item, by), plan)
    return plan


def covered(item: Item) -> set[int]:
    tags = StaffTag.objects.filter(item=item, kind=TagKind.BLURRED.value)
    return set(tags.values_list("face", flat=True))


def opened(item: Item) -> set[str]:
    rows = Publication.objects.filter(item=item, state__in=OPEN)
    return set(rows.values_list("channel", flat=True))


def with_name(world: World, *identities: Identity, pupil: str = ANN) -> Item:
    seen = make_evidence(*identities)
    name = VisibleName(NAME, pupil, NamePart.FULL)
    return world.make_item(evidence=replace(seen, names=(name,), text_check=TextCheck.COMPARED))


def test_everyone_not_cleared_is_covered_and_the_picture_goes_out(world: World) -> None:
    world.make_pupil(ANN)
    world.make_pupil(BEN, said_no_to=["website"])
    poor = NotMatched(Reason.LOW_QUALITY_FACE)
    item = world.make_item(matches(ANN), STRANGER, matches(BEN), Ambiguous((ANN, BEN)), poor)
    assert press(world, item) == CoverPlan((1, 2, 3, 4), (), CHANNELS)
    assert covered(item) == {1, 2, 3, 4}
    assert opened(item) == set(CHANNELS)
    written = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"face.tagged", "channel.approved"} <= written


def test_a_face_that_the_detectors_half_believe_is_covered_too(world: World) -> None:
    world.make_pupil(ANN)
    seen = make_evidence(matches(ANN), STRANGER)
    possible = replace(seen.faces[1], kind=FaceKind.POSSIBLE)
    item = world.make_item(evidence=replace(seen, faces=(seen.faces[0], possible)))
    press(world, item)
    assert covered(item) == {1}


def test_a_face_that_is_too_recognisable_is_covered_by_the_key(world: World) -> None:
    for number in (ANN, BEN):
        world.make_pupil(number)
    strict = World(with_channel(world.home, "website", facing=Facing.NOT_FACE_ON))
    seen = make_evidence(matches(ANN), matches(BEN))
    away = replace(seen.faces[0], quality=Quality(100, 50, 0.6, 120, 40, 0.9))
    item = strict.make_item(evidence=replace(seen, faces=(away, seen.faces[1])))
    assert opened(item) == {"mag", "displays"}
    plan = offered(strict, item)
    assert plan == CoverPlan((1,), (), ("website",))


def test_the_page_says_whom_the_gate_covers_by_itself(world: World) -> None:
    world.make_pupil(ANN)
    covers = World(with_channel(world.home, "website", uncleared=Uncleared.COVER))
    item = covers.make_item(matches(ANN), STRANGER)
    assert opened(item) == {"website"}
    view = picture_view(covers.home, item, "j.shaw")
    assert {c.name: c.covered for c in view.channels} == {
        "website": (2,),
        "mag": (),
        "displays": (),
    }
    assert [face.mark for face in view.faces][1] != "cleared"


@pytest.mark.parametrize("said", [None, TagKind.BLURRED, TagKind.PUPIL])
def test_a_pupil_who_must_not_be_published_is_not_merely_covered(
    world: World, said: TagKind | None
) -> None:
    """Whether the machine recognised the pupil or staff named one, also under a cover."""
    world.make_pupil(ANN)
    world.make_pupil(BEN, never_publish=True)
    item = world.make_item(matches(ANN), STRANGER, STRANGER if said else matches(BEN))
    if said:
        StaffTag.objects.create(
            item=item,
            face=2,
            kind=said.value,
            admission_number=BEN,
            actor="j.shaw",
            created_at=world.home.now(),
        )
    assert offered(world, item) is None
    with pytest.raises(CannotBeReleased):
        cover_and_release(acts(world, item), CoverPlan((1, 2), (), CHANNELS))
    assert not StaffApproval.objects.exists()
    assert not StaffTag.objects.filter(kind="blurred").exclude(face=2).exists()


def test_who_was_named_before_is_remembered_under_the_cover(world: World) -> None:
    """So a never-publish mark that comes later still closes the picture."""
    world.make_pupil(ANN)
    ben = world.make_pupil(BEN, said_no_to=["website"])
    item = world.make_item(matches(ANN), STRANGER)
    review.tag_face(acts(world, item), 1, Tag(TagKind.PUPIL, BEN))
    press(world, item)
    tag = StaffTag.objects.get(item=item)
    assert (tag.kind, tag.admission_number) == ("blurred", BEN)
    ben.never_publish = True
    ben.save()
    item.refresh_from_db()
    verdicts = judge_of(world.home, item, "j.shaw").if_approved(load_staff_input(item))
    assert {v.reasons for v in verdicts.values()} == {(Reason.NEVER_PUBLISH,)}  # type: ignore[union-attr]


def test_a_name_that_can_be_read_is_covered_with_the_faces(world: World) -> None:
    world.make_pupil(ANN)
    item = with_name(world, matches(ANN), STRANGER)
    plan = press(world, item)
    assert (plan.faces, plan.names) == ((1,), (0,))
    assert [tag.box for tag in StaffTag.objects.order_by("face")] == [None, NAME.as_list()]


def test_a_picture_whose_text_was_not_compared_needs_an_ordinary_release(world: World) -> None:
    face = NotMatched(Reason.NOT_EXAMINED)
    seen = replace(make_evidence(face), text_check=TextCheck.FAILED)
    assert offered(world, world.make_item(evidence=seen)) is None


@pytest.mark.parametrize("identities", [(), (STRANGER,)])
def test_a_picture_from_another_camera_needs_an_ordinary_release(
    world: World, identities: tuple[Identity, ...]
) -> None:
    item = world.make_item(*identities)
    Camera.objects.create(device="Canon|EOS R50|", actor="j.shaw", created_at=world.home.now())
    assert offered(world, item) is None


def test_a_copy_of_a_refused_picture_needs_an_ordinary_release(world: World) -> None:
    item = world.make_item(STRANGER)
    SeenBefore.objects.create(
        item=item, channels=["website"], sealed=False, created_at=world.home.now()
    )
    plan = offered(world, item)
    assert plan is not None
    assert set(plan.channels) == {"mag", "displays"}


def test_nobody_is_covered_for_a_place_that_stays_closed(world: World) -> None:
    """Only the website holds Ben, and it is refused: nothing is left to cover."""
    world.make_pupil(ANN)
    world.make_pupil(BEN, said_no_to=["website"])
    item = world.make_item(matches(ANN), matches(BEN))
    review.refuse(acts(world, item), ["website"])
    assert offered(world, item) is None
    with pytest.raises(CannotBeReleased):
        cover_and_release(acts(world, item), CoverPlan((1,), (), ("website",)))


def test_only_the_ticked_places_are_approved(world: World) -> None:
    item = world.make_item(STRANGER)
    plan = offered(world, item)
    assert plan is not None
    cover_and_release(acts(world, item), replace(plan, channels=("mag",)))
    assert opened(item) == {"mag"}


@pytest.mark.parametrize("channels", [(), ("elsewhere",), ("mag", "elsewhere")])
def test_a_place_that_was_not_offered_is_not_approved(
    world: World, channels: tuple[str, ...]
) -> None:
    item = world.make_item(STRANGER)
    with pytest.raises(CannotBeReleased):
        cover_and_release(acts(world, item), CoverPlan((0,), (), channels))
    assert not StaffTag.objects.exists()


def test_a_form_of_an_older_page_saves_nothing(world: World) -> None:
    item = world.make_item(STRANGER, STRANGER)
    plan, old = offered(world, item), acts(world, item)
    assert plan is not None
    review.tag_face(acts(world, item, "colleague"), 0, Tag(TagKind.NOT_A_FACE))
    with pytest.raises(EditConflict):
        cover_and_release(old, plan)
    assert covered(item) == set()
    assert not was_saved(old, plan)


@pytest.mark.dialect
def test_a_consent_that_goes_while_the_page_is_open_saves_nothing(world: World) -> None:
    """The picture's revision is the same, but the page showed one face fewer."""
    world.make_pupil(ANN)
    item = world.make_item(matches(ANN), STRANGER)
    plan = offered(world, item)
    assert plan is not None
    ConsentAnswer.objects.filter(pupil__admission_number=ANN, purpose="website").update(
        answer="refused"
    )
    with pytest.raises(EditConflict):
        cover_and_release(acts(world, item), plan)
    assert covered(item) == set()
    assert not StaffApproval.objects.exists()


@pytest.mark.dialect
def test_pressing_the_key_twice_saves_once(world: World) -> None:
    item = world.make_item(STRANGER)
    action, plan = acts(world, item), offered(world, item)
    assert plan is not None
    cover_and_release(action, plan)
    with pytest.raises(EditConflict):
        cover_and_release(action, plan)
    assert was_saved(action, plan)
    assert not was_saved(replace(action, actor="colleague"), plan)
    assert not was_saved(action, replace(plan, faces=(0, 1)))
    assert not was_saved(action, replace(plan, channels=()))
    assert Publication.objects.filter(item=item).count() == 3


def test_undo_brings_back_every_answer(world: World) -> None:
    world.make_pupil(ANN)
    world.make_pupil(BEN, said_no_to=["website"])
    item = with_name(world, STRANGER, STRANGER, STRANGER)
    review.add_face(acts(world, item), Box(300, 500, 60, 60))
    review.tag_face(acts(world, item), 0, Tag(TagKind.PUPIL, BEN))
    review.tag_face(acts(world, item), 1, Tag(TagKind.BLURRED))
    before = list(StaffTag.objects.order_by("face").values_list(*FIELDS))
    press(world, item)
    assert covered(item) == {0, 1, 2, 3, 4}
    undo_answers(acts(world, item), CHANNELS)
    assert list(StaffTag.objects.order_by("face").values_list(*FIELDS)) == before
    assert opened(item) == set()
    assert not StaffApproval.objects.exists()


def test_undo_says_nothing_in_the_name_of_the_person_who_pressed_the_key(world: World) -> None:
    """A colleague named the child. Whoever covers the face and undoes it has named nobody."""
    world.make_pupil(BEN, said_no_to=["website"])
    item = world.make_item(STRANGER, STRANGER)
    review.tag_face(acts(world, item, "colleague"), 0, Tag(TagKind.PUPIL, BEN))
    press(world, item)
    undo_answers(acts(world, item), CHANNELS)
    (tag,) = StaffTag.objects.all()
    assert (tag.kind, tag.admission_number, tag.actor) == ("pupil", BEN, "colleague")


def test_undo_names_nobody_of_whom_it_was_not_said(world: World) -> None:
    """A number beside another answer says who it may be, and not who it is."""
    world.make_pupil(BEN, said_no_to=["website"])
    item = world.make_item(STRANGER)
    review.tag_face(acts(world, item), 0, Tag(TagKind.CANNOT_TELL, BEN))
    press(world, item)
    undo_answers(acts(world, item), CHANNELS)
    assert StaffTag.objects.get().kind == TagKind.CANNOT_TELL.value


@pytest.mark.dialect
def test_undo_names_no_pupil_who_was_erased_meanwhile(world: World) -> None:
    world.make_pupil(BEN, said_no_to=["website"])
    item = world.make_item(STRANGER)
    review.tag_face(acts(world, item), 0, Tag(TagKind.PUPIL, BEN))
    press(world, item)
    StaffTag.objects.update(admission_number="")
    undo_answers(acts(world, item), CHANNELS)
    assert StaffTag.objects.get().kind == TagKind.CANNOT_TELL.value


def test_a_later_undo_by_a_colleague_leaves_the_covers(world: World) -> None:
    item = world.make_item(STRANGER)
    press(world, item)
    undo_answers(acts(world, item, "colleague"), CHANNELS)
    assert covered(item) == {0}
    assert opened(item) == set()


@pytest.mark.dialect
def test_where_two_people_are_needed_one_key_is_not_enough(world: World) -> None:
    world = World(with_channel(world.home, "website", four_eyes=True))
    item = world.make_item(STRANGER)
    press(world, item)
    assert opened(item) == {"mag", "displays"}
    assert item.decisions.get(channel="website").reasons == ["awaiting_second_person"]
    assert offered(world, item, "colleague") is None
    review.release(acts(world, item, "colleague"), ["website"], "looked at it")
    assert opened(item) == set(CHANNELS)


def test_a_picture_that_a_person_released_elsewhere_is_not_covered_by_one_key(
    world: World,
) -> None:
    world.make_pupil(BEN, said_no_to=["website"])
    item = world.make_item(STRANGER)
    review.tag_face(acts(world, item), 0, Tag(TagKind.PUPIL, BEN))
    review.release(acts(world, item), ["mag"], "asked")
    assert offered(world, item) is None


def test_an_old_consent_list_stops_the_key(world: World, clock: Clock) -> None:
    item = world.make_item(STRANGER)
    clock.pass_days(200)
    assert offered(world, item) is None


def test_a_picture_that_needs_no_cover_offers_none(world: World) -> None:
    assert offered(world, world.make_item()) is None
    assert isinstance(make_evidence(), Examined)
