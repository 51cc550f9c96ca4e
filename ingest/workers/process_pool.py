"""Run tasks in worker processes that may crash or hang, each supervised by its own thread.

Films have a worker process of their own, which is started with the first film. It yields the
processor to the others, so that a photo does not wait for a film.

Every worker has its own pipe and shares nothing with the others, so a worker that is killed leaves
nothing locked. The worker's thread receives a result, the name of an exception, or the end of the
pipe (the process died), or it kills the process when the time is up. Waiting uses the monotonic
clock, so a change of the system time does not end a task.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from queue import PriorityQueue
from typing import Any, TypeVar, TypeVarTuple

from ingest.workers.sandbox import Confinement
from ingest.workers.served_file import ServedFile
from ingest.workers.worker_errors import WorkerCrashed, WorkerPoolUnavailable
from ingest.workers.worker_process import WorkerProcess, WorkerStart

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


FILM_NICENESS = 15
"""How much less of the processor the worker of films gets while the others need it."""


@dataclass(order=True)
class _Task:
    rank: int
    """Tasks with a lower rank go first."""
    number: int
    """Order of submission within a rank."""
    function: Callable[..., Any] | None = field(compare=False)
    """None tells the supervisor thread to exit."""
    arguments: tuple[Any, ...] = field(compare=False, default=())
    future: Future[Any] = field(compare=False, default_factory=Future)

    @property
    def served(self) -> ServedFile | None:
        """The file among the arguments that the worker reads through the pipe."""
        return next((one for one in self.arguments if isinstance(one, ServedFile)), None)


class WorkerPool:
    """A fixed number of worker processes. Use as a context manager; leaving it kills them."""

    def __init__(
        self,
        size: int,
        prepare: Callable[[], None],
        seconds: float,
        *,
        confinement: Confinement | None,
        seconds_with_file: float | None = None,
    ) -> None:
        """Start the supervisor threads, which start the processes.

        Args:
            size: The number of processes.
            prepare: Runs once in each new process. Like tasks it is pickled, so it must be a
                module-level function or a partial of one.
            seconds: The longest time that a task may take.
            confinement: How each process is restricted, or None for no restriction.
            seconds_with_file: The longest time for a task that has a ``ServedFile`` among its
                arguments; ``seconds`` if None.
        """
        self._start = WorkerStart(prepare, confinement)
        self._seconds = seconds
        self._seconds_with_file = seconds if seconds_with_file is None else seconds_with_file
        self._queue: PriorityQueue[_Task] = PriorityQueue()
        self._films: PriorityQueue[_Task] = PriorityQueue()
        self._numbers = iter(range(1 << 62))
        self._closed = threading.Event()
        self._threads = [
            *(threading.Thread(target=self._supervise, args=(self._queue, 0)) for _ in range(size)),
            threading.Thread(target=self._supervise, args=(self._films, FILM_NICENESS)),
        ]
        self._workers: set[WorkerProcess] = set()
        for thread in self._threads:
            thread.daemon = True
            thread.start()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()

    def submit(
        self, task: Callable[[*Arguments], T], *arguments: *Arguments, urgent: bool = False
    ) -> Future[T]:
        """Queue a task; ``urgent`` tasks go first.

        A task that is not urgent and has a ``ServedFile`` among its arguments waits for the worker
        of films.

        The future raises TaskError or WorkerPoolUnavailable where there is no result.
        """
        queued = _Task(0 if urgent else 1, next(self._numbers), task, arguments)
        is_film = queued.served is not None and not urgent
        (self._films if is_film else self._queue).put(queued)
        if self._closed.is_set():
            self._cancel_pending()
        return queued.future

    def terminate(self) -> None:
        """Kill the workers. Futures of unfinished tasks raise WorkerPoolUnavailable."""
        self._closed.set()
        for worker in list(self._workers):
            worker.kill()
        for _ in self._threads:
            self._queue.put(_Task(-1, next(self._numbers), None))
        self._films.put(_Task(-1, next(self._numbers), None))
        for thread in self._threads:
            thread.join()
        self._cancel_pending()

    def _cancel_pending(self) -> None:
        while not (self._queue.empty() and self._films.empty()):
            queued = (self._films if self._queue.empty() else self._queue).get()
            if queued.function is not None and queued.future.set_running_or_notify_cancel():
                queued.future.set_exception(WorkerPoolUnavailable("The workers were stopped."))

    def _supervise(self, queue: PriorityQueue[_Task], niceness: int) -> None:
        """The thread of one worker: start its process, give it tasks, replace it when it ends."""
        worker = WorkerProcess(niceness=niceness)
        self._workers.add(worker)
        try:
            while not self._closed.is_set():
                start_error = None if niceness else worker.ensure_started(self._start)
                queued = queue.get()
                if queued.function is None:
                    return
                if niceness:  # many schools have no film
                    start_error = worker.ensure_started(self._start)
                if not queued.future.set_running_or_notify_cancel():
                    continue
                _complete(queued.future, partial(self._run_task, worker, queued, start_error))
        finally:
            worker.stop()

    def _run_task(
        self, worker: WorkerProcess, queued: _Task, start_error: WorkerPoolUnavailable | None
    ) -> Any:
        """Run a task, twice if the process dies, because something else may have killed it once."""
        seconds = self._seconds if queued.served is None else self._seconds_with_file
        for is_last in (False, True):
            if start_error is None:
                try:
                    return worker.run(queued.function, queued.arguments, queued.served, seconds)
                except WorkerCrashed:
                    if is_last and not self._closed.is_set():
                        raise
            if self._closed.is_set():
                raise WorkerPoolUnavailable("The workers were stopped.")
            start_error = worker.ensure_started(self._start)
        raise start_error or WorkerPoolUnavailable("The workers end as soon as they are started.")


def _complete(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001  passed on by the future
        future.set_exception(error)
    else:
        future.set_result(result)
