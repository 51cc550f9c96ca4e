"""Write and record what staff answered: approvals and refusals by channel, and tags of faces."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from consent_gate.db import audit_log
from consent_gate.db.models import Item, StaffApproval
from consent_gate.model import Tag
from consent_gate.review.transaction import ReviewAction


@dataclass(frozen=True)
class Answer:
    """An approval or a refusal for one channel."""

    channel: str
    basis: str
    at: datetime
    refused: bool = False


def sign(action: ReviewAction, item: Item, answer: Answer) -> None:
    """Save an approval, and record it. It may complete another person's."""
    first = StaffApproval.objects.filter(item=item, channel=answer.channel, refused=False).first()
    two = action.home.settings.channels[answer.channel].four_eyes
    completes = bool(two and first and not first.second_person and first.actor != action.actor)
    if completes and first is not None:
        first.second_person, first.created_at = action.actor, answer.at
        first.save(update_fields=["second_person", "created_at"])
    else:
        save_answer(action, item, answer)
    detail = {"channel": answer.channel, "basis": answer.basis, "completes": completes}
    audit_log.record(action.home, "channel.approved", action.subject, detail, action.actor)


def save_answer(action: ReviewAction, item: Item, answer: Answer) -> None:
    """Save an approval or a refusal in the place of the last answer for the channel."""
    StaffApproval.objects.update_or_create(
        item=item,
        channel=answer.channel,
        defaults={
            "refused": answer.refused,
            "actor": action.actor,
            "second_person": "",
            "basis": answer.basis,
            "created_at": answer.at,
        },
    )


def record_tag(action: ReviewAction, face: int, tag: Tag) -> None:
    """Write a tag to the audit trail, with the pupil as a pseudonym."""
    detail: dict[str, object] = {"face": face, "kind": tag.kind.value}
    if tag.pupil:
        detail["pupil"] = audit_log.pupil_subject(action.home, tag.pupil)
    if tag.basis:
        detail["basis"] = tag.basis
    audit_log.record(action.home, "face.tagged", action.subject, detail, action.actor)
