"""Several items are rendered at once, in a bounded number."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from consent_gate.db.models import Item, Publication
from publish.renditions import ahead
from publish.renditions.ahead import MAX_STARTED, MAX_STARTED_BYTES, started_ahead


class Workers:
    """Notes what is started, and what was waited for."""

    def __init__(self) -> None:
        self.under_way: list[str] = []
        self.most = 0

    def start(self, _home: object, _renderer: object, publications: list[Publication]) -> Any:
        name = publications[0].item.pk
        self.under_way.append(name)
        self.most = max(self.most, len(self.under_way))
        return partial(self.under_way.remove, name)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Workers:
    workers = Workers()
    monkeypatch.setattr(ahead, "start_renditions", workers.start)
    return workers


def items(count: int, size: int = 1) -> list[list[Publication]]:
    return [[Publication(item=Item(pk=str(number), size=size))] for number in range(count)]


def names_of(given: list[list[Publication]]) -> list[str]:
    """Have the items rendered, and return them in the order in which they are written."""
    nothing: Any = None
    names = []
    for publications, wait in started_ahead(nothing, nothing, given):
        names.append(publications[0].item.pk)
        wait()
    return names


def test_the_next_items_are_rendered_while_the_first_is_waited_for(workers: Workers) -> None:
    nothing: Any = None
    rendered = started_ahead(nothing, nothing, items(2))
    (first,), _ = next(rendered)
    assert first.item.pk == "0"
    assert workers.under_way == ["0", "1"]


def test_each_item_is_rendered_once_in_its_order_and_not_all_at_once(workers: Workers) -> None:
    assert names_of(items(40)) == [str(number) for number in range(40)]
    assert workers.under_way == []
    assert workers.most == MAX_STARTED


def test_large_originals_are_not_held_in_memory_together(workers: Workers) -> None:
    assert names_of(items(3, MAX_STARTED_BYTES)) == ["0", "1", "2"]
    assert workers.most == 1
