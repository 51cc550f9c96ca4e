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
from consent_gate.decisions.appearance import Appearance
from consent_gate.decisions.rules import rules_in_force
from consent_gate.home.home import Home
from consent_gate.ids import new_id
from consent_gate.model import Register, Rules

BY_HAND = "taken_back_by_hand"
"""Cause of a recall that a person asked for."""

APPEARANCE_CHANGED = "look_changed"
"""Cause of a recall that makes room for the same picture looking otherwise."""

APPROVAL_WITHDRAWN = "approval_taken_back"
"""Cause of a recall of what only a person's word had let out."""

RECALLED_BEFORE = "recalled_before_restore"
"""Cause of a recall that the ledger of a restored home did not know."""


@dataclass(frozen=True)
class DecisionContext:
    """What one round of decisions rests on: read once, used for every item of the round."""

    home: Home
    register: Register
    now: datetime
    actor: str = audit_log.SYSTEM_ACTOR
    may_open: bool = False
    """Whether something may newly go out in this round: the picture was examined, or a person
    looked at it, just now. Without it a picture that could go out is examined again first."""
    unapproved: frozenset[str] = frozenset()
    """Channels whose signature was taken back just now: what is out comes back with it."""
    batch: BatchEffects | None = None
    """Where a round over many items puts what is written once at its end."""

    @cached_property
    def rules(self) -> Rules:
        """The school's rules at the beginning of the round."""
        return rules_in_force(self.home)

    def record(self, action: str, subject: str, detail: dict[str, object]) -> None:
        """An audit entry of this round."""
        if self.batch is None:
            audit_log.record(self.home, action, subject, detail, self.actor)
        else:
            self.batch.events.append(audit_log.AuditEvent(action, subject, detail))

    def mark_manifest_dirty(self, channel: str) -> None:
        """The channel's manifest must be written again."""
        if self.batch is None:
            mark_manifest_dirty(channel)
        else:
            self.batch.channels.add(channel)


@dataclass
class BatchEffects:
    """Audit entries and channels of a round over many items."""

    events: list[audit_log.AuditEvent] = field(default_factory=list)
    channels: set[str] = field(default_factory=set)


@contextmanager
def batch_effects(ctx: DecisionContext) -> Iterator[DecisionContext]:
    """A round over many items in one transaction: the chain and the sequence numbers move once.

    Recalling thousands of pictures would otherwise spend most of its time on them.
    """
    gathered = BatchEffects()
    yield replace(ctx, batch=gathered)
    for channel in sorted(gathered.channels):
        mark_manifest_dirty(channel)
    audit_log.record_all(ctx.home, gathered.events, ctx.actor)


def find_open_publication(item: Item, channel: str) -> Publication | None:
    """The publication of an item that is out or on its way out."""
    rows = [p for p in item.publications.all() if p.channel == channel and p.state in OPEN]
    return rows[0] if rows else None


def open_publication(
    ctx: DecisionContext, item: Item, channel: str, appearance: Appearance
) -> Publication:
    """Note that an item is to go out, looking like this. Call inside the transaction of its
    decision."""
    publication = Publication.objects.create(
        id=new_id(),
        item=item,
        channel=channel,
        state=PublicationState.INTENDED,
        file=f"{ctx.now:%Y-%m}/{new_id()}.jpg",
        title=item.title,
        alt=item.alt,
        redactions=[box.as_list() for box in appearance.redactions],
        crop=appearance.crop.as_list() if appearance.crop else None,
        intended_at=ctx.now,
    )
    jobs.enqueue_renditions(ctx.home, item.pk)
    _record(ctx, publication, "publication.intended")
    return publication


def recall_publication(ctx: DecisionContext, publication: Publication, cause: str) -> None:
    """Note that a publication has to come back. Call inside a transaction."""
    was_out = publication.released_at is not None
    publication.state = PublicationState.WITHDRAWING if was_out else PublicationState.CANCELLED
    publication.cause = cause
    publication.approval_at_recall = _standing_approval(publication)
    if was_out:
        publication.withdrawn_at = ctx.now
        ctx.mark_manifest_dirty(publication.channel)
    publication.save(update_fields=["state", "cause", "approval_at_recall", "withdrawn_at"])
    _record(ctx, publication, "publication.recalled" if was_out else "publication.abandoned")


def republish(ctx: DecisionContext, publication: Publication) -> None:
    """The file of a listed picture is gone or changed: it leaves the manifest and goes through
    every check of a new one. Call inside a transaction."""
    publication.state = PublicationState.INTENDED
    publication.save(update_fields=["state"])
    mark_manifest_dirty(publication.channel)
    jobs.enqueue_renditions(ctx.home, publication.item_id)
    _record(ctx, publication, "publication.remade")


def update_text(item: Item) -> None:
    """Give what is out, or on its way out, the item's title and description of today.

    Call inside a transaction.
    """
    for publication in item.publications.filter(state__in=OPEN):
        publication.title, publication.alt = item.title, item.alt
        publication.save(update_fields=["title", "alt"])
        if publication.state in IN_MANIFEST:
            mark_manifest_dirty(publication.channel)


def mark_manifest_dirty(channel: str) -> None:
    """Note that the channel's manifest must be written again."""
    ChannelState.objects.get_or_create(channel=channel)
    ChannelState.objects.filter(channel=channel).update(sequence=F("sequence") + 1)


def _standing_approval(publication: Publication) -> datetime | None:
    answers = publication.item.approvals.all()
    stood = [a.created_at for a in answers if a.channel == publication.channel and not a.refused]
    return stood[0] if stood else None


def _record(ctx: DecisionContext, publication: Publication, action: str) -> None:
    detail: dict[str, object] = {"publication": publication.pk, "channel": publication.channel}
    if publication.cause:
        detail["cause"] = publication.cause
    ctx.record(action, f"item:{publication.item_id}", detail)
