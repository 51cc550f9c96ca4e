"""The next step of one picture in one channel, as a pure function of the verdict and the facts."""

from __future__ import annotations

from dataclasses import dataclass

from consent_gate.db.models import ChannelStatus
from consent_gate.decisions.ledger import APPEARANCE_CHANGED, APPROVAL_WITHDRAWN
from consent_gate.model import Hold, Reason, Release, Verdict
from consent_gate.policy import HOLDS_NEW_ONLY, must_recall


@dataclass(frozen=True)
class ChannelFacts:
    """Everything but the verdict that the next step depends on."""

    last_status: ChannelStatus | None
    """Status of the last decision; None when there was none."""
    is_open: bool
    """Whether a publication is out or on its way out."""
    is_out: bool
    """Whether the open publication has reached the channel's folder."""
    same_appearance: bool
    """Whether the open publication shows the redactions and the crop that staff want now."""
    was_recalled: bool
    """Whether the picture was ever recalled from the channel, or stopped by hand on its way."""
    approved_since_recall: bool
    """Whether a person approved the channel after the last recall."""
    approval_withdrawn: bool
    """Whether a signature for the channel was withdrawn in this round."""
    may_open: bool
    """Whether this round may open a publication (``DecisionContext.may_open``)."""

    @property
    def awaits_approval(self) -> bool:
        """Whether only a person's new approval can publish the picture again."""
        return self.was_recalled and not self.approved_since_recall


@dataclass(frozen=True)
class PublicationStep:
    """The changes to write: the new status, and a recall or a new publication."""

    status: ChannelStatus
    recall_cause: str | None = None
    """Recall the open publication for this cause; None leaves it as it is."""
    opens: bool = False
    """Open a new publication, after the recall if there is one."""


def next_publication_step(verdict: Verdict, facts: ChannelFacts) -> PublicationStep:
    """Return the step that brings the channel in line with the verdict. Reads and writes nothing.

    A recalled picture is published again only after a person's new approval.
    """
    if isinstance(verdict, Release):
        return _step_on_release(facts)
    return _step_on_hold(verdict, facts)


def needs_reexamination(verdict: Verdict, facts: ChannelFacts) -> bool:
    """Whether the picture could newly be published, in a round that may open nothing."""
    if facts.may_open or not isinstance(verdict, Release):
        return False
    return not (facts.is_open and facts.same_appearance) and not facts.was_recalled


def _step_on_release(facts: ChannelFacts) -> PublicationStep:
    if facts.awaits_approval:
        cause = APPROVAL_WITHDRAWN if facts.is_open else None
        return PublicationStep(ChannelStatus.WITHDRAWN, cause)
    if facts.is_open and facts.same_appearance:
        return PublicationStep(ChannelStatus.RELEASED)
    cause = APPEARANCE_CHANGED if facts.is_open else None
    if not facts.may_open:
        last = facts.last_status
        stays = last is not None and last is not ChannelStatus.RELEASED
        return PublicationStep(last if last and stays else ChannelStatus.HELD, cause)
    return PublicationStep(ChannelStatus.RELEASED, cause, opens=True)


def _step_on_hold(verdict: Hold, facts: ChannelFacts) -> PublicationStep:
    if facts.is_out and _may_remain(verdict, facts):
        return PublicationStep(ChannelStatus.RELEASED)
    cause = _recall_cause(verdict) if facts.is_open else None
    if Reason.REFUSED_BY_STAFF in verdict.reasons:
        return PublicationStep(ChannelStatus.REFUSED, cause)
    withdrawn = facts.is_out or facts.last_status is ChannelStatus.WITHDRAWN
    return PublicationStep(ChannelStatus.WITHDRAWN if withdrawn else ChannelStatus.HELD, cause)


def _may_remain(verdict: Hold, facts: ChannelFacts) -> bool:
    """Whether a published picture stays out, although it could not be published anew today."""
    return facts.same_appearance and not facts.approval_withdrawn and not must_recall(verdict)


def _recall_cause(verdict: Hold) -> str:
    """The first reason that recalls a picture; a reason that only holds new ones comes last."""
    recalling = [reason for reason in verdict.reasons if reason not in HOLDS_NEW_ONLY]
    return (recalling or list(verdict.reasons))[0].value
