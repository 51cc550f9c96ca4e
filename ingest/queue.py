"""Which photos are examined next: a few dropped today before an archive that takes a week."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection
from itertools import chain, islice, zip_longest

from django.db.models import Count, Max, QuerySet

from consent_gate.db.models import Item, ItemState

PLANNED = 32
"""Photos chosen at one look at the database."""

SMALL_TO_OLD = 3
"""So many photos of small drops go before each one that has waited longest: neither starves."""


class ExaminationQueue:
    """The order in which waiting photos are examined; looked up a few dozen at a time."""

    def __init__(self) -> None:
        self._plan: deque[str] = deque()

    def plan_again(self) -> None:
        """New photos came: they may go first."""
        self._plan.clear()

    def take(self, most: int, besides: Collection[str]) -> list[str]:
        """The next items, without those that are under way."""
        if len(self._plan) < most:
            self._plan = deque(_choose(PLANNED + len(besides)))
        chosen: list[str] = []
        while self._plan and len(chosen) < most:
            item_id = self._plan.popleft()
            if item_id not in besides and item_id not in chosen:
                chosen.append(item_id)
        return chosen


def waiting() -> QuerySet[Item]:
    """Items that are in the vault and not yet decided."""
    return Item.objects.filter(state=ItemState.RECEIVED)


def _choose(most: int) -> list[str]:
    small_first = _of_small_drops(most)
    oldest = waiting().order_by("received_at", "pk").values_list("pk", flat=True)[:most]
    groups = zip_longest(*[iter(small_first)] * SMALL_TO_OLD)
    turns = zip_longest(groups, oldest, fillvalue=())
    mixed = chain.from_iterable((*(group or ()), old or None) for group, old in turns)
    return list(islice(dict.fromkeys(item for item in mixed if item), most))


def _of_small_drops(most: int) -> list[str]:
    """Items of the top folders with the fewest waiting; of equals, the latest drop first."""
    events = list(waiting().values("event").annotate(count=Count("pk"), latest=Max("received_at")))
    sizes: Counter[str] = Counter()
    for event in events:
        sizes[_top(event["event"])] += event["count"]
    events.sort(key=lambda e: e["latest"], reverse=True)
    events.sort(key=lambda e: sizes[_top(e["event"])])
    chosen: list[str] = []
    for event in events:
        rows = waiting().filter(event=event["event"]).order_by("received_at", "pk")
        chosen += rows.values_list("pk", flat=True)[: most - len(chosen)]
        if len(chosen) >= most:
            break
    return chosen


def _top(event: str) -> str:
    return event.partition("/")[0]
