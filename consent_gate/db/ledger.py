"""Opening and closing publications. Only rows change here; ``publish`` makes the folders agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.models import (
    ChannelState,
    Item,
    Publication,
    PublicationState,
    StaffApproval,
)
from consent_gate.db.models.publications import OPEN
from consent_gate.ids import new_id
from consent_gate.model import Register


@dataclass(frozen=True)
class Round:
    """What one round of decisions rests on: read once, used for every item of the round."""

    home: Home
    register: Register
    now: datetime
    actor: str = trail.MACHINE
    may_open: bool = False
    """Whether something may newly go out in this round: the picture was examined, or a person
    looked at it, just now. Without it a picture that could go out is examined again first."""


def open_publication(item: Item, channel: str) -> Publication | None:
    """The publication of an item that is out or on its way out."""
    return Publication.objects.filter(item=item, channel=channel, state__in=OPEN).first()


def intend(this: Round, item: Item, channel: str, covers: list[list[int]]) -> Publication:
    """Note that an item is to go out, with these faces covered. Call inside the transaction of
    its decision."""
    publication = Publication.objects.create(
        id=new_id(),
        item=item,
        channel=channel,
        state=PublicationState.INTENDED,
        file=f"{this.now:%Y-%m}/{new_id()}.jpg",
        title=item.title,
        alt=item.alt,
        covers=covers,
        intended_at=this.now,
    )
    _tell(this, publication, "publication.intended")
    return publication


def call_back(this: Round, publication: Publication, cause: str) -> None:
    """Note that a publication has to come back. Call inside a transaction."""
    was_out = publication.released_at is not None
    publication.state = PublicationState.UNLISTED if was_out else PublicationState.ABANDONED
    publication.cause = cause
    publication.approval_at_recall = _standing_approval(publication)
    if was_out:
        publication.withdrawn_at = this.now
        touch_channel(publication.channel)
    publication.save(update_fields=["state", "cause", "approval_at_recall", "withdrawn_at"])
    _tell(this, publication, "publication.recalled" if was_out else "publication.abandoned")


def make_again(this: Round, publication: Publication) -> None:
    """The file of a listed picture is gone or changed: it leaves the manifest and goes through
    every check of a new one. Call inside a transaction."""
    publication.state = PublicationState.INTENDED
    publication.save(update_fields=["state"])
    touch_channel(publication.channel)
    _tell(this, publication, "publication.remade")


def touch_channel(channel: str) -> None:
    """Note that the channel's manifest must be written again."""
    ChannelState.objects.get_or_create(channel=channel)
    ChannelState.objects.filter(channel=channel).update(sequence=F("sequence") + 1)


def _standing_approval(publication: Publication) -> datetime | None:
    answer = StaffApproval.objects.filter(item=publication.item_id, channel=publication.channel)
    return answer.filter(refused=False).values_list("at", flat=True).first()


def _tell(this: Round, publication: Publication, action: str) -> None:
    detail = {"publication": publication.pk, "channel": publication.channel}
    if publication.cause:
        detail["cause"] = publication.cause
    trail.record(this.home, action, f"item:{publication.item_id}", detail, this.actor)
