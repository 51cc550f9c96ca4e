"""The analysis workers of this machine: each loads the models once; a lost one is replaced."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol, TypeVar, TypeVarTuple

from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.model import Reason
from consent_gate.register.thresholds import thresholds_in_force
from ingest.decoding.decode import DecodeLimits
from ingest.faces.weights import ALL_WEIGHTS, locate
from ingest.workers import worker
from ingest.workers.process_pool import TaskError, TaskFailed, TaskTimeout, WorkerPool
from ingest.workers.worker import Examination, WorkerConfig, not_examined
from publish.rendition import Rendition, RenditionRefused, RenditionRequest

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

DIED = "The examination was stopped: the picture made the program fail."
TOO_LONG = "The examination took too long and was stopped."


class TaskRunner(Protocol):
    """Whatever runs the functions of ``ingest.workers.worker``: ``AnalysisPool``."""

    size: int
    """How many tasks run at once."""

    def submit(self, task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        """Begin a task; read the future with ``result_of``."""
        ...


OpenTaskRunner = Callable[[Home, Gallery], AbstractContextManager[TaskRunner]]
"""Begins workers that compare faces with a gallery."""


class AnalysisPool:
    """Runs the functions of ``ingest.workers.worker`` in other processes, under limits."""

    def __init__(self, home: Home, gallery: Gallery) -> None:
        """Raises ModelUnavailable before anything starts when a weight file is not right."""
        for weights in ALL_WEIGHTS:
            locate(weights)
        analysis = home.settings.analysis
        self.size = analysis.workers or len(os.sched_getaffinity(0))
        setup = WorkerConfig(
            gallery=gallery,
            thresholds=thresholds_in_force(),
            limits=DecodeLimits(max_pixels=analysis.max_megapixels * 1_000_000),
            megabytes=analysis.megabytes_per_worker,
        )
        begin = partial(worker.start_confined, setup)
        self._crew = WorkerPool(self.size, begin, analysis.seconds_per_picture)

    def __enter__(self) -> AnalysisPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()

    def terminate(self) -> None:
        """End the workers at once; what they had in hand raises WorkerPoolUnavailable."""
        self._crew.terminate()

    def submit(self, task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        """Have a function of ``ingest.workers.worker`` done; read the future with ``result_of``."""
        return self._crew.submit(task, *arguments)

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> list[Rendition | RenditionRefused]:
        """Make and prove an item's pictures, waiting for them. One is lost: all are refused."""
        task = self._crew.submit(worker.make_renditions, data, tuple(orders), urgent=True)
        made = result_of(task)
        return [made] * len(orders) if isinstance(made, RenditionRefused) else made


def result_of(future: Future[T]) -> T | RenditionRefused:
    """What came of a task, once it has ended; a worker that died or hung refuses the picture.

    Raises WorkerPoolUnavailable.
    """
    try:
        return future.result()
    except TaskTimeout:
        return RenditionRefused(Reason.NOT_EXAMINED, TOO_LONG)
    except TaskFailed as error:
        return RenditionRefused(Reason.NOT_EXAMINED, f"The examination failed ({error}).")
    except TaskError:
        return RenditionRefused(Reason.NOT_EXAMINED, DIED)


def examination_result(future: Future[Examination]) -> Examination:
    """``result_of`` an examination; a picture that was refused was not examined."""
    outcome = result_of(future)
    if isinstance(outcome, RenditionRefused):
        return not_examined(outcome.message, outcome.reason)
    return outcome
