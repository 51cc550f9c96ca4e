"""Rule 13 for live photos: what holds one half, the picture or its short film, holds the other.

Both halves are items of their own and are judged by what each shows. Somebody may be seen in one of
them alone. A half that could not be examined says nothing about the other one.
"""

from __future__ import annotations

from dataclasses import replace

from django.db.models import QuerySet

from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import Item
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.model import Examined, StaffInput
from consent_gate.policy import decide, must_recall
from consent_gate.register.relevant import register_for_item

MAX_HALVES = 8
"""Files with one identifier that are compared. Of more, somebody made up the identifiers."""


def other_halves(item: Item) -> QuerySet[Item]:
    """The examined items that have the same identifier of a live photo."""
    if not item.live_photo:
        return Item.objects.none()
    same = Item.objects.filter(live_photo=item.live_photo).exclude(pk=item.pk)
    return same.exclude(evidence=None).order_by("pk")


def with_other_half(ctx: DecisionContext, item: Item, staff: StaffInput) -> StaffInput:
    """Add the channels from which the other half would be held or recalled today, and those in
    which the gate covers somebody in it.

    The other half is judged as if it were alone, so two halves cannot hold each other for ever.
    """
    if not item.live_photo:
        return staff
    halves = list(other_halves(item)[: MAX_HALVES + 1])
    held: set[str] = set()
    if len(halves) > MAX_HALVES:
        held |= {channel.name for channel in ctx.rules.channels}
    for half in halves[:MAX_HALVES]:
        evidence = from_json(half.evidence)
        if isinstance(evidence, Examined):
            register = register_for_item(half, ctx.now.date())
            own = decide(evidence, register, ctx.rules, ctx.now, load_staff_input(half))
            held |= {
                channel
                for channel, verdict in own.items()
                if must_recall(verdict) or verdict.covered  # a cover here covers nobody there
            }
    return replace(staff, seen_before=staff.seen_before | held)
