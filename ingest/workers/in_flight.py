"""Work that other processes do, begun no faster than it ends."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Generic, TypeVar

T = TypeVar("T")
Subject = TypeVar("Subject")


class InFlight(Generic[Subject, T]):
    """Futures under way, never more than a limit, and what each is about.

    One that has ended counts until it is removed: whoever cannot record its result still finds it
    in ``subjects``.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: dict[Future[T], Subject] = {}

    def __len__(self) -> int:
        return len(self._running)

    @property
    def room(self) -> int:
        """How many more may be begun now."""
        return self._limit - len(self._running)

    @property
    def subjects(self) -> Collection[Subject]:
        return self._running.values()

    def add(self, subject: Subject, future: Future[T]) -> None:
        self._running[future] = subject

    def ended(self) -> list[tuple[Subject, Future[T]]]:
        """Those that have ended, without waiting."""
        return [(subject, future) for future, subject in self._running.items() if future.done()]

    def wait_for_one(self) -> list[tuple[Subject, Future[T]]]:
        """Sleep until one ends; then as ``ended``. Returns at once where none is under way."""
        wait(self._running, return_when=FIRST_COMPLETED)
        return self.ended()

    def remove(self, future: Future[T]) -> None:
        del self._running[future]

    def clear(self) -> list[Subject]:
        """Follow none of them any longer. Returns what they were about."""
        subjects = list(self._running.values())
        self._running.clear()
        return subjects


def already(result: T) -> Future[T]:
    """A future that has ended, for work that nobody needs to do."""
    future: Future[T] = Future()
    future.set_result(result)
    return future
