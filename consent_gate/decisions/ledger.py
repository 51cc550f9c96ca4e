"""Open and recall publications in the database. ``publish`` then changes the folders to match."""

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
"""Cause of a recall that is followed by the same picture with other redactions or another crop."""

APPROVAL_WITHDRAWN = "approval_taken_back"
"""Cause of a recall of a picture whose approval by a person was withdrawn."""

RECALLED_BEFORE = "recalled_before_restore"
"""Cause of a recall that happened after the backup of a restored home."""

NEED_A_NEW_APPROVAL = frozenset({BY_HAND, RECALLED_BEFORE})
"""Causes after which only a person's new approval publishes, also where the row was never out."""


@dataclass(frozen=True)
class DecisionContext:
    """What a round of decisions needs: read once, used for every item of the round."""

    home: Home
    register: Register
    now: datetime
    actor: str = audit_log.SYSTEM_ACTOR
    may_open: bool = False
    """Whether this round may open publications, because the picture was just examined or reviewed.
    Otherwise a picture that could be published is examined again first."""
    unapproved: frozenset[str] = frozenset()
    """Channels whose approval was just withdrawn; pictures published there are recalled."""
    batch: BatchEffects | None = None
    """Collects what a round over many items writes once at its end."""

    @cached_property
    def rules(self) -> Rules:
        """The school's rules when the round first asked for them."""
        return rules_in_force(self.home)

    def record(self, action: str, subject: str, detail: dict[str, object]) -> None:
        """Write an audit entry, at once or at the end of the batch."""
        if self.batch is None:
            audit_log.record(self.home, action, subject, detail, self.actor)
        else:
            self.batch.events.append(audit_log.AuditEvent(action, subject, detail))

    def mark_manifest_dirty(self, channel: str) -> None:
        """Have the channel's manifest written again: noted at once, or at the end of the batch."""
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
    """Yield a context that collects audit entries and changed manifests, and write them at the end.

    The audit chain and the sequence numbers of the manifests then move once per round. Recalling
    thousands of pictures would otherwise spend most of its time on them. Use inside a transaction.
    """
    effects = BatchEffects()
    yield replace(ctx, batch=effects)
    for channel in sorted(effects.channels):
        mark_manifest_dirty(channel)
    audit_log.record_all(ctx.home, effects.events, ctx.actor)


def find_open_publication(item: Item, channel: str) -> Publication | None:
    """The publication of an item that is out or on its way out; None when there is none."""
    rows = [p for p in item.publications.all() if p.channel == channel and p.state in OPEN]
    return rows[0] if rows else None


def open_publication(
    ctx: DecisionContext, item: Item, channel: str, appearance: Appearance
) -> Publication:
    """Store that an item is to be published with this appearance, and request its renditions.

    Call inside the transaction of its decision.
    """
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
    """Store that a publication has to be withdrawn. Call inside a transaction.

    A publication that never reached its folder is cancelled instead.
    """
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
    """Publish a picture again whose file in the folder is gone or was changed.

    It leaves the manifest and passes every check of a new publication. Call inside a transaction.
    """
    publication.state = PublicationState.INTENDED
    publication.save(update_fields=["state"])
    mark_manifest_dirty(publication.channel)
    jobs.enqueue_renditions(ctx.home, publication.item_id)
    _record(ctx, publication, "publication.remade")


def update_text(item: Item) -> None:
    """Copy the item's title and description to its open publications.

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
