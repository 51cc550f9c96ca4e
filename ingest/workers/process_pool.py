"""Worker processes that may crash or hang, each looked after by a thread of its own.

Every worker has its own pipe and nothing else in common with the others, so that one killed at
any moment leaves nothing locked. What its thread sees is one of: a result, an exception by name,
the end of the pipe (the process died), or its patience ending (the process is killed). Waiting
goes by the monotonic clock: setting the time does not end an examination.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from queue import PriorityQueue
from typing import Any, TypeVar, TypeVarTuple

from consent_gate.errors import GateError
from ingest.workers import sandbox

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

STARTING_SECONDS = 300.0
"""A worker loads its models in two seconds; on a machine that swaps it may take minutes."""

TASKS_PER_WORKER = 500
"""Libraries written in C leak: a fresh process now and then costs two seconds."""

_SPAWN = multiprocessing.get_context("spawn")


class TaskError(Exception):
    """The worker did not answer. A fault of the task, as far as one can tell."""


class WorkerCrashed(TaskError):
    """Twice in a row the process ended during the task."""


class TaskTimeout(TaskError):
    """The process was killed when its time was up."""


class TaskFailed(TaskError):
    """The task raised an exception; the message is the name of its class."""


class WorkerPoolUnavailable(GateError):
    """No worker can be started, or the crew was dismissed. No fault of the task."""

    next_step = "The gate tries again by itself; 'consent-gate doctor' says what may be wrong."


@dataclass(order=True)
class _Task:
    rank: int
    number: int
    task: Callable[..., Any] | None = field(compare=False)
    """None: go home."""
    arguments: tuple[Any, ...] = field(compare=False, default=())
    future: Future[Any] = field(compare=False, default_factory=Future)


class WorkerPool:
    """A fixed number of worker processes. Use as a context manager; leaving it kills them."""

    def __init__(self, size: int, prepare: Callable[[], None], seconds: float) -> None:
        """``prepare`` runs once in each new process. ``seconds`` is the longest a task may take.

        Both ``prepare`` and tasks are pickled: functions of modules, or partials of such.
        """
        self._prepare = prepare
        self._seconds = seconds
        self._jobs: PriorityQueue[_Task] = PriorityQueue()
        self._numbers = iter(range(1 << 62))
        self._closed = threading.Event()
        self._threads = [threading.Thread(target=self._supervise) for _ in range(size)]
        self._workers: set[_Worker] = set()
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
        """Have a task done. The future raises TaskError or WorkerPoolUnavailable where it was
        not."""
        job = _Task(0 if urgent else 1, next(self._numbers), task, arguments)
        self._jobs.put(job)
        if self._closed.is_set():
            self._cancel_pending()
        return job.future

    def terminate(self) -> None:
        """Kill the workers and end; what was not finished raises WorkerPoolUnavailable."""
        self._closed.set()
        for worker in list(self._workers):
            worker.kill()
        for _ in self._threads:
            self._jobs.put(_Task(-1, next(self._numbers), None))
        for thread in self._threads:
            thread.join()
        self._cancel_pending()

    def _cancel_pending(self) -> None:
        while not self._jobs.empty():
            job = self._jobs.get()
            if job.task is not None and job.future.set_running_or_notify_cancel():
                job.future.set_exception(WorkerPoolUnavailable("The workers were stopped."))

    def _supervise(self) -> None:
        """One worker's thread: start it, hand it tasks, replace it."""
        worker = _Worker()
        self._workers.add(worker)
        try:
            while not self._closed.is_set():
                trouble = worker.ensure_started(self._prepare)
                job = self._jobs.get()
                if job.task is None:
                    return
                if not job.future.set_running_or_notify_cancel():
                    continue
                _complete(job.future, partial(self._run_task, worker, job, trouble))
        finally:
            worker.stop()

    def _run_task(self, worker: _Worker, job: _Task, trouble: WorkerPoolUnavailable | None) -> Any:
        """A result, or an exception. A death is tried once more: it may have been a stray kill."""
        for last in (False, True):
            if trouble is None:
                try:
                    return worker.run(job, self._seconds)
                except WorkerCrashed:
                    if last and not self._closed.is_set():
                        raise
            if self._closed.is_set():
                raise WorkerPoolUnavailable("The workers were stopped.")
            trouble = worker.ensure_started(self._prepare)
        raise trouble or WorkerPoolUnavailable("The workers end as soon as they are started.")


def _complete(future: Future[Any], work: Callable[[], Any]) -> None:
    try:
        result = work()
    except Exception as error:  # noqa: BLE001  whoever waits for the future is told
        future.set_exception(error)
    else:
        future.set_result(result)


class _Worker:
    """One process at a time, and the pipe to it."""

    def __init__(self) -> None:
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._tasks = 0
        self._may_start = True

    def ensure_started(self, prepare: Callable[[], None]) -> WorkerPoolUnavailable | None:
        """Start a process where there is none that lives. What went wrong, if anything."""
        if (
            self._process is not None
            and self._process.is_alive()
            and self._tasks < TASKS_PER_WORKER
        ):
            return None
        self.stop()
        if not self._may_start:
            return WorkerPoolUnavailable("The workers were stopped.")
        try:
            self._start(prepare)
        except OSError as error:
            return WorkerPoolUnavailable(f"An analysis worker cannot be started: {error.strerror}.")
        return self._handshake()

    def _start(self, prepare: Callable[[], None]) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_worker_main, args=(theirs, prepare, os.getpid()))
        self._process.daemon = True
        self._tasks = 0
        self._process.start()
        theirs.close()

    def _handshake(self) -> WorkerPoolUnavailable | None:
        assert self._pipe is not None  # noqa: S101  told apart by make_ready
        end = time.monotonic() + STARTING_SECONDS
        try:
            while self._may_start and time.monotonic() < end and not self._pipe.poll(0.2):
                pass
            fault = self._pipe.recv() if self._pipe.poll() else "it takes too long"
        except (EOFError, OSError):
            fault = "it ends at once"
        if fault is None:
            return None
        self.stop()
        return WorkerPoolUnavailable(f"An analysis worker cannot be started: {fault}.")

    def run(self, job: _Task, seconds: float) -> Any:
        """Have a task done by the process. Raises TaskError."""
        if self._process is None or self._pipe is None:
            raise WorkerCrashed
        self._tasks += 1
        overtime = threading.Event()
        timer = threading.Timer(seconds, _kill_on_timeout, (self._process, overtime))
        timer.daemon = True
        timer.start()
        try:
            self._pipe.send((job.task, job.arguments, int(2 * seconds) + 2))
            is_answer, value = self._pipe.recv()
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self.stop()
            if overtime.is_set():
                raise TaskTimeout from error
            raise WorkerCrashed from error
        finally:
            timer.cancel()
        if not is_answer:
            raise TaskFailed(value)
        return value

    def kill(self) -> None:
        """End the process for good; its thread notices by itself."""
        self._may_start = False
        if self._process is not None and self._process.is_alive():
            self._process.kill()

    def stop(self) -> None:
        """End the process and see it off. For the thread that looks after it."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._process = self._pipe = None


def _kill_on_timeout(process: SpawnProcess, overtime: threading.Event) -> None:
    overtime.set()
    process.kill()


def _worker_main(pipe: Connection, prepare: Callable[[], None], parent: int) -> None:
    """The life of a worker process."""
    sandbox.set_parent_death_signal(parent)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # systemd sends these to every process: the parent alone decides what becomes of a task.
        signal.signal(ignored, signal.SIG_IGN)
    try:
        prepare()
    except Exception as error:  # noqa: BLE001  told to the parent, who gives up or tries again
        pipe.send(f"{type(error).__name__}: {error}")
        return
    pipe.send(None)
    while True:
        try:
            task, arguments, seconds = pipe.recv()
        except (EOFError, OSError):
            return
        sandbox.limit_processor_time(seconds)
        try:
            answer = True, task(*arguments)
        except Exception as error:  # noqa: BLE001  any failure costs this task alone
            answer = False, type(error).__name__
        pipe.send(answer)
        del task, arguments, answer
