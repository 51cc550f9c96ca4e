"""The one way anything said of a picture is written: lock, compare, change, decide, record.

Whoever says something says it of the picture as it was on the screen: a stale ``revision`` is told
and nothing is overwritten. An approval speaks for the tags and the crop it was given on, so any
change to them takes the approvals away, and with them whatever is out on their strength.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import transaction

from consent_gate.db.models import Item, ItemState, StaffApproval
from consent_gate.decisions.apply import apply_decision, verdicts_of
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import signed_channels
from consent_gate.home.home import Home
from consent_gate.model import Approval, StaffInput, Verdict
from consent_gate.register.relevant import register_for_item
from consent_gate.review.validation import EditConflict, NotReviewable
from publish.recall.withdraw import remove_withdrawn

SECOND_PERSON_PLACEHOLDER = "(second person)"
"""Stands in for the second person when asking what would happen with one."""


@dataclass(frozen=True)
class ReviewAction:
    """Who says something, and of which state of which picture."""

    home: Home
    actor: str
    """Log-in name."""
    item_id: str
    revision: int
    """``Item.revision`` of the page on which it was said."""

    @property
    def subject(self) -> str:
        """What the audit trail calls the picture."""
        return f"item:{self.item_id}"


def at_current_revision(home: Home, actor: str, item_id: str) -> ReviewAction:
    """For words about a picture whatever its state, such as a recall: they rest on no page."""
    return ReviewAction(
        home, actor, item_id, Item.objects.values_list("revision", flat=True).get(pk=item_id)
    )


def apply_review(
    action: ReviewAction,
    change: Callable[[Item], None],
    *,
    keeps_approvals: bool,
    states: tuple[ItemState, ...] = (ItemState.DECIDED,),
) -> None:
    """The one transaction: lock, change, decide, record. Afterwards what came back is removed.

    Raises EditConflict, NotReviewable, and whatever ``change`` raises.
    """
    with transaction.atomic():
        item = lock_item(action, states)
        if item.revision != action.revision:
            raise EditConflict("Somebody else changed this picture while you had it open.")
        if item.evidence is None:
            raise NotReviewable("This picture has not been checked yet.")
        signed = signed_channels(item)
        change(item)
        if not keeps_approvals:
            StaffApproval.objects.filter(item=item, refused=False).delete()
        item.revision += 1
        item.save(update_fields=["revision"])
        now = action.home.now()
        ctx = DecisionContext(
            action.home,
            register_for_item(item, now.date()),
            now,
            action.actor,
            may_open=item.state == ItemState.DECIDED,
            unapproved=signed - signed_channels(item),
        )
        apply_decision(ctx, item)
    remove_withdrawn(action.home)


def lock_item(action: ReviewAction, states: tuple[ItemState, ...]) -> Item:
    """The picture, for this transaction alone. Raises NotReviewable."""
    item = Item.objects.select_for_update().get(pk=action.item_id)
    if item.state not in states:
        raise NotReviewable("This picture is not open for review just now.")
    return item


def verdicts_if_approved(
    home: Home, item: Item, actor: str, staff: StaffInput
) -> dict[str, Verdict]:
    """What ``policy.decide`` would say today if this person signed for every channel.

    ``staff`` is what staff have said of the picture so far. A refusal is left out of it, and so is
    the want of a second person.
    """
    register = register_for_item(item, home.now().date())
    signature = Approval(actor, "asked in advance", SECOND_PERSON_PLACEHOLDER)
    as_if = replace(
        staff,
        approvals=dict.fromkeys(home.settings.channels, signature),
        refused=frozenset(),
    )
    return verdicts_of(DecisionContext(home, register, home.now(), actor), item, as_if)
