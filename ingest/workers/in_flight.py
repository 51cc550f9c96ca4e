"""Limit how many tasks are given to other processes at once."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Generic, TypeVar

T = TypeVar("T")
Subject = TypeVar("Subject")


class InFlight(Generic[Subject, T]):
    """Futures under way, at most ``limit``, each with its subject, such as an item id.

    A future that has ended counts until it is removed. A caller that could not record its result
    therefore still finds it in ``subjects``.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: dict[Future[T], Subject] = {}

    def __len__(self) -> int:
        return len(self._running)

    @property
    def capacity(self) -> int:
        """How many more futures may be added now."""
        return self._limit - len(self._running)

    @property
    def subjects(self) -> Collection[Subject]:
        """The subjects of all futures that were not removed."""
        return self._running.values()

    def add(self, subject: Subject, future: Future[T]) -> None:
        """Track a future."""
        self._running[future] = subject

    def ended(self) -> list[tuple[Subject, Future[T]]]:
        """The futures that have ended, with their subjects; does not wait."""
        return [(subject, future) for future, subject in self._running.items() if future.done()]

    def wait_for_any(self) -> list[tuple[Subject, Future[T]]]:
        """Wait until a future has ended, then return ``ended()``; does not wait where there is
        none."""
        wait(self._running, return_when=FIRST_COMPLETED)
        return self.ended()

    def remove(self, future: Future[T]) -> None:
        """Stop tracking a future. Raises KeyError for one that is not tracked."""
        del self._running[future]

    def clear(self) -> list[Subject]:
        """Stop tracking all futures. Returns their subjects."""
        subjects = list(self._running.values())
        self._running.clear()
        return subjects


def completed_future(result: T) -> Future[T]:
    """A future that has already ended with this result, for a task that need not run."""
    future: Future[T] = Future()
    future.set_result(result)
    return future
