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
    Item,
    ItemState,
    Priority,
    Publication,
    Shown,
    StaffApproval,
    VerdictWord,
)
from consent_gate.decisions.appearance import Look, look_of, look_wanted
from consent_gate.decisions.ledger import (
    BY_HAND,
    LOOK_CHANGED,
    UNSIGNED,
    Round,
    call_back,
    gathering,
    intend,
    open_publication,
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

READ_AT_ONCE = 200
RELATED = ("tags", "approvals", "shown", "decisions", "publications")
"""What a decision reads of an item: for many items in one question each."""

ANSWERED_BY_A_CHANGE = frozenset({LOOK_CHANGED, Reason.REFUSED_BY_STAFF.value})
"""Causes of a recall that are over when staff change the picture, or their answer, again."""


def verdicts_of(this: Round, item: Item, staff: StaffInput) -> dict[str, Verdict]:
    """Today's verdict on a stored item."""
    return decide(from_json(item.evidence), this.register, this.rules, this.now, staff)


def settle(this: Round, item: Item) -> set[str]:
    """Decide an item and bring its rows in line. Returns the channels in which it changed.

    Call inside a transaction. Nothing is written to any folder here. A picture that has to be
    examined again goes before an archive; one of many in a round, behind photos dropped in now.
    One that waits for that already goes on waiting: what it is decided on here is the old evidence.
    """
    staff = load_staff_input(item)
    _note_who_is_shown(item, staff)
    look = look_wanted(from_json(item.evidence), staff)
    settlements = [
        _Settlement(this, item, channel, verdict, look)
        for channel, verdict in verdicts_of(this, item, staff).items()
    ]
    examine_again = any(s.wants_fresh_look() for s in settlements)
    changed = {s.channel for s in settlements if s.carry_out()}
    if item.state in {ItemState.RECEIVED, ItemState.DECIDED}:
        waits = item.state == ItemState.RECEIVED and not this.may_open
        wanted = Priority.LIVE if this.gathered is None else Priority.AGAIN
        item.state = ItemState.RECEIVED if examine_again or waits else ItemState.DECIDED
        item.priority = min(item.priority, wanted) if waits else wanted
    item.decided_at = this.now
    item.save(update_fields=["state", "priority", "decided_at"])
    if item.state == ItemState.RECEIVED:
        jobs.examination_due(this.home, item.pk, item.priority)
    return changed


def settle_everyone_of(this: Round, admission_numbers: Iterable[str]) -> int:
    """Decide again every item that shows one of these pupils. Returns how many were recalled."""
    shown = Shown.objects.filter(admission_number__in=list(admission_numbers)).values("item")
    return settle_all(this, Item.objects.filter(pk__in=shown).exclude(evidence=None))


def settle_all(this: Round, items: Iterable[Item]) -> int:
    """Decide again. Returns how many publications were called back."""
    came_back = Publication.objects.filter(withdrawn_at__isnull=False)
    before = came_back.count()
    waiting = iter(items)
    with gathering(this) as round_of_many:
        while some := list(islice(waiting, READ_AT_ONCE)):
            prefetch_related_objects(some, *RELATED)
            for item in some:
                settle(round_of_many, item)
    return came_back.count() - before


@dataclass(frozen=True)
class _Settlement:
    """One item, one channel: the verdict and what follows from it."""

    this: Round
    item: Item
    channel: str
    verdict: Verdict
    look: Look
    """What staff want to be seen by now."""

    def carry_out(self) -> bool:
        """Move the ledger and the decision. True when the outcome is another than before."""
        if isinstance(self.verdict, Release):
            return self.write(self.let_out())
        return self.write(self.hold_back(self.verdict))

    def before(self) -> ChannelDecision | None:
        rows = [row for row in self.item.decisions.all() if row.channel == self.channel]
        return rows[0] if rows else None

    def is_withdrawn(self) -> bool:
        before = self.before()
        return before is not None and before.verdict == VerdictWord.WITHDRAWN

    def came_back(self) -> bool:
        """Whether the picture was ever taken out of the channel, or stopped by hand on its way.

        The ledger tells as well as the last decision: an answer in between hides the latter.
        """
        return self.is_withdrawn() or any(
            row.cause not in ANSWERED_BY_A_CHANGE
            and (row.withdrawn_at is not None or row.cause == BY_HAND)
            for row in self.item.publications.all()
            if row.channel == self.channel
        )

    def wants_fresh_look(self) -> bool:
        """A picture that could newly go out, in a round that may open nothing."""
        if self.this.may_open or not isinstance(self.verdict, Release):
            return False
        publication = open_publication(self.item, self.channel)
        shows_it = publication is not None and look_of(publication) == self.look
        return not shows_it and not self.came_back()

    def let_out(self) -> VerdictWord:
        publication = open_publication(self.item, self.channel)
        # What came back goes out again only by a person's word, and stays out by it.
        waits_for_word = self.came_back() and not self.approved_since_recall()
        if publication is not None:
            if not waits_for_word and look_of(publication) == self.look:
                return VerdictWord.RELEASED
            # It shows what is to be covered or cut, or hides it; or the word was taken back.
            call_back(self.this, publication, UNSIGNED if waits_for_word else LOOK_CHANGED)
        if waits_for_word:
            return VerdictWord.WITHDRAWN
        if not self.this.may_open:
            before = self.before()
            shut = before is not None and before.verdict != VerdictWord.RELEASED
            return VerdictWord(before.verdict) if before and shut else VerdictWord.HELD
        intend(self.this, self.item, self.channel, self.look)
        return VerdictWord.RELEASED

    def hold_back(self, verdict: Hold) -> VerdictWord:
        publication, withdrawn = open_publication(self.item, self.channel), self.is_withdrawn()
        if publication is not None:
            out = publication.released_at is not None
            if out and self.may_stay(publication, verdict):
                return VerdictWord.RELEASED
            call_back(self.this, publication, _cause(verdict))
            withdrawn = withdrawn or out
        if Reason.REFUSED_BY_STAFF in verdict.reasons:
            return VerdictWord.REFUSED
        return VerdictWord.WITHDRAWN if withdrawn else VerdictWord.HELD

    def may_stay(self, publication: Publication, verdict: Hold) -> bool:
        """Whether what is out stays out, although it could not go out anew today."""
        same_look = look_of(publication) == self.look
        return same_look and self.channel not in self.this.unsigned and not must_recall(verdict)

    def approved_since_recall(self) -> bool:
        """Whether a person approved the channel after the picture came back from it.

        Told by which approval it is, not by comparing times: clocks are set back.
        """
        recalls = Publication.objects.filter(item=self.item, channel=self.channel)
        stood_before = recalls.exclude(approval_at_recall=None).values("approval_at_recall")
        approvals = StaffApproval.objects.filter(
            item=self.item, channel=self.channel, refused=False
        )
        return approvals.exclude(at__in=stood_before).exists()

    def write(self, word: VerdictWord) -> bool:
        """Record the outcome. Reasons stay as they were where a release is not carried out."""
        row = self.before() or ChannelDecision(item=self.item, channel=self.channel)
        old = (row.verdict, row.reasons)
        if word is VerdictWord.RELEASED:
            row.reasons, row.faces = [], {}
        elif isinstance(self.verdict, Hold):
            row.reasons = [reason.value for reason in self.verdict.reasons]
            row.faces = {str(i): [r.value for r in rs] for i, rs in self.verdict.faces.items()}
        if isinstance(self.verdict, Release):
            row.basis = [asdict(basis) for basis in self.verdict.basis]
        row.verdict = word
        row.decided_at = self.this.now
        row.save()
        changed = old != (row.verdict, row.reasons)
        if changed:
            self.tell(row)
        return changed

    def tell(self, row: ChannelDecision) -> None:
        exported_on = self.this.register.exported_on
        detail: dict[str, object] = {
            "channel": row.channel,
            "verdict": row.verdict,
            "reasons": row.reasons,
            "register": exported_on.isoformat() if exported_on else None,
        }
        self.this.record("item.decided", f"item:{self.item.pk}", detail)


def _cause(verdict: Hold) -> str:
    """The reason that calls a picture back, not one that only stops new ones."""
    recalling = [reason for reason in verdict.reasons if reason not in HOLDS_NEW_ONLY]
    return (recalling or list(verdict.reasons))[0].value


def _note_who_is_shown(item: Item, staff: StaffInput) -> None:
    """Keep the way from a pupil to the pictures: by machine, possible matches too, and by tag."""
    tagged = (tag.pupil for tag in staff.tags.values())
    pupils = pupils_shown(from_json(item.evidence), tagged)
    known = {shown.admission_number for shown in item.shown.all()}
    if known == pupils:
        return
    Shown.objects.filter(item=item, admission_number__in=known - pupils).delete()
    Shown.objects.bulk_create(
        Shown(item=item, admission_number=pupil) for pupil in sorted(pupils - known)
    )
