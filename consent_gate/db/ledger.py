"""Opening and closing publications. Only rows change here; ``publish`` makes the folders agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F

from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.models import ChannelState, Item, Publication, PublicationState
from consent_gate.db.models.publications import IN_MANIFEST, OPEN
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


def intend(this: Round, item: Item, channel: str) -> Publication:
    """Note that an item is to go out. Call inside the transaction of its decision."""
    publication = Publication.objects.create(
        id=new_id(),
        item=item,
        channel=channel,
        state=PublicationState.INTENDED,
        file=f"{this.now:%Y-%m}/{new_id()}.jpg",
        title=item.title,
        alt=item.alt,
        intended_at=this.now,
    )
    _tell(this, publication, "publication.intended")
    return publication


def call_back(this: Round, publication: Publication, cause: str) -> None:
    """Note that a publication has to come back. Call inside a transaction."""
    listed = publication.state in IN_MANIFEST
    publication.state = PublicationState.UNLISTED if listed else PublicationState.ABANDONED
    publication.cause = cause
    if listed:
        publication.withdrawn_at = this.now
        touch_channel(publication.channel)
    publication.save(update_fields=["state", "cause", "withdrawn_at"])
    _tell(this, publication, "publication.recalled" if listed else "publication.abandoned")


def touch_channel(channel: str) -> None:
    """Note that the channel's manifest must be written again."""
    ChannelState.objects.get_or_create(channel=channel)
    ChannelState.objects.filter(channel=channel).update(sequence=F("sequence") + 1)


def _tell(this: Round, publication: Publication, action: str) -> None:
    detail = {"publication": publication.pk, "channel": publication.channel}
    if publication.cause:
        detail["cause"] = publication.cause
    trail.record(this.home, action, f"item:{publication.item_id}", detail, this.actor)
