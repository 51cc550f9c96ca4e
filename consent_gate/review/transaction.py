"""The transaction of every review action: lock, compare the revision, change, decide, record.

An action applies to the picture as it was on the screen: a stale ``revision`` raises EditConflict
and overwrites nothing. An approval holds for the tags and the crop that it was given on. Any change
to them therefore deletes the approvals, and recalls pictures that were published because of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import transaction

from consent_gate.db.models import Item, ItemState, StaffApproval
from consent_gate.decisions.apply import apply_decision, verdicts_of
from consent_gate.decisions.copies.closed_pictures import sync_closed_picture
from consent_gate.decisions.copies.sealed_copies import remove_sealed_copies
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.staff_input import signed_channels
from consent_gate.home.home import Home
from consent_gate.model import Approval, StaffInput, Verdict
from consent_gate.register.relevant import register_for_item
from consent_gate.review.validation import EditConflict, NotReviewable
from publish.recall.withdraw import remove_withdrawn

SECOND_PERSON_PLACEHOLDER = "(second person)"
"""Name of the second person when the gate works out what a second approval would allow."""


@dataclass(frozen=True)
class ReviewAction:
    """Who acts, and on which revision of which picture."""

    home: Home
    actor: str
    """Log-in name."""
    item_id: str
    revision: int
    """``Item.revision`` of the page on which the person acted."""

    @property
    def subject(self) -> str:
        """The picture's name in the audit trail."""
        return f"item:{self.item_id}"


def at_current_revision(home: Home, actor: str, item_id: str) -> ReviewAction:
    """An action on the newest revision, for actions such as a recall that start from no page."""
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
    """Lock the picture, change it, decide it again; afterwards remove recalled files.

    Args:
        action: who acts on which revision.
        change: writes the change; it is called with the locked item.
        keeps_approvals: False deletes the approvals, because the change concerns what they approve.
        states: states of the item in which the action is allowed.

    Raises:
        EditConflict: Somebody else changed the picture meanwhile.
        NotReviewable: The picture is in another state, or was not examined yet.
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
        sealed = sync_closed_picture(ctx, item)
    remove_withdrawn(action.home)
    remove_sealed_copies(action.home, sealed)


def lock_item(action: ReviewAction, states: tuple[ItemState, ...]) -> Item:
    """Lock the picture's row for this transaction.

    Raises:
        NotReviewable: The picture is in none of these states.
    """
    item = Item.objects.select_for_update().get(pk=action.item_id)
    if item.state not in states:
        raise NotReviewable("This picture is not open for review just now.")
    return item


@dataclass(frozen=True)
class Judge:
    """Asks the rules about one stored picture, with today's register and rules."""

    ctx: DecisionContext
    item: Item

    def verdicts(self, staff: StaffInput) -> dict[str, Verdict]:
        """Today's verdict by channel with this input of staff."""
        return verdicts_of(self.ctx, self.item, staff)

    def if_approved(self, staff: StaffInput) -> dict[str, Verdict]:
        """Today's verdict by channel if this person approved every channel.

        Refusals in ``staff`` are ignored, and a second person is assumed where a channel asks for
        two.
        """
        channels = self.ctx.home.settings.channels
        signature = Approval(self.ctx.actor, "asked in advance", SECOND_PERSON_PLACEHOLDER)
        approvals = dict.fromkeys(channels, signature)
        return self.verdicts(replace(staff, approvals=approvals, refused=frozenset()))


def judge_of(home: Home, item: Item, actor: str) -> Judge:
    """Load what the rules need to judge a picture for this person."""
    now = home.now()
    return Judge(DecisionContext(home, register_for_item(item, now.date()), now, actor), item)
