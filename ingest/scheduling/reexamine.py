"""Old pictures that somebody enrolled since may be in: examined again, a few at a time.

No vector of an unknown face is kept, so nobody can tell whose face it was without looking again.
Pictures that are held for a face that nobody, or more than one pupil, was recognised in are noted
when a pupil is enrolled, by an import or by a photo alone. They go back behind photos dropped in
now, so few at once that staff keep the rest in their queue. Nothing goes out on the old decision:
each is examined and decided anew.
"""

from __future__ import annotations

from itertools import islice

from consent_gate.db.models import ChannelDecision, ChannelStatus, Item, ItemState, Priority
from consent_gate.home.home import Home
from consent_gate.model import Reason
from ingest.scheduling.queue import pending_items, requeue

MAX_FLAGGED = 2_000
"""Pictures noted at one time, the newest first: what a school holds in a year, about."""

BATCH_SIZE = 50
"""Pictures that wait for another look at one time; a minute or two of work."""

_COULD_BE_MATCHED = frozenset({Reason.UNKNOWN_FACE.value, Reason.AMBIGUOUS_MATCH.value})


def flag_unrecognised() -> int:
    """Note every held picture that could be recognised now. Returns how many.

    Call inside the transaction in which somebody was enrolled.
    """
    held = ChannelDecision.objects.filter(
        verdict=ChannelStatus.HELD, item__state=ItemState.DECIDED, item__wrapped_key__isnull=False
    ).order_by("-item__received_at", "item")
    rows = held.values_list("item", "reasons").iterator()
    found = (item for item, reasons in rows if not _COULD_BE_MATCHED.isdisjoint(reasons))
    chosen = list(islice(dict.fromkeys(found), MAX_FLAGGED))
    for start in range(0, len(chosen), 500):
        Item.objects.filter(pk__in=chosen[start : start + 500]).update(needs_reexamination=True)
    return len(chosen)


def requeue_batch(home: Home) -> int:
    """Send noted pictures back for examination as far as there is room. Returns how many."""
    noted = Item.objects.filter(needs_reexamination=True)
    # The others wait already, or are gone.
    noted.exclude(state=ItemState.DECIDED).update(needs_reexamination=False)
    capacity = BATCH_SIZE - pending_items(Priority.REEXAMINE).count()
    if capacity <= 0:
        return 0
    next_ones = list(noted.order_by("-received_at", "pk").values_list("pk", flat=True)[:capacity])
    sent = requeue(home, Item.objects.filter(pk__in=next_ones))
    Item.objects.filter(pk__in=next_ones).update(needs_reexamination=False)
    return sent
