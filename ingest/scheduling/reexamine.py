"""Re-examine held pictures after new enrolments, 50 at a time.

The gate stores no vector of an unknown face, so only another examination can recognise it. When a
pupil is enrolled, by an import or by a single photo, every picture is flagged that is held for a
face that matched no pupil or more than one. Flagged pictures are queued behind new photos. Only a
few are queued at once, so that the others stay in the review queue. Each picture is examined and
decided anew; its old decision releases nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from consent_gate.db.models import ChannelDecision, ChannelStatus, Item, ItemState, Priority
from consent_gate.home.home import Home
from consent_gate.model import Reason
from ingest.scheduling.queue import pending_items, requeue

MAX_FLAGGED = 2_000
"""The most pictures flagged at one time, newest first: about what a school holds in a year."""

BATCH_SIZE = 50
"""The most pictures that wait for another examination at one time; a minute or two of work."""

_COULD_BE_MATCHED = frozenset({Reason.UNKNOWN_FACE.value, Reason.AMBIGUOUS_MATCH.value})


def flag_unrecognised() -> int:
    """Flag every held picture with a face that might be recognised now. Returns how many.

    Call inside the transaction that enrols the pupil.
    """
    return flag_held(_COULD_BE_MATCHED)


def flag_held(reasons: Collection[str]) -> int:
    """Flag every picture that is held for one of these reasons. Returns how many.

    Call inside a transaction.
    """
    held = ChannelDecision.objects.filter(
        verdict=ChannelStatus.HELD, item__state=ItemState.DECIDED, item__wrapped_key__isnull=False
    ).order_by("-item__received_at", "item")
    rows = held.values_list("item", "reasons").iterator()
    found = (item for item, given in rows if not set(reasons).isdisjoint(given))
    chosen = list(islice(dict.fromkeys(found), MAX_FLAGGED))
    for start in range(0, len(chosen), 500):
        Item.objects.filter(pk__in=chosen[start : start + 500]).update(needs_reexamination=True)
    return len(chosen)


def requeue_batch(home: Home) -> int:
    """Queue flagged pictures until ``BATCH_SIZE`` wait. Returns how many were queued."""
    flagged = Item.objects.filter(needs_reexamination=True)
    # The others already wait, or are sealed or erased.
    flagged.exclude(state=ItemState.DECIDED).update(needs_reexamination=False)
    capacity = BATCH_SIZE - pending_items(Priority.REEXAMINE).count()
    if capacity <= 0:
        return 0
    next_ids = list(flagged.order_by("-received_at", "pk").values_list("pk", flat=True)[:capacity])
    requeued = requeue(home, Item.objects.filter(pk__in=next_ids))
    Item.objects.filter(pk__in=next_ids).update(needs_reexamination=False)
    return requeued
