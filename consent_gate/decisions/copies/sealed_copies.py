"""Seals copies of sealed pictures without showing them to anybody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from consent_gate.db import audit_log
from consent_gate.db.models import Item, ItemState
from consent_gate.decisions import sealing
from consent_gate.decisions.apply import apply_decision
from consent_gate.decisions.enrolments import delete_enrolments
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.errors import DecryptionError
from consent_gate.home.home import Home


@dataclass(frozen=True)
class SealedCopy:
    """A copy of a sealed picture that was sealed in this transaction."""

    item: Item
    intact: bool
    """Whether the stored original was intact."""


def remove_sealed_copies(home: Home, copies: Iterable[SealedCopy]) -> None:
    """Delete previews and inbox files of sealed copies. Call after the transaction."""
    for copy in copies:
        sealing.remove_copies(home, copy.item, intact=copy.intact)


def seal_copy(ctx: DecisionContext, item: Item) -> list[SealedCopy]:
    """Seal a copy of a sealed picture without showing it to anybody. Call inside a transaction.

    The safeguarding lead is notified as for any sealed picture. If the item's key cannot be opened,
    the item is not sealed, and its link to the sealed picture holds it in all channels.

    Returns:
        The sealed copy, for ``remove_sealed_copies``; empty if it could not be sealed.
    """
    intact = sealing.is_intact(ctx.home, item)
    try:
        sealing.seal_item(ctx.home, item)
    except DecryptionError:
        apply_decision(replace(ctx, may_open=True), item)  # the link holds it in any case
        return []
    delete_enrolments(ctx.home, item, ctx.actor)
    item.state = ItemState.SEALED
    item.revision += 1
    item.save(update_fields=["state", "revision", "wrapped_key", "title", "alt"])
    detail: dict[str, object] = {"intact": intact, "copy_of_sealed": True}
    audit_log.record(ctx.home, "item.sealed", f"item:{item.pk}", detail)
    apply_decision(ctx, item)
    return [SealedCopy(item, intact)]
