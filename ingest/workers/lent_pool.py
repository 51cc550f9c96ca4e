"""Lends the running gate's workers to the pages of the same program.

The pages ask for one face at a time. Workers of their own would load the models again and take
memory for nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from ingest.workers.analysis_pool import AnalysisPool, TaskRunner

_running: list[TaskRunner] = []


@contextmanager
def lending(pool: TaskRunner | None) -> Iterator[None]:
    """Lend these workers while the block runs. None: there are none on this machine."""
    if pool is None:
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
    return nullcontext(_running[-1]) if _running else AnalysisPool(home, gallery)
