"""Which photos are examined next: a few dropped today before an archive that takes a week.

Three kinds wait (``consent_gate.db.models.Priority``): photos dropped in now, photos looked at
again because the register changed, and an archive that is screened at leisure. Each kind goes
before the next, and one place in ten is kept for the later kinds, so that none waits for ever.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection, Iterable
from itertools import chain, islice, zip_longest

from django.db import transaction
from django.db.models import Count, Max, QuerySet

from consent_gate.db import jobs
from consent_gate.db.models import Item, ItemState, Priority
from consent_gate.home.home import Home

PLANNED = 32
"""Photos chosen at one look at the database."""

SMALL_TO_OLD = 3
"""So many photos of small drops go before each one that has waited longest: neither starves."""

LIVE_TO_LATER = 9
"""So many photos dropped in now go before each one that is only looked at again."""


class ExaminationQueue:
    """The order in which waiting photos are examined; looked up a few dozen at a time."""

    def __init__(self) -> None:
        self._plan: deque[str] = deque()

    def invalidate_plan(self) -> None:
        """New photos came: they may go first."""
        self._plan.clear()

    def next_batch(self, limit: int, exclude: Collection[str]) -> list[str]:
        """The next items, without those that are under way."""
        if len(self._plan) < limit:
            self._plan = deque(_choose(PLANNED + len(exclude)))
        chosen: list[str] = []
        while self._plan and len(chosen) < limit:
            item_id = self._plan.popleft()
            if item_id not in exclude and item_id not in chosen:
                chosen.append(item_id)
        return chosen


def pending_items(priority: Priority | None = None) -> QuerySet[Item]:
    """Items that are in the vault and not yet decided; of one kind, or all."""
    items = Item.objects.filter(state=ItemState.RECEIVED)
    return items if priority is None else items.filter(priority=priority)


def requeue(home: Home, items: QuerySet[Item], priority: Priority = Priority.REEXAMINE) -> int:
    """Have decided items examined again when their turn comes. Returns how many.

    What was decided stands meanwhile, and what is out stays out of this function's reach: nothing
    is released or recalled here. Items that wait already keep their place; sealed and erased ones
    are left alone.
    """
    with transaction.atomic():
        decided = list(items.filter(state=ItemState.DECIDED).values_list("pk", flat=True))
        for start in range(0, len(decided), 500):
            batch = Item.objects.filter(pk__in=decided[start : start + 500])
            batch.update(state=ItemState.RECEIVED, priority=priority)
        for item_id in decided:
            jobs.enqueue_examination(home, item_id, priority)
    return len(decided)


def _choose(limit: int) -> list[str]:
    later = chain(_newest(Priority.REEXAMINE, limit), _newest(Priority.ARCHIVE, limit))
    live = pending_items(Priority.LIVE).order_by("received_at", "pk").values_list("pk", flat=True)
    mixed = _interleave(_from_small_drops(limit), list(live[:limit]), SMALL_TO_OLD)
    return list(islice(_interleave(list(mixed), list(later), LIVE_TO_LATER), limit))


def _newest(priority: Priority, limit: int) -> QuerySet[Item, str]:
    """What was photographed last is asked for soonest."""
    rows = pending_items(priority).order_by("-received_at", "pk")
    return rows.values_list("pk", flat=True)[:limit]


def _interleave(many: list[str], few: list[str], so_many: int) -> Iterable[str]:
    """``so_many`` of the first, one of the second, and so on; each item once."""
    groups = zip_longest(*[iter(many)] * so_many)
    turns = zip_longest(groups, few, fillvalue=())
    mixed = chain.from_iterable((*(group or ()), one or None) for group, one in turns)
    return dict.fromkeys(item for item in mixed if item)


def _from_small_drops(limit: int) -> list[str]:
    """Items of the top folders with the fewest waiting; of equals, the latest drop first."""
    live = pending_items(Priority.LIVE)
    events = list(live.values("event").annotate(count=Count("pk"), latest=Max("received_at")))
    sizes: Counter[str] = Counter()
    for event in events:
        sizes[_top(event["event"])] += event["count"]
    events.sort(key=lambda e: e["latest"], reverse=True)
    events.sort(key=lambda e: sizes[_top(e["event"])])
    chosen: list[str] = []
    for event in events:
        rows = live.filter(event=event["event"]).order_by("received_at", "pk")
        chosen += rows.values_list("pk", flat=True)[: limit - len(chosen)]
        if len(chosen) >= limit:
            break
    return chosen


def _top(event: str) -> str:
    return event.partition("/")[0]
