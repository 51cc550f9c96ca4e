"""Opening and closing publications. Only rows change here; ``publish`` makes the folders agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from django.db.models import F

from consent_gate.db import audit_log, jobs
from consent_gate.db.models import (
    ChannelState,
    Item,
    Publication,
    PublicationState,
)
from consent_gate.db.models.publications import IN_MANIFEST, OPEN
from consent_gate.decisions.appearance import Look
from consent_gate.decisions.rules import rules_in_force
from consent_gate.home.home import Home
from consent_gate.ids import new_id
from consent_gate.model import Register, Rules

BY_HAND = "taken_back_by_hand"
"""Cause of a recall that a person asked for."""

LOOK_CHANGED = "look_changed"
"""Cause of a recall that makes room for the same picture looking otherwise."""

UNSIGNED = "approval_taken_back"
"""Cause of a recall of what only a person's word had let out."""

RECALLED_BEFORE = "recalled_before_restore"
"""Cause of a recall that the ledger of a restored home did not know."""


@dataclass(frozen=True)
class Round:
    """What one round of decisions rests on: read once, used for every item of the round."""

    home: Home
    register: Register
    now: datetime
    actor: str = audit_log.MACHINE
    may_open: bool = False
    """Whether something may newly go out in this round: the picture was examined, or a person
    looked at it, just now. Without it a picture that could go out is examined again first."""
    unsigned: frozenset[str] = frozenset()
    """Channels whose signature was taken back just now: what is out comes back with it."""
    gathered: Gathered | None = None
    """Where a round over many items puts what is written once at its end."""

    @cached_property
    def rules(self) -> Rules:
        """The school's rules at the beginning of the round."""
        return rules_in_force(self.home)

    def record(self, action: str, subject: str, detail: dict[str, object]) -> None:
        """An audit entry of this round."""
        if self.gathered is None:
            audit_log.record(self.home, action, subject, detail, self.actor)
        else:
            self.gathered.facts.append(audit_log.Fact(action, subject, detail))

    def touch(self, channel: str) -> None:
        """The channel's manifest must be written again."""
        if self.gathered is None:
            touch_channel(channel)
        else:
            self.gathered.channels.add(channel)


@dataclass
class Gathered:
    """Audit entries and channels of a round over many items."""

    facts: list[audit_log.Fact] = field(default_factory=list)
    channels: set[str] = field(default_factory=set)


@contextmanager
def gathering(this: Round) -> Iterator[Round]:
    """A round over many items in one transaction: the chain and the sequence numbers move once.

    Recalling thousands of pictures would otherwise spend most of its time on them.
    """
    gathered = Gathered()
    yield replace(this, gathered=gathered)
    for channel in sorted(gathered.channels):
        touch_channel(channel)
    audit_log.record_all(this.home, gathered.facts, this.actor)


def open_publication(item: Item, channel: str) -> Publication | None:
    """The publication of an item that is out or on its way out."""
    rows = [p for p in item.publications.all() if p.channel == channel and p.state in OPEN]
    return rows[0] if rows else None


def intend(this: Round, item: Item, channel: str, look: Look) -> Publication:
    """Note that an item is to go out, looking like this. Call inside the transaction of its
    decision."""
    publication = Publication.objects.create(
        id=new_id(),
        item=item,
        channel=channel,
        state=PublicationState.INTENDED,
        file=f"{this.now:%Y-%m}/{new_id()}.jpg",
        title=item.title,
        alt=item.alt,
        covers=[box.as_list() for box in look.covers],
        crop=look.crop.as_list() if look.crop else None,
        intended_at=this.now,
    )
    jobs.pictures_due(this.home, item.pk)
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
        this.touch(publication.channel)
    publication.save(update_fields=["state", "cause", "approval_at_recall", "withdrawn_at"])
    _tell(this, publication, "publication.recalled" if was_out else "publication.abandoned")


def make_again(this: Round, publication: Publication) -> None:
    """The file of a listed picture is gone or changed: it leaves the manifest and goes through
    every check of a new one. Call inside a transaction."""
    publication.state = PublicationState.INTENDED
    publication.save(update_fields=["state"])
    touch_channel(publication.channel)
    jobs.pictures_due(this.home, publication.item_id)
    _tell(this, publication, "publication.remade")


def reword(item: Item) -> None:
    """Give what is out, or on its way out, the item's title and description of today.

    Call inside a transaction.
    """
    for publication in item.publications.filter(state__in=OPEN):
        publication.title, publication.alt = item.title, item.alt
        publication.save(update_fields=["title", "alt"])
        if publication.state in IN_MANIFEST:
            touch_channel(publication.channel)


def touch_channel(channel: str) -> None:
    """Note that the channel's manifest must be written again."""
    ChannelState.objects.get_or_create(channel=channel)
    ChannelState.objects.filter(channel=channel).update(sequence=F("sequence") + 1)


def _standing_approval(publication: Publication) -> datetime | None:
    answers = publication.item.approvals.all()
    stood = [a.at for a in answers if a.channel == publication.channel and not a.refused]
    return stood[0] if stood else None


def _tell(this: Round, publication: Publication, action: str) -> None:
    detail: dict[str, object] = {"publication": publication.pk, "channel": publication.channel}
    if publication.cause:
        detail["cause"] = publication.cause
    this.record(action, f"item:{publication.item_id}", detail)
