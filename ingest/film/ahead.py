"""Run an iterator ahead of its reader, in another thread, so that two cores work on one film."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterable
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")

DEPTH = 16
"""Items that wait for the reader: frames of 6 MB. A search at every angle takes as long as 20
frames take elsewhere; with few items the other threads would wait for it."""
POLL_SECONDS = 0.05


class _End:
    """The iterator has ended, perhaps with an error."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class _Producer(Generic[T]):
    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._items = items
        self._queue: Queue[T | _End] = Queue(depth)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        end = _End(None)
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:  # noqa: BLE001  raised again by the reader
            end = _End(error)
        self._put(end)

    def _put(self, item: T | _End) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=POLL_SECONDS)
            except Full:
                continue
            return True
        return False

    def read(self) -> Generator[T]:
        self._thread.start()
        try:
            while True:
                item = self._queue.get()
                if isinstance(item, _End):
                    if item.error is not None:
                        raise item.error
                    return
                yield item
        finally:
            # The thread may be reading the file, so nobody may go on before it has ended.
            self._stop.set()
            self._drain()
            self._thread.join()

    def _drain(self) -> None:
        try:
            while True:
                self._queue.get_nowait()
        except Empty:
            return


def ahead(items: Iterable[T], depth: int = DEPTH) -> Generator[T]:
    """Yield the items of an iterable that another thread reads, at most ``depth`` items ahead.

    An error of the iterable is raised here, after the items before it. Close the iterator, or read
    it to its end: only then has the thread ended.
    """
    return _Producer(items, depth).read()
