"""What staff may decide about a picture, and the effects."""

from __future__ import annotations

import pytest

from consent_gate.db import audit_log
from consent_gate.db.models import (
    AuditEntry,
    InboxSighting,
    Item,
    Publication,
    StaffApproval,
    StaffTag,
)
from consent_gate.errors import DecryptionError
from consent_gate.model import Ambiguous, Box, NotExamined, Reason, Tag, TagKind
from consent_gate.publication import OPEN
from consent_gate.review import service as review
from consent_gate.review.covering import undo_answers
from consent_gate.review.validation import (
    CannotBeReleased,
    EditConflict,
    InvalidInput,
    NotReviewable,
)
from consent_gate.vault.originals import read_part
from tests.support.factories import STRANGER, World, folder_vault, matches
from tests.support.settings_override import with_channel

ANN, BEN = "000001", "000002"

BASIS = "asked the class teacher"

VISITOR = Tag(TagKind.ADULT_WITH_AGREEMENT, basis="signed the visitors' form")


def said_of(
    world: World, item: Item, by: str = "j.shaw", revision: int | None = None
) -> review.ReviewAction:
    """Somebody speaks of the picture as it is now, or as it was on an older page."""
    item.refresh_from_db()
    return review.ReviewAction(
        world.home, by, item.pk, item.revision if revision is None else revision
    )


def verdict(item: Item, channel: str = "website") -> str:
    return item.decisions.get(channel=channel).verdict


def reasons(item: Item, channel: str = "website") -> list[str]:
    return list(item.decisions.get(channel=channel).reasons)


def test_a_named_stranger_with_a_signature_goes_out(world: World) -> None:
    world.make_pupil(ANN)
    item = world.make_item(STRANGER)
    review.tag_face(said_of(world, item), 0, Tag(TagKind.PUPIL, ANN))
    assert verdict(item) == "held"
    review.release(said_of(world, item), ["website"], BASIS)
    assert verdict(item) == "released"
    assert verdict(item, "mag") == "held"
    assert Publication.objects.get(item=item).channel == "website"


def test_a_release_saves_the_description_with_it(world: World) -> None:
    world.make_pupil(ANN, forename="Ann", surname="Archer")
    item = world.make_item(STRANGER)
    review.tag_face(said_of(world, item), 0, Tag(TagKind.PUPIL, ANN))
    with pytest.raises(InvalidInput, match="full names"):
        review.release(said_of(world, item), ["website"], BASIS, "Ann Archer jumps")
    assert not Publication.objects.exists()
    review.release(said_of(world, item), ["website"], BASIS, " A girl jumps ")
    assert Publication.objects.get().alt == "A girl jumps"
    review.release(said_of(world, item), ["website"], BASIS)
    item.refresh_from_db()
    assert item.alt == "A girl jumps"


def test_a_release_that_is_refused_saves_no_description(world: World) -> None:
    item = world.make_item(STRANGER)
    with pytest.raises(CannotBeReleased):
        review.release(said_of(world, item), ["website"], BASIS, "A girl jumps")
    item.refresh_from_db()
    assert item.alt == ""


def test_a_pupil_whose_family_said_no_cannot_be_released_by_anyone(world: World) -> None:
    world.make_pupil(ANN, said_no_to=["website"])
    item = world.make_item(STRANGER)
    review.tag_face(said_of(world, item), 0, Tag(TagKind.PUPIL, ANN))
    with pytest.raises(CannotBeReleased):
        review.release(said_of(world, item), ["website"], BASIS)
    assert not StaffApproval.objects.exists()
    assert not Publication.objects.exists()


def test_one_blocked_channel_stops_the_whole_request(world: World) -> None:
    world.make_pupil(ANN, said_no_to=["website"])
    item = world.make_item(STRANGER)
    review.tag_face(said_of(world, item), 0, Tag(TagKind.PUPIL, ANN))
    with pytest.raises(CannotBeReleased):
        review.release(said_of(world, item), ["mag", "website"], BASIS)
    assert not Publication.objects.exists()


@pytest.mark.dialect
def test_a_release_without_a_stated_basis_is_not_saved(world: World) -> None:
    item = world.make_item()
    with pytest.raises(InvalidInput):
        review.release(said_of(world, item), ["website"], "  ")
    assert not StaffApproval.objects.exists()


@pytest.mark.dialect
def test_the_second_of_two_people_is_told_and_overwrites_nothing(world: World) -> None:
    world.make_pupil(ANN)
    item = world.make_item(STRANGER)
    old_page = item.revision
    review.tag_face(said_of(world, item, "first"), 0, VISITOR)
    with pytest.raises(EditConflict):
        review.tag_face(said_of(world, item, "second", old_page), 0, Tag(TagKind.PUPIL, ANN))
    tag = StaffTag.objects.get(item=item)
    assert (tag.actor, tag.kind) == ("first", TagKind.ADULT_WITH_AGREEMENT)


def test_a_changed_tag_withdraws_the_signature_and_the_picture(world: World) -> None:
    world.make_pupil(ANN)
    item = world.make_item(STRANGER)
    review.tag_face(said_of(world, item), 0, Tag(TagKind.PUPIL, ANN))
    review.release(said_of(world, item), ["website"], BASIS)
    review.tag_face(said_of(world, item, "colleague"), 0, VISITOR)
    assert not StaffApproval.objects.exists()
    assert verdict(item) == "held"
    assert not Publication.objects.filter(item=item, state__in=OPEN).exists()


def test_undoing_a_release_holds_the_picture_again(world: World) -> None:
    item = world.make_item()
    review.release(said_of(world, item), ["website"], BASIS)
    undo_answers(said_of(world, item), ["website"])
    assert verdict(item) == "held"
    assert not Publication.objects.filter(item=item, state__in=OPEN).exists()


def test_a_refusal_closes_one_channel_and_leaves_the_others(world: World) -> None:
    item = world.make_item()
    review.refuse(said_of(world, item), ["website"])
    assert (verdict(item), verdict(item, "mag")) == ("refused", "held")


def test_a_face_that_staff_draw_holds_a_cleared_picture(world: World) -> None:
    world.make_pupil(ANN)
    item = world.make_item(matches(ANN))
    assert verdict(item) == "released"
    assert review.add_face(said_of(world, item), Box(500, 300, 80, 90)) == 1
    assert reasons(item) == [Reason.UNKNOWN_FACE]


def test_a_drawn_face_that_is_taken_back_leaves_no_gap(world: World) -> None:
    item = world.make_item(STRANGER)
    review.add_face(said_of(world, item), Box(500, 300, 80, 90))
    review.add_face(said_of(world, item), Box(700, 300, 80, 90))
    review.untag_face(said_of(world, item), 1)
    assert [(t.face, t.box) for t in StaffTag.objects.filter(item=item)] == [
        (1, [700, 300, 80, 90])
    ]


@pytest.mark.dialect
def test_a_box_outside_the_picture_is_not_saved(world: World) -> None:
    item = world.make_item()
    with pytest.raises(InvalidInput):
        review.add_face(said_of(world, item), Box(1190, 10, 80, 80))
    assert not StaffTag.objects.exists()


def test_a_tag_for_a_face_that_is_not_there_is_not_saved(world: World) -> None:
    item = world.make_item(STRANGER)
    with pytest.raises(InvalidInput):
        review.tag_face(said_of(world, item), 1, VISITOR)


def test_somebody_who_is_not_on_the_register_cannot_be_named(world: World) -> None:
    item = world.make_item(STRANGER)
    with pytest.raises(InvalidInput):
        review.tag_face(said_of(world, item), 0, Tag(TagKind.PUPIL, "999999"))


def test_a_picture_that_could_not_be_examined_cannot_be_released(world: World) -> None:
    item = world.make_item(evidence=NotExamined(Reason.NOT_EXAMINED, "It is damaged."))
    with pytest.raises(CannotBeReleased):
        review.release(said_of(world, item), ["website"], BASIS)


def test_never_publish_beats_every_signature(world: World) -> None:
    world.make_pupil(ANN, never_publish=True)
    world.make_pupil(BEN)
    item = world.make_item(Ambiguous((ANN, BEN)))
    review.tag_face(said_of(world, item), 0, Tag(TagKind.PUPIL, BEN))
    with pytest.raises(CannotBeReleased):
        review.release(said_of(world, item), ["website"], BASIS)


def test_a_sealed_picture_is_not_open_for_review(world: World) -> None:
    item = world.make_item()
    Item.objects.filter(pk=item.pk).update(state="sealed")
    with pytest.raises(NotReviewable):
        review.release(said_of(world, item), ["website"], BASIS)


def test_a_title_with_a_pupils_full_name_is_not_saved(world: World) -> None:
    world.make_pupil(ANN, "Anne-Marie", "O'Brien", preferred_forename="Annie")
    item = world.make_item()
    with pytest.raises(InvalidInput):
        review.describe(said_of(world, item), "Well done annie o\u2019brien!", "")
    with pytest.raises(InvalidInput):
        review.describe(said_of(world, item), "Sports day", "ANNE MARIE O'BRIEN wins")
    review.describe(said_of(world, item), "Annie wins", "A girl jumps over a hurdle")
    item.refresh_from_db()
    assert item.title == "Annie wins"


def test_what_staff_say_is_in_an_audit_trail_that_holds_and_names_nobody(world: World) -> None:
    world.make_pupil(ANN, "Ann", "Archer")
    item = world.make_item(STRANGER)
    review.tag_face(said_of(world, item), 0, Tag(TagKind.PUPIL, ANN))
    review.release(said_of(world, item), ["website"], BASIS)
    actions = set(AuditEntry.objects.filter(actor="j.shaw").values_list("action", flat=True))
    assert {"face.tagged", "channel.approved", "publication.intended"} <= actions
    assert audit_log.verify(world.home) == []
    told = " ".join(str(row.detail) for row in AuditEntry.objects.all())
    assert "Archer" not in told
    assert ANN not in told


@pytest.mark.dialect
def test_two_pairs_of_eyes_are_two_people(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(with_channel(world.home, "website", four_eyes=True))
    item = world.make_item()
    review.release(said_of(world, item, "first"), ["website"], BASIS)
    assert reasons(item) == [Reason.AWAITING_SECOND_PERSON]
    review.release(said_of(world, item, "first"), ["website"], BASIS)
    assert verdict(item) == "held"
    review.release(said_of(world, item, "second"), ["website"], BASIS)
    assert verdict(item) == "released"


def test_a_sealed_picture_cannot_be_opened_by_any_part_of_the_gate(world: World) -> None:
    item = world.make_item(STRANGER, name="bad.jpg")
    review.seal(said_of(world, item))
    item.refresh_from_db()
    assert item.state == "sealed"
    for part in ("original", "preview"):
        with pytest.raises((DecryptionError, OSError)):
            read_part(world.home, item, part)


def test_sealing_recalls_the_picture_and_leaves_no_copy_in_the_inbox(world: World) -> None:
    world.make_pupil(ANN)
    item = world.make_item(matches(ANN), name="bad.jpg")
    dropped = world.home.inbox / item.source
    dropped.parent.mkdir(parents=True)
    dropped.write_bytes(read_part(world.home, item))
    InboxSighting.objects.create(
        item=item, source=item.source, size=1, modified_ns=1, seen_at=world.home.now()
    )
    review.seal(said_of(world, item))
    assert not Publication.objects.filter(item=item, state__in=OPEN).exists()
    assert not dropped.exists()


def test_sealing_finds_the_copy_that_was_put_away_under_another_name(world: World) -> None:
    """As where ``done`` held a photo of the same name already."""
    item = world.make_item(STRANGER, name="IMG_1.JPG")
    put_away = world.home.root / "done" / "sports-day" / f"{item.pk}.JPG"
    put_away.parent.mkdir(parents=True)
    put_away.write_bytes(read_part(world.home, item))
    other = put_away.with_name("IMG_1.JPG")
    other.write_bytes(b"another photo")
    InboxSighting.objects.create(
        item=item, source=item.source, size=1, modified_ns=1, seen_at=world.home.now()
    )
    review.seal(said_of(world, item))
    assert not put_away.exists()
    assert other.exists()


def test_a_damaged_safe_copy_leaves_the_file_in_the_inbox_alone(world: World) -> None:
    item = world.make_item(STRANGER)
    dropped = world.home.inbox / item.source
    dropped.parent.mkdir(parents=True)
    dropped.write_bytes(read_part(world.home, item))
    InboxSighting.objects.create(
        item=item, source=item.source, size=1, modified_ns=1, seen_at=world.home.now()
    )
    folder_vault(world.home).path(item.pk).write_bytes(b"broken")
    review.seal(said_of(world, item))
    item.refresh_from_db()
    assert item.state == "sealed"
    assert dropped.exists()


def test_a_picture_whose_original_is_long_deleted_is_sealed_too(world: World) -> None:
    world.make_pupil(ANN)
    item = world.make_item(matches(ANN))
    Item.objects.filter(pk=item.pk).update(wrapped_key=None)  # as [retention] originals_days does
    review.seal(said_of(world, item))
    item.refresh_from_db()
    assert item.state == "sealed"
    assert not Publication.objects.filter(item=item, state__in=OPEN).exists()
