"""Decide items and write what follows: verdicts, ledger and audit entries in one transaction.

``consent_gate.publication`` works out the steps of a channel and is pure. This module reads the
history that it needs, and has ``decisions.publications`` write the steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import islice

from django.db.models import prefetch_related_objects

from consent_gate.db import jobs
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    ChannelDecision,
    ChannelStatus,
    Item,
    ItemState,
    Priority,
    Publication,
    PupilInItem,
)
from consent_gate.decisions.ledger import DecisionContext, batch_effects
from consent_gate.decisions.live_photos import MAX_HALVES, other_halves, with_other_half
from consent_gate.decisions.outdated_names import must_compare_names
from consent_gate.decisions.publications import (
    apply_step,
    find_open_publication,
    history_of,
    open_publication,
)
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.film.sound import has_sound
from consent_gate.model import (
    Evidence,
    Examined,
    Hold,
    Reason,
    Release,
    StaffInput,
    Verdict,
)
from consent_gate.policy import decide
from consent_gate.publication import (
    IN_MANIFEST,
    Appearance,
    Keep,
    Open,
    ReExamine,
    Remake,
    WrittenStep,
    remaining_steps,
    wanted_appearance,
)
from consent_gate.register.relevant import pupils_shown, register_for_item

BATCH_SIZE = 200
"""Items decided after one set of prefetch queries."""

MOST_DECIDED = MAX_HALVES + 1
"""Other halves of a live photo that are decided again: with one more file than are compared, each
of them is held."""

PREFETCHED = (
    *("tags", "approvals", "shown", "decisions", "publications"),
    "seen_before__earlier",
)
"""Relations that a decision reads: one query each for a batch of items."""


def verdicts_of(ctx: DecisionContext, item: Item, staff: StaffInput) -> dict[str, Verdict]:
    """Today's verdict on a stored item, by channel. Writes nothing."""
    staff = with_other_half(ctx, item, staff)
    return decide(from_json(item.evidence), ctx.register, ctx.rules, ctx.now, staff)


def apply_decision(ctx: DecisionContext, item: Item) -> set[str]:
    """Decide an item and update its rows. Returns the channels whose outcome changed.

    Call inside a transaction. Writes to no folder. A picture that must be examined again is queued
    before archive photos; one from a batch is queued behind new photos too. An item that already
    waits for an examination keeps waiting, because this decision rests on its old evidence. A
    picture that was examined without looking for names is flagged for another examination, and so
    is a held film of which the sound was not examined. One
    whose text was not compared with the newest names is examined again before it is published. The
    other half of a live photo is decided again too.
    """
    changed = _apply_to_one(ctx, item)
    for half in other_halves(item).select_for_update()[:MOST_DECIDED]:
        _apply_to_half(ctx, half)
    return changed


def _apply_to_half(ctx: DecisionContext, half: Item) -> None:
    """Decide the other half of a live photo, which may show other pupils."""
    register = register_for_item(half, ctx.now.date())
    own = replace(ctx, register=register, may_open=False, unapproved=frozenset())
    _apply_to_one(own, half)


def _apply_to_one(ctx: DecisionContext, item: Item) -> set[str]:
    """``apply_decision`` without the other half of a live photo."""
    names_first = ctx.may_open and must_compare_names(item)
    if names_first:
        ctx = replace(ctx, may_open=False)
    staff = load_staff_input(item)
    _save_pupils_shown(item, staff)
    evidence, rules = from_json(item.evidence), {c.name: c for c in ctx.rules.channels}
    outcomes = [
        _ChannelOutcome(
            ctx,
            item,
            channel,
            verdict,
            wanted_appearance(evidence, staff, rules.get(channel), verdict),
        )
        for channel, verdict in verdicts_of(ctx, item, staff).items()
    ]
    examine_again = any(
        isinstance(outcome.steps[1], ReExamine)
        or (names_first and isinstance(outcome.verdict, Release))
        for outcome in outcomes
    )
    changed = {outcome.channel for outcome in outcomes if outcome.apply()}
    if item.state in {ItemState.RECEIVED, ItemState.DECIDED}:
        waits = item.state == ItemState.RECEIVED and not ctx.may_open
        wanted = Priority.LIVE if ctx.batch is None else Priority.REEXAMINE
        item.state = ItemState.RECEIVED if examine_again or waits else ItemState.DECIDED
        item.priority = min(item.priority, wanted) if waits else wanted
    item.decided_at = ctx.now
    # Without its original it could not be examined, and would be recalled for that.
    can_be_examined = not ctx.may_open and item.wrapped_key is not None
    lacks_sound = lacks_examined_sound(evidence)
    if can_be_examined and any(
        _lacks_text(one.verdict) or (lacks_sound and one.waits_for_listener) for one in outcomes
    ):
        item.needs_reexamination = True  # a few at a time, behind new photos
    item.save(update_fields=["state", "priority", "decided_at", "needs_reexamination"])
    if item.state == ItemState.RECEIVED:
        jobs.enqueue_examination(ctx.home, item.pk, item.priority)
    return changed


def redecide_pupils(ctx: DecisionContext, admission_numbers: Iterable[str]) -> int:
    """Decide every item again that shows one of these pupils.

    Returns how many publications were recalled. Call inside a transaction.
    """
    shown = PupilInItem.objects.filter(admission_number__in=list(admission_numbers)).values("item")
    return apply_decisions(ctx, Item.objects.filter(pk__in=shown).exclude(evidence=None))


def apply_decisions(ctx: DecisionContext, items: Iterable[Item]) -> int:
    """Decide these items again, in batches. Call inside a transaction.

    Returns how many publications were recalled.
    """
    recalled = Publication.objects.filter(withdrawn_at__isnull=False)
    before = recalled.count()
    remaining = iter(items)
    decided, halves = set[str](), set[str]()
    with batch_effects(ctx) as batch_ctx:
        while batch := list(islice(remaining, BATCH_SIZE)):
            prefetch_related_objects(batch, *PREFETCHED)
            for item in batch:
                _apply_to_one(batch_ctx, item)
                decided.add(item.pk)
                halves.update(half.pk for half in other_halves(item)[:MOST_DECIDED])
        # Last: a half that is in a later batch was loaded with its rows as they were.
        for half in Item.objects.filter(pk__in=halves - decided).order_by("pk"):
            _apply_to_half(batch_ctx, half)
    return recalled.count() - before


@dataclass(frozen=True)
class _ChannelOutcome:
    """One item in one channel: reads the facts, and writes the step that follows from them."""

    ctx: DecisionContext
    item: Item
    channel: str
    verdict: Verdict
    appearance: Appearance
    """The covers and the crop that staff want now, and what the channel's rules ask for."""

    @cached_property
    def last_decision(self) -> ChannelDecision | None:
        rows = [row for row in self.item.decisions.all() if row.channel == self.channel]
        return rows[0] if rows else None

    @cached_property
    def steps(self) -> tuple[list[WrittenStep], Keep | ReExamine]:
        """The steps that bring the channel in line with the verdict, and the one that ends them."""
        last = self.last_decision
        history = history_of(
            self.item,
            self.channel,
            ChannelStatus(last.verdict) if last else None,
            approval_withdrawn=self.channel in self.ctx.unapproved,
        )
        ctx = self.ctx
        return remaining_steps(self.verdict, history, self.appearance, ctx.may_open, ctx.now)

    @property
    def waits_for_listener(self) -> bool:
        """Whether the channel holds a film because nobody listened to it. It is not out there."""
        held = isinstance(self.verdict, Hold) and Reason.NOT_LISTENED in self.verdict.reasons
        return held and self.steps[1].status is ChannelStatus.HELD

    def apply(self) -> bool:
        """Write the steps to the ledger and the decision. True when the outcome changed."""
        steps, end = self.steps
        ctx = self.ctx
        current = find_open_publication(self.item, self.channel)
        for step in steps:
            if isinstance(step, Open):
                open_publication(ctx, self.item, self.channel, step)
            elif current is not None:
                apply_step(ctx.home, [current], step, ctx.actor, ctx.batch)
        if current is not None and current.state in IN_MANIFEST:
            self.make_again_with_covers(current)
        return self.save_verdict(end.status)

    def make_again_with_covers(self, current: Publication) -> None:
        """Have a published picture examined that the gate covers now, where only staff did before.

        Nobody approves its covers any more.
        """
        by_gate = self.appearance.by_gate
        if by_gate and not current.gate_covers:
            current.gate_covers = len(by_gate)
            current.save(update_fields=["gate_covers"])
            apply_step(self.ctx.home, [current], Remake(), self.ctx.actor, self.ctx.batch)

    def save_verdict(self, status: ChannelStatus) -> bool:
        """Save the outcome. True when it changed.

        A release that is not carried out leaves the reasons as they were.
        """
        row = self.last_decision or ChannelDecision(item=self.item, channel=self.channel)
        old = (row.verdict, row.reasons)
        if status is ChannelStatus.RELEASED:
            row.reasons, row.faces = [], {}
        elif isinstance(self.verdict, Hold):
            row.reasons = [reason.value for reason in self.verdict.reasons]
            row.faces = {str(i): [r.value for r in rs] for i, rs in self.verdict.faces.items()}
        if isinstance(self.verdict, Release):
            row.basis = [asdict(basis) for basis in self.verdict.basis]
        row.verdict = status
        row.decided_at = self.ctx.now
        row.save()
        changed = old != (row.verdict, row.reasons)
        if changed:
            self.record_decision(row)
        return changed

    def record_decision(self, row: ChannelDecision) -> None:
        exported_on = self.ctx.register.exported_on
        detail: dict[str, object] = {
            "channel": row.channel,
            "verdict": row.verdict,
            "reasons": row.reasons,
            "register": exported_on.isoformat() if exported_on else None,
            "rule_book": self.ctx.rule_book,
        }
        self.ctx.record("item.decided", f"item:{self.item.pk}", detail)


def _lacks_text(verdict: Verdict) -> bool:
    """Whether a picture is held because its text was not looked for."""
    return isinstance(verdict, Hold) and Reason.TEXT_NOT_READ in verdict.reasons


def lacks_examined_sound(evidence: Evidence) -> bool:
    """Return whether this is a film with sound that no examination looked at."""
    film = evidence.film if isinstance(evidence, Examined) else None
    return film is not None and has_sound(film) and film.sound is None


def _save_pupils_shown(item: Item, staff: StaffInput) -> None:
    """Store which pupils the item shows: matches, possible matches and pupils tagged by staff."""
    tagged = (tag.pupil for tag in staff.tags.values())
    pupils = pupils_shown(from_json(item.evidence), tagged)
    known = {shown.admission_number for shown in item.shown.all()}
    if known == pupils:
        return
    PupilInItem.objects.filter(item=item, admission_number__in=known - pupils).delete()
    PupilInItem.objects.bulk_create(
        PupilInItem(item=item, admission_number=pupil) for pupil in sorted(pupils - known)
    )
