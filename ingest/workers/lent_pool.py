"""Lends the running gate's workers to the pages of the same program.

The pages ask for one face at a time. Workers of their own would load the models again and take
memory for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TypeVar, TypeVarTuple

from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from ingest.workers.analysis_pool import AnalysisPool, TaskRunner

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class _Borrowed:
    """The gate's workers, for a person who waits: its tasks go before the photos of the inbox."""

    size = 1

    def __init__(self, pool: AnalysisPool) -> None:
        self._pool = pool

    def submit(self, task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        """Start a task. Read the future with ``result_of``."""
        return self._pool.submit_urgently(task, *arguments)


_running: list[AnalysisPool] = []


@contextmanager
def lending(pool: object) -> Iterator[None]:
    """Lend these workers while the block runs, if they are a pool of this machine."""
    if not isinstance(pool, AnalysisPool):
        yield
        return
    _running.append(pool)
    try:
        yield
    finally:
        _running.remove(pool)


def borrow_pool(home: Home, gallery: Gallery) -> AbstractContextManager[TaskRunner]:
    """Return the gate's workers, or else workers that are started for this and killed afterwards.

    The gallery counts only for workers that are started here.
    """
    return nullcontext(_Borrowed(_running[-1])) if _running else AnalysisPool(home, gallery)
