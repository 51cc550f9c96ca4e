"""Choose which photos are examined next: new photos before an archive that takes a week.

Three kinds wait (``consent_gate.db.models.Priority``): new photos, photos examined again because
the register changed, and photos of an archive. Each kind goes before the next. One place in ten is
reserved for the two later kinds, so that no photo waits for ever.
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

PLAN_SIZE = 32
"""Photos chosen by one round of queries."""

SMALL_PER_OLDEST = 3
"""Photos of small drops before each photo that has waited longest, so that both kinds progress."""

LIVE_PER_LATER = 9
"""New photos before each photo that is examined again or belongs to an archive."""


class ExaminationQueue:
    """The order in which waiting photos are examined, planned ``PLAN_SIZE`` photos at a time."""

    def __init__(self) -> None:
        self._plan: deque[str] = deque()

    def invalidate_plan(self) -> None:
        """Plan anew at the next call, because new photos may go first."""
        self._plan.clear()

    def next_batch(self, limit: int, exclude: Collection[str]) -> list[str]:
        """The ids of the next items, at most ``limit``, without the ids in ``exclude``."""
        if len(self._plan) < limit:
            self._plan = deque(_plan(PLAN_SIZE + len(exclude)))
        chosen: list[str] = []
        while self._plan and len(chosen) < limit:
            item_id = self._plan.popleft()
            if item_id not in exclude and item_id not in chosen:
                chosen.append(item_id)
        return chosen


def pending_items(priority: Priority | None = None) -> QuerySet[Item]:
    """Items that are in the vault and not yet decided; of one priority, or all."""
    items = Item.objects.filter(state=ItemState.RECEIVED)
    return items if priority is None else items.filter(priority=priority)


def requeue(home: Home, items: QuerySet[Item], priority: Priority = Priority.REEXAMINE) -> int:
    """Queue decided items for another examination. Returns how many.

    Their decisions and publications stay as they are until then; this function releases and recalls
    nothing. Items that already wait keep their priority. Sealed and erased items are not changed.
    """
    with transaction.atomic():
        decided = list(items.filter(state=ItemState.DECIDED).values_list("pk", flat=True))
        for start in range(0, len(decided), 500):
            batch = Item.objects.filter(pk__in=decided[start : start + 500])
            batch.update(state=ItemState.RECEIVED, priority=priority)
        for item_id in decided:
            jobs.enqueue_examination(home, item_id, priority)
    return len(decided)


def _plan(limit: int) -> list[str]:
    later = chain(_newest(Priority.REEXAMINE, limit), _newest(Priority.ARCHIVE, limit))
    live = pending_items(Priority.LIVE).order_by("received_at", "pk").values_list("pk", flat=True)
    mixed = _interleave(_from_small_drops(limit), list(live[:limit]), SMALL_PER_OLDEST)
    return list(islice(_interleave(list(mixed), list(later), LIVE_PER_LATER), limit))


def _newest(priority: Priority, limit: int) -> QuerySet[Item, str]:
    """Ids of waiting items of one priority, the latest received first: staff need those soonest."""
    rows = pending_items(priority).order_by("-received_at", "pk")
    return rows.values_list("pk", flat=True)[:limit]


def _interleave(frequent: list[str], rare: list[str], per_group: int) -> Iterable[str]:
    """``per_group`` of ``frequent``, then one of ``rare``, and so on; each item once."""
    groups = zip_longest(*[iter(frequent)] * per_group)
    turns = zip_longest(groups, rare, fillvalue=())
    mixed = chain.from_iterable((*(group or ()), item or None) for group, item in turns)
    return dict.fromkeys(item for item in mixed if item)


def _from_small_drops(limit: int) -> list[str]:
    """Ids of items in the top folders with the fewest waiting; of equals, the latest drop first."""
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
