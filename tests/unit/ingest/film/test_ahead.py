"""Another thread decodes a film ahead of the search for faces."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from ingest.film.ahead import ahead


def numbers(count: int, seen: list[int], *, fails: bool = False) -> Iterator[int]:
    for number in range(count):
        seen.append(number)
        yield number
    if fails:
        raise ValueError("damaged")


def test_the_items_come_in_their_order() -> None:
    assert list(ahead(numbers(100, []))) == list(range(100))


def test_an_error_comes_after_the_items_before_it() -> None:
    items = ahead(numbers(10, [], fails=True))
    assert [next(items) for _ in range(10)] == list(range(10))
    with pytest.raises(ValueError, match="damaged"):
        next(items)


def test_no_more_than_a_few_items_wait_and_the_thread_ends_with_the_reader() -> None:
    seen: list[int] = []
    before = threading.active_count()
    with closing(ahead(numbers(10_000, seen), depth=3)) as items:
        assert next(items) == 0
    assert len(seen) <= 6
    assert threading.active_count() == before
