"""From the decision to its consequences: one transaction moves verdicts, ledger and audit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
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
    StaffApproval,
)
from consent_gate.decisions.appearance import Appearance, appearance_of, wanted_appearance
from consent_gate.decisions.ledger import (
    APPEARANCE_CHANGED,
    APPROVAL_WITHDRAWN,
    BY_HAND,
    DecisionContext,
    batch_effects,
    find_open_publication,
    open_publication,
    recall_publication,
)
from consent_gate.decisions.staff_input import load_staff_input
from consent_gate.model import (
    Hold,
    Reason,
    Release,
    StaffInput,
    Verdict,
)
from consent_gate.policy import HOLDS_NEW_ONLY, decide, must_recall
from consent_gate.register.relevant import pupils_shown

BATCH_SIZE = 200
PREFETCHED = ("tags", "approvals", "shown", "decisions", "publications")
"""What a decision reads of an item: for many items in one question each."""

CAUSES_ENDED_BY_A_CHANGE = frozenset({APPEARANCE_CHANGED, Reason.REFUSED_BY_STAFF.value})
"""Causes of a recall that are over when staff change the picture, or their answer, again."""


def verdicts_of(ctx: DecisionContext, item: Item, staff: StaffInput) -> dict[str, Verdict]:
    """Today's verdict on a stored item."""
    return decide(from_json(item.evidence), ctx.register, ctx.rules, ctx.now, staff)


def apply_decision(ctx: DecisionContext, item: Item) -> set[str]:
    """Decide an item and bring its rows in line. Returns the channels in which it changed.

    Call inside a transaction. Nothing is written to any folder here. A picture that has to be
    examined again goes before an archive; one of many in a round, behind photos dropped in now.
    One that waits for that already goes on waiting: what it is decided on here is the old evidence.
    """
    staff = load_staff_input(item)
    _save_pupils_shown(item, staff)
    appearance = wanted_appearance(from_json(item.evidence), staff)
    outcomes = [
        _ChannelOutcome(ctx, item, channel, verdict, appearance)
        for channel, verdict in verdicts_of(ctx, item, staff).items()
    ]
    examine_again = any(s.needs_reexamination() for s in outcomes)
    changed = {s.channel for s in outcomes if s.apply()}
    if item.state in {ItemState.RECEIVED, ItemState.DECIDED}:
        waits = item.state == ItemState.RECEIVED and not ctx.may_open
        wanted = Priority.LIVE if ctx.batch is None else Priority.REEXAMINE
        item.state = ItemState.RECEIVED if examine_again or waits else ItemState.DECIDED
        item.priority = min(item.priority, wanted) if waits else wanted
    item.decided_at = ctx.now
    item.save(update_fields=["state", "priority", "decided_at"])
    if item.state == ItemState.RECEIVED:
        jobs.enqueue_examination(ctx.home, item.pk, item.priority)
    return changed


def redecide_pupils(ctx: DecisionContext, admission_numbers: Iterable[str]) -> int:
    """Decide again every item that shows one of these pupils. Returns how many were recalled."""
    shown = PupilInItem.objects.filter(admission_number__in=list(admission_numbers)).values("item")
    return apply_decisions(ctx, Item.objects.filter(pk__in=shown).exclude(evidence=None))


def apply_decisions(ctx: DecisionContext, items: Iterable[Item]) -> int:
    """Decide again. Returns how many publications were called back."""
    recalled = Publication.objects.filter(withdrawn_at__isnull=False)
    before = recalled.count()
    remaining = iter(items)
    with batch_effects(ctx) as round_of_many:
        while batch := list(islice(remaining, BATCH_SIZE)):
            prefetch_related_objects(batch, *PREFETCHED)
            for item in batch:
                apply_decision(round_of_many, item)
    return recalled.count() - before


@dataclass(frozen=True)
class _ChannelOutcome:
    """One item, one channel: the verdict and what follows from it."""

    ctx: DecisionContext
    item: Item
    channel: str
    verdict: Verdict
    appearance: Appearance
    """What staff want to be seen by now."""

    def apply(self) -> bool:
        """Move the ledger and the decision. True when the outcome is another than before."""
        if isinstance(self.verdict, Release):
            return self.save_verdict(self.on_release())
        return self.save_verdict(self.on_hold(self.verdict))

    def last_decision(self) -> ChannelDecision | None:
        rows = [row for row in self.item.decisions.all() if row.channel == self.channel]
        return rows[0] if rows else None

    def is_withdrawn(self) -> bool:
        before = self.last_decision()
        return before is not None and before.verdict == ChannelStatus.WITHDRAWN

    def was_recalled(self) -> bool:
        """Whether the picture was ever taken out of the channel, or stopped by hand on its way.

        The ledger tells as well as the last decision: an answer in between hides the latter.
        """
        return self.is_withdrawn() or any(
            row.cause not in CAUSES_ENDED_BY_A_CHANGE
            and (row.withdrawn_at is not None or row.cause == BY_HAND)
            for row in self.item.publications.all()
            if row.channel == self.channel
        )

    def needs_reexamination(self) -> bool:
        """A picture that could newly go out, in a round that may open nothing."""
        if self.ctx.may_open or not isinstance(self.verdict, Release):
            return False
        publication = find_open_publication(self.item, self.channel)
        shows_it = publication is not None and appearance_of(publication) == self.appearance
        return not shows_it and not self.was_recalled()

    def on_release(self) -> ChannelStatus:
        publication = find_open_publication(self.item, self.channel)
        # What came back goes out again only by a person's word, and stays out by it.
        waits_for_word = self.was_recalled() and not self.approved_since_recall()
        if publication is not None:
            if not waits_for_word and appearance_of(publication) == self.appearance:
                return ChannelStatus.RELEASED
            # It shows what is to be covered or cut, or hides it; or the word was taken back.
            recall_publication(
                self.ctx, publication, APPROVAL_WITHDRAWN if waits_for_word else APPEARANCE_CHANGED
            )
        if waits_for_word:
            return ChannelStatus.WITHDRAWN
        if not self.ctx.may_open:
            before = self.last_decision()
            shut = before is not None and before.verdict != ChannelStatus.RELEASED
            return ChannelStatus(before.verdict) if before and shut else ChannelStatus.HELD
        open_publication(self.ctx, self.item, self.channel, self.appearance)
        return ChannelStatus.RELEASED

    def on_hold(self, verdict: Hold) -> ChannelStatus:
        publication, withdrawn = find_open_publication(self.item, self.channel), self.is_withdrawn()
        if publication is not None:
            out = publication.released_at is not None
            if out and self.may_remain(publication, verdict):
                return ChannelStatus.RELEASED
            recall_publication(self.ctx, publication, _cause(verdict))
            withdrawn = withdrawn or out
        if Reason.REFUSED_BY_STAFF in verdict.reasons:
            return ChannelStatus.REFUSED
        return ChannelStatus.WITHDRAWN if withdrawn else ChannelStatus.HELD

    def may_remain(self, publication: Publication, verdict: Hold) -> bool:
        """Whether what is out stays out, although it could not go out anew today."""
        same_look = appearance_of(publication) == self.appearance
        return same_look and self.channel not in self.ctx.unapproved and not must_recall(verdict)

    def approved_since_recall(self) -> bool:
        """Whether a person approved the channel after the picture came back from it.

        Told by which approval it is, not by comparing times: clocks are set back.
        """
        recalls = Publication.objects.filter(item=self.item, channel=self.channel)
        stood_before = recalls.exclude(approval_at_recall=None).values("approval_at_recall")
        approvals = StaffApproval.objects.filter(
            item=self.item, channel=self.channel, refused=False
        )
        return approvals.exclude(created_at__in=stood_before).exists()

    def save_verdict(self, word: ChannelStatus) -> bool:
        """Record the outcome. Reasons stay as they were where a release is not carried out."""
        row = self.last_decision() or ChannelDecision(item=self.item, channel=self.channel)
        old = (row.verdict, row.reasons)
        if word is ChannelStatus.RELEASED:
            row.reasons, row.faces = [], {}
        elif isinstance(self.verdict, Hold):
            row.reasons = [reason.value for reason in self.verdict.reasons]
            row.faces = {str(i): [r.value for r in rs] for i, rs in self.verdict.faces.items()}
        if isinstance(self.verdict, Release):
            row.basis = [asdict(basis) for basis in self.verdict.basis]
        row.verdict = word
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
        }
        self.ctx.record("item.decided", f"item:{self.item.pk}", detail)


def _cause(verdict: Hold) -> str:
    """The reason that calls a picture back, not one that only stops new ones."""
    recalling = [reason for reason in verdict.reasons if reason not in HOLDS_NEW_ONLY]
    return (recalling or list(verdict.reasons))[0].value


def _save_pupils_shown(item: Item, staff: StaffInput) -> None:
    """Keep the way from a pupil to the pictures: by machine, possible matches too, and by tag."""
    tagged = (tag.pupil for tag in staff.tags.values())
    pupils = pupils_shown(from_json(item.evidence), tagged)
    known = {shown.admission_number for shown in item.shown.all()}
    if known == pupils:
        return
    PupilInItem.objects.filter(item=item, admission_number__in=known - pupils).delete()
    PupilInItem.objects.bulk_create(
        PupilInItem(item=item, admission_number=pupil) for pupil in sorted(pupils - known)
    )
