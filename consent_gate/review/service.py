"""Everything staff can say of a picture. Each call is one transaction, or nothing (``saving``)."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import Item, ItemState, StaffApproval, StaffTag
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.enrolments import delete_enrolments, made_from
from consent_gate.decisions.ledger import DecisionContext, update_text
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.model import Box, Hold, Tag, TagKind
from consent_gate.register.relevant import register_for_item
from consent_gate.review import sealing
from consent_gate.review.transaction import (
    ReviewAction,
    apply_review,
    at_current_revision,
    lock_item,
    verdicts_if_approved,
)
from consent_gate.review.validation import (
    CannotBeReleased,
    InvalidInput,
    box_inside,
    check_basis,
    check_tag,
    check_text,
    close_gap,
    count_faces,
)
from publish.recall.withdraw import remove_withdrawn

__all__ = ["ReviewAction", "at_current_revision"]


def tag_face(action: ReviewAction, face: int, tag: Tag) -> None:
    """Say who or what a face is. Raises InvalidInput, EditConflict or NotReviewable."""
    check_tag(action.home, tag)

    def change(item: Item) -> None:
        if face not in range(count_faces(item)):
            raise InvalidInput("There is no such face in this picture.")
        if made_from(item, face).exclude(pupil__admission_number=tag.pupil or "").exists():
            delete_enrolments(action.home, item, action.actor, face)
        StaffTag.objects.update_or_create(
            item=item,
            face=face,
            defaults={
                "kind": tag.kind.value,
                "admission_number": tag.pupil or "",
                "basis": tag.basis,
                "actor": action.actor,
                "created_at": action.home.now(),
            },
        )
        _record_tag(action, face, tag)

    apply_review(action, change, keeps_approvals=False)


def untag_face(action: ReviewAction, face: int) -> None:
    """Take back what staff said of a face; a face that staff drew goes altogether."""

    def change(item: Item) -> None:
        tag = StaffTag.objects.filter(item=item, face=face).first()
        if tag is None:
            return
        drawn = tag.box is not None
        delete_enrolments(action.home, item, action.actor, face)
        tag.delete()
        if drawn:
            close_gap(item, face)
        audit_log.record(action.home, "face.untagged", action.subject, {"face": face}, action.actor)

    apply_review(action, change, keeps_approvals=False)


def add_face(action: ReviewAction, box: Box) -> int:
    """A face the machine missed, drawn by staff. Holds the picture until it is tagged.

    Returns its index. Raises InvalidInput when the box is not inside the picture.
    """
    drawn: list[int] = []

    def change(item: Item) -> None:
        index = count_faces(item)
        StaffTag.objects.create(
            item=item,
            face=index,
            kind=TagKind.CANNOT_TELL.value,
            box=box_inside(item, box).as_list(),
            actor=action.actor,
            created_at=action.home.now(),
        )
        drawn.append(index)
        audit_log.record(action.home, "face.added", action.subject, {"face": index}, action.actor)

    apply_review(action, change, keeps_approvals=False)
    return drawn[0]


def crop(action: ReviewAction, kept: Box | None) -> None:
    """Publish only this part of the picture, or all of it again.

    Raises InvalidInput when the part is not inside the picture.
    """

    def change(item: Item) -> None:
        item.crop = box_inside(item, kept).as_list() if kept else None
        item.save(update_fields=["crop"])
        audit_log.record(
            action.home, "picture.cropped", action.subject, {"crop": item.crop}, action.actor
        )

    apply_review(action, change, keeps_approvals=False)


def release(action: ReviewAction, channels: Iterable[str], basis: str) -> None:
    """Sign the release to these channels. All or none.

    In a channel that asks for two people, the second one's signature completes the first's.
    Raises CannotBeReleased where anyone shown is not cleared, InvalidInput without a basis.
    """
    basis, wanted = basis.strip(), tuple(channels)
    check_basis(action.home, basis)
    if not wanted:
        raise InvalidInput("Tick at least one place.")

    def change(item: Item) -> None:
        verdicts = verdicts_if_approved(action.home, item, action.actor, load_staff_input(item))
        for channel in wanted:
            if channel not in verdicts or isinstance(verdicts[channel], Hold):
                raise CannotBeReleased("Not everyone in the picture is cleared for this.")
            second = _sign(action, item, channel, basis)
            detail = {"channel": channel, "basis": basis, "completes": second}
            audit_log.record(action.home, "channel.approved", action.subject, detail, action.actor)

    apply_review(action, change, keeps_approvals=True)


def refuse(action: ReviewAction, channels: Iterable[str], why: str = "") -> None:
    """Close these channels to the picture until somebody reopens them."""
    wanted = tuple(channels)
    if not wanted:
        raise InvalidInput("Tick at least one place.")
    check_text(action.home, why)

    def change(item: Item) -> None:
        for channel in wanted:
            StaffApproval.objects.update_or_create(
                item=item,
                channel=channel,
                defaults=_answer(action, refused=True, basis=why.strip()),
            )
            detail = {"channel": channel, "why": why.strip()}
            audit_log.record(action.home, "channel.refused", action.subject, detail, action.actor)

    apply_review(
        action, change, keeps_approvals=True, states=(ItemState.DECIDED, ItemState.RECEIVED)
    )


def reopen(action: ReviewAction, channels: Iterable[str]) -> None:
    """Take approvals and refusals back: the picture waits again, and comes back if it was out."""
    wanted = tuple(channels)

    def change(item: Item) -> None:
        StaffApproval.objects.filter(item=item, channel__in=wanted).delete()
        detail = {"channels": list(wanted)}
        audit_log.record(action.home, "channel.reopened", action.subject, detail, action.actor)

    apply_review(action, change, keeps_approvals=True)


def describe(action: ReviewAction, title: str, alt: str) -> None:
    """Title and description for readers, also of what is out already.

    Raises InvalidInput when a pupil's full name is in them.
    """
    check_text(action.home, f"{title}\n{alt}")

    def change(item: Item) -> None:
        item.title, item.alt = title.strip()[:200], alt.strip()[:500]
        item.save(update_fields=["title", "alt"])
        update_text(item)
        audit_log.record(action.home, "item.described", action.subject, {}, action.actor)

    apply_review(action, change, keeps_approvals=True)


def seal(action: ReviewAction) -> None:
    """Lock a picture away: nobody sees it again here, and whatever is out comes back.

    For a picture that may be indecent. Nobody evaluates it; the safeguarding lead is told. It is
    kept, under a key that no other part of the gate opens (docs/adr/0007-web.md). Raises
    Undecryptable when its safe copy cannot be read, and then seals nothing.
    """
    with transaction.atomic():
        item = lock_item(action, (ItemState.DECIDED, ItemState.RECEIVED))
        intact = sealing.is_intact(action.home, item)
        sealing.seal_item(action.home, item)
        delete_enrolments(action.home, item, action.actor)
        item.state = ItemState.SEALED
        item.revision += 1
        item.save(update_fields=["state", "revision", "wrapped_key", "title", "alt"])
        audit_log.record(
            action.home, "item.sealed", action.subject, {"intact": intact}, action.actor
        )
        now = action.home.now()
        apply_decision(
            DecisionContext(action.home, register_for_item(item, now.date()), now, action.actor),
            item,
        )
    remove_withdrawn(action.home)
    sealing.remove_copies(action.home, item, intact=intact)


def _sign(action: ReviewAction, item: Item, channel: str, basis: str) -> bool:
    """Write the signature. True when it completes another person's."""
    first = StaffApproval.objects.filter(item=item, channel=channel, refused=False).first()
    two = action.home.settings.channels[channel].four_eyes
    if two and first and not first.second_person and first.actor != action.actor:
        first.second_person, first.created_at = action.actor, action.home.now()
        first.save(update_fields=["second_person", "created_at"])
        return True
    StaffApproval.objects.update_or_create(
        item=item, channel=channel, defaults=_answer(action, refused=False, basis=basis)
    )
    return False


def _answer(action: ReviewAction, *, refused: bool, basis: str) -> dict[str, object]:
    return {
        "refused": refused,
        "actor": action.actor,
        "second_person": "",
        "basis": basis,
        "created_at": action.home.now(),
    }


def _record_tag(action: ReviewAction, face: int, tag: Tag) -> None:
    detail: dict[str, object] = {"face": face, "kind": tag.kind.value}
    if tag.pupil:
        detail["pupil"] = audit_log.pupil_subject(action.home, tag.pupil)
    if tag.basis:
        detail["basis"] = tag.basis
    audit_log.record(action.home, "face.tagged", action.subject, detail, action.actor)
