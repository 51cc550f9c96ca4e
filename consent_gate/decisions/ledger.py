"""The context of a round of decisions, the manifests to write again, and the published texts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from django.db.models import F

from consent_gate.db import audit_log
from consent_gate.db.models import (
    ChannelState,
    Item,
)
from consent_gate.decisions.rules.rule_book import rule_book
from consent_gate.decisions.rules.rules_in_force import rules_in_force
from consent_gate.home.home import Home
from consent_gate.model import Register, Rules
from consent_gate.publication import IN_MANIFEST, OPEN


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
    """Channels whose approval was just withdrawn, or for which covers and crop were deleted."""
    batch: BatchEffects | None = None
    """Collects what a round over many items writes once at its end."""

    @cached_property
    def rules(self) -> Rules:
        """The school's rules when the round first asked for them."""
        return rules_in_force(self.home)

    @cached_property
    def rule_book(self) -> str:
        """The SHA-256 of the rule books when the round first asked for it."""
        return rule_book(self.home, self.rules).sha256

    def record(self, action: str, subject: str, detail: dict[str, object]) -> None:
        """Write an audit entry, at once or at the end of the batch."""
        if self.batch is None:
            audit_log.record(self.home, action, subject, detail, self.actor)
        else:
            self.batch.events.append(audit_log.AuditEvent(action, subject, detail))


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
