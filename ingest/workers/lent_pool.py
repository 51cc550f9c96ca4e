"""Lends the running gate's workers to the pages of the same program.

The pages ask for one face at a time. Workers of their own would load the models again and take
memory for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
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


_running: dict[Path, list[AnalysisPool]] = {}
"""By the folder of the home: the workers of one school know the faces of its pupils only."""


@contextmanager
def lending(home: Home, pool: object) -> Iterator[None]:
    """Lend these workers of a home while the block runs, if they are a pool of this machine."""
    if not isinstance(pool, AnalysisPool):
        yield
        return
    own = _running.setdefault(home.root.resolve(), [])
    own.append(pool)
    try:
        yield
    finally:
        own.remove(pool)


def borrow_workers(
    home: Home, load_gallery: Callable[[], Gallery]
) -> AbstractContextManager[TaskRunner]:
    """Return the workers of this home, or else workers that are started now and killed afterwards.

    Args:
        home: The installation.
        load_gallery: Gives the gallery for workers that are started here. The gate's own have the
            gallery in force already.
    """
    own = _running.get(home.root.resolve())
    return nullcontext(_Borrowed(own[-1])) if own else AnalysisPool(home, load_gallery())


def borrow_pool(home: Home, gallery: Gallery) -> AbstractContextManager[TaskRunner]:
    """``borrow_workers`` with a gallery that was loaded already."""
    return borrow_workers(home, lambda: gallery)
