"""Every action of staff on a picture: tag, crop, release, refuse, describe, seal.

Each function is one transaction (``review.transaction``). Unless stated otherwise it raises
EditConflict when somebody else changed the picture meanwhile, and NotReviewable when the picture is
not open for review.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import FaceToRemember, Item, ItemState, StaffTag
from consent_gate.decisions import sealing
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.copies.closed_pictures import sync_closed_picture
from consent_gate.decisions.copies.copy_traits import stored_traits
from consent_gate.decisions.copies.sealed_copies import SealedCopy, remove_sealed_copies
from consent_gate.decisions.enrolments import delete_enrolments, enrolments_from
from consent_gate.decisions.ledger import DecisionContext, update_text
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.model import Box, Hold, NamePart, Tag, TagKind
from consent_gate.register.relevant import register_for_item
from consent_gate.review.approvals import (
    ChannelAnswer,
    cover_text,
    draw_face,
    save_answer,
    save_approval,
    save_tag,
)
from consent_gate.review.transaction import (
    ReviewAction,
    apply_review,
    at_current_revision,
    judge_of,
    lock_item,
)
from consent_gate.review.validation import (
    CannotBeReleased,
    InvalidInput,
    box_inside,
    check_basis,
    check_description,
    check_tag,
    check_text,
    close_gap,
    count_faces,
    examined_picture,
    is_unseen_film,
)
from publish.recall.withdraw import remove_withdrawn

__all__ = ["ReviewAction", "at_current_revision"]


def tag_face(action: ReviewAction, face: int, tag: Tag) -> None:
    """Save who or what a face is. ``face`` is its index.

    Raises:
        InvalidInput: There is no such face or pupil, or an agreement lacks its basis.
    """
    check_tag(action.home, tag)

    def change(item: Item) -> None:
        if face not in range(count_faces(item)):
            raise InvalidInput("There is no such face in this picture.")
        FaceToRemember.objects.filter(tag__item=item, tag__face=face).delete()
        if enrolments_from(item, face).exclude(pupil__admission_number=tag.pupil or "").exists():
            delete_enrolments(action.home, item, action.actor, face)
        save_tag(action, item, face, tag, action.home.now())

    apply_review(action, change, keeps_approvals=False)


def untag_face(action: ReviewAction, face: int) -> None:
    """Delete the tag of a face. A face that staff drew is deleted with it."""

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
    """Add a face that the detector missed. It holds the picture until somebody tags it.

    ``box`` is in pixels of the upright original. Returns the index of the face.

    Raises:
        InvalidInput: The box is not inside the picture.
    """
    drawn: list[int] = []

    def change(item: Item) -> None:
        index = draw_face(action, item, TagKind.CANNOT_TELL, box, action.home.now())
        drawn.append(index)
        channels = action.home.settings.rules_for_decide().channels
        if item.shows_text and any(channel.text_marks - {NamePart.FULL} for channel in channels):
            item.names_outdated = True  # a name may stand beside this face
            item.save(update_fields=["names_outdated"])
        audit_log.record(action.home, "face.added", action.subject, {"face": index}, action.actor)

    apply_review(action, change, keeps_approvals=False)
    return drawn[0]


def cover_name(action: ReviewAction, name: int) -> None:
    """Cover a pupil's name that can be read. ``name`` is its index in the evidence.

    Raises:
        InvalidInput: There is no such name, it lies outside the picture, or the item is a film.
    """

    def change(item: Item) -> None:
        picture = examined_picture(item)
        if name not in range(len(picture.names)):
            raise InvalidInput("There is no such name in this picture.")
        if picture.film is not None:
            raise InvalidInput("A name in a film cannot be covered. Approve or refuse the film.")
        cover_text(action, item, name, action.home.now())

    apply_review(action, change, keeps_approvals=False)


def crop(action: ReviewAction, kept: Box | None) -> None:
    """Set the part of the picture that is published; None publishes all of it.

    ``kept`` is in pixels of the upright original.

    Raises:
        InvalidInput: The part is not inside the picture.
    """

    def change(item: Item) -> None:
        item.crop = box_inside(item, kept).as_list() if kept else None
        item.save(update_fields=["crop"])
        audit_log.record(
            action.home, "picture.cropped", action.subject, {"crop": item.crop}, action.actor
        )

    apply_review(action, change, keeps_approvals=False)


def release(
    action: ReviewAction, channels: Iterable[str], basis: str, alt: str | None = None
) -> None:
    """Approve the picture for all of these channels, or for none of them.

    In a channel that asks for two people, the second person's approval completes the first's.
    ``alt`` is the description for readers; None leaves it as it is.

    Raises:
        CannotBeReleased: Somebody shown is not cleared for one of the channels.
        InvalidInput: No channel or no basis is given, or a text names a pupil.
    """
    basis, wanted = basis.strip(), tuple(channels)
    check_basis(action.home, basis)
    if not wanted:
        raise InvalidInput("Tick at least one place.")

    def change(item: Item) -> None:
        if alt is not None and alt.strip() != item.alt:
            _set_text(action, item, item.title, alt)
        if is_unseen_film(action.home, item):
            raise CannotBeReleased("The film is no longer stored for you to watch.")
        staff = load_staff_input(item)
        verdicts = judge_of(action.home, item, action.actor).if_approved(staff)
        now = action.home.now()
        for channel in wanted:
            if channel not in verdicts or isinstance(verdicts[channel], Hold):
                raise CannotBeReleased("Not everyone in the picture is cleared for this.")
            save_approval(action, item, ChannelAnswer(channel, basis, now))

    apply_review(action, change, keeps_approvals=True)


def refuse(action: ReviewAction, channels: Iterable[str], why: str = "") -> None:
    """Refuse the picture for these channels until somebody takes the refusal back.

    Raises:
        InvalidInput: No channel is given, or the reason names a pupil.
    """
    wanted = tuple(channels)
    if not wanted:
        raise InvalidInput("Tick at least one place.")
    check_text(action.home, why)

    def change(item: Item) -> None:
        for channel in wanted:
            answer = ChannelAnswer(channel, why.strip(), action.home.now(), refused=True)
            save_answer(action, item, answer)
            detail = {"channel": channel, "why": why.strip()}
            audit_log.record(action.home, "channel.refused", action.subject, detail, action.actor)

    apply_review(
        action, change, keeps_approvals=True, states=(ItemState.DECIDED, ItemState.RECEIVED)
    )


def describe(action: ReviewAction, title: str, alt: str) -> None:
    """Set the title and the description for readers, also of a picture that is published already.

    Raises:
        InvalidInput: The text holds a pupil's full name.
    """

    def change(item: Item) -> None:
        _set_text(action, item, title, alt)

    apply_review(action, change, keeps_approvals=True)


def _set_text(action: ReviewAction, item: Item, title: str, alt: str) -> None:
    check_description(action.home, item.event, title, alt)
    item.title, item.alt = title.strip()[:200], alt.strip()[:500]
    item.save(update_fields=["title", "alt"])
    update_text(item)
    audit_log.record(action.home, "item.described", action.subject, {}, action.actor)


def seal(action: ReviewAction) -> None:
    """Seal a picture: no page shows it again, and it is recalled from every channel.

    For a picture that may be indecent. Nobody evaluates it; the safeguarding lead is notified. The
    original is kept under a key that no other part of the gate opens (docs/adr/0007-web.md). The
    revision is not compared.

    Raises:
        DecryptionError: The picture's key does not open; nothing is sealed.
        NotReviewable: The picture is neither decided nor waiting for its examination.
    """
    with transaction.atomic():
        item = lock_item(action, (ItemState.DECIDED, ItemState.RECEIVED))
        intact = sealing.is_intact(action.home, item)
        traits = stored_traits(action.home, item)  # afterwards its key does not open any more
        sealing.seal_item(action.home, item)
        delete_enrolments(action.home, item, action.actor)
        item.state = ItemState.SEALED
        item.revision += 1
        item.save(update_fields=["state", "revision", "wrapped_key", "title", "alt"])
        audit_log.record(
            action.home, "item.sealed", action.subject, {"intact": intact}, action.actor
        )
        now = action.home.now()
        register = register_for_item(item, now.date())
        ctx = DecisionContext(action.home, register, now, action.actor)
        apply_decision(ctx, item)
        copies = sync_closed_picture(ctx, item, traits)
    remove_withdrawn(action.home)
    remove_sealed_copies(action.home, [SealedCopy(item, intact), *copies])
