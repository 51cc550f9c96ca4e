"""Write and record what staff answered: approvals and refusals by channel, and tags of faces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consent_gate.db import audit_log
from consent_gate.db.models import Item, StaffApproval, StaffTag
from consent_gate.model import Box, Tag, TagKind
from consent_gate.review.transaction import ReviewAction
from consent_gate.review.validation import box_inside, count_faces, examined_picture


@dataclass(frozen=True)
class ChannelAnswer:
    """An approval or a refusal for one channel."""

    channel: str
    basis: str
    created_at: datetime
    refused: bool = False


def save_approval(action: ReviewAction, item: Item, answer: ChannelAnswer) -> None:
    """Save an approval, and record it. It may complete another person's."""
    first = StaffApproval.objects.filter(item=item, channel=answer.channel, refused=False).first()
    two = action.home.settings.channels[answer.channel].four_eyes
    completes = bool(two and first and not first.second_person and first.actor != action.actor)
    if completes and first is not None:
        first.second_person, first.created_at = action.actor, answer.created_at
        first.save(update_fields=["second_person", "created_at"])
    else:
        save_answer(action, item, answer)
    detail = {"channel": answer.channel, "basis": answer.basis, "completes": completes}
    audit_log.record(action.home, "channel.approved", action.subject, detail, action.actor)


def save_answer(action: ReviewAction, item: Item, answer: ChannelAnswer) -> None:
    """Save an approval or a refusal in the place of the last answer for the channel."""
    StaffApproval.objects.update_or_create(
        item=item,
        channel=answer.channel,
        defaults={
            "refused": answer.refused,
            "actor": action.actor,
            "second_person": "",
            "basis": answer.basis,
            "created_at": answer.created_at,
        },
    )


def save_tag(action: ReviewAction, item: Item, face: int, tag: Tag, created_at: datetime) -> None:
    """Save what was said about a face in the place of the last answer, and record it.

    Args:
        action: Who acts, and on which revision of the picture.
        item: The picture.
        face: Index of the face in the item's evidence.
        tag: Who or what the face is.
        created_at: When it was said.
    """
    StaffTag.objects.update_or_create(
        item=item,
        face=face,
        defaults={
            "kind": tag.kind.value,
            "admission_number": tag.pupil or "",
            "basis": tag.basis,
            "actor": action.actor,
            "created_at": created_at,
            "before": None,
        },
    )
    _record_tag(action, face, tag)


def draw_face(
    action: ReviewAction, item: Item, kind: TagKind, box: Box, created_at: datetime
) -> int:
    """Save a face or a text that the detectors did not find as a face. Returns its index.

    Args:
        action: Who acts, and on which revision of the picture.
        item: The picture.
        kind: What staff said of it.
        box: In pixels of the upright original.
        created_at: When it was drawn.

    Raises:
        InvalidInput: The box is not inside the picture.
    """
    index, inside = count_faces(item), box_inside(item, box).as_list()
    StaffTag.objects.create(
        item=item,
        face=index,
        kind=kind.value,
        box=inside,
        actor=action.actor,
        created_at=created_at,
    )
    return index


def cover_text(action: ReviewAction, item: Item, name: int, created_at: datetime) -> None:
    """Cover a readable name, and record it. ``name`` is its index in the evidence.

    Raises:
        InvalidInput: It lies outside the picture.
    """
    box = examined_picture(item).names[name].box
    index = draw_face(action, item, TagKind.BLURRED, box, created_at)
    audit_log.record(action.home, "name.covered", action.subject, {"face": index}, action.actor)


def _record_tag(action: ReviewAction, face: int, tag: Tag) -> None:
    """Write a tag to the audit trail, with the pupil as a pseudonym."""
    detail: dict[str, object] = {"face": face, "kind": tag.kind.value}
    if tag.pupil:
        detail["pupil"] = audit_log.pupil_subject(action.home, tag.pupil)
    if tag.basis:
        detail["basis"] = tag.basis
    audit_log.record(action.home, "face.tagged", action.subject, detail, action.actor)
