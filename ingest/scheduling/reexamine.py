"""Old pictures that somebody enrolled since may be in: examined again, a few at a time.

No vector of an unknown face is kept, so nobody can tell whose face it was without looking again.
Pictures that are held for a face that nobody, or more than one pupil, was recognised in are noted
when a pupil is enrolled, by an import or by a photo alone. They go back behind photos dropped in
now, so few at once that staff keep the rest in their queue. Nothing goes out on the old decision:
each is examined and decided anew.
"""

from __future__ import annotations

from itertools import islice

from consent_gate.db.models import ChannelDecision, Item, ItemState, Priority, VerdictWord
from consent_gate.home.home import Home
from consent_gate.model import Reason
from ingest.scheduling.queue import send_back, waiting

MOST_NOTED = 2_000
"""Pictures noted at one time, the newest first: what a school holds in a year, about."""

AT_ONCE = 50
"""Pictures that wait for another look at one time; a minute or two of work."""

_COULD_BE_MATCHED = frozenset({Reason.UNKNOWN_FACE.value, Reason.AMBIGUOUS_MATCH.value})


def note_unrecognised() -> int:
    """Note every held picture that could be recognised now. Returns how many.

    Call inside the transaction in which somebody was enrolled.
    """
    held = ChannelDecision.objects.filter(
        verdict=VerdictWord.HELD, item__state=ItemState.DECIDED, item__wrapped_key__isnull=False
    ).order_by("-item__received_at", "item")
    rows = held.values_list("item", "reasons").iterator()
    found = (item for item, reasons in rows if not _COULD_BE_MATCHED.isdisjoint(reasons))
    chosen = list(islice(dict.fromkeys(found), MOST_NOTED))
    for start in range(0, len(chosen), 500):
        Item.objects.filter(pk__in=chosen[start : start + 500]).update(look_again=True)
    return len(chosen)


def send_some_back(home: Home) -> int:
    """Send noted pictures back for examination as far as there is room. Returns how many."""
    noted = Item.objects.filter(look_again=True)
    # The others wait already, or are gone.
    noted.exclude(state=ItemState.DECIDED).update(look_again=False)
    room = AT_ONCE - waiting(Priority.AGAIN).count()
    if room <= 0:
        return 0
    next_ones = list(noted.order_by("-received_at", "pk").values_list("pk", flat=True)[:room])
    sent = send_back(home, Item.objects.filter(pk__in=next_ones))
    Item.objects.filter(pk__in=next_ones).update(look_again=False)
    return sent
