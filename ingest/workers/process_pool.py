"""Run tasks in worker processes that may crash or hang, each supervised by its own thread.

Every worker has its own pipe and shares nothing with the others, so a worker that is killed leaves
nothing locked. Tasks go to a worker as pickles. Answers come back as data that ``answers`` checks,
because a hostile file may have taken the worker over. The worker's thread receives a result, the
name of an exception, or the end of the pipe (the process died), or it kills the process when the
time is up. Waiting uses the monotonic clock, so a change of the system time does not end a task.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from queue import PriorityQueue
from typing import Any, TypeVar, TypeVarTuple

from consent_gate.errors import GateError
from ingest.workers import answers, sandbox, served_file, worker_main
from ingest.workers.sandbox import Confinement
from ingest.workers.served_file import ServedFile

log = logging.getLogger("consent_gate")

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

START_TIMEOUT_SECONDS = 300.0
"""A worker loads its models in two seconds; a machine short of memory may need minutes."""

TASKS_PER_WORKER = 500
"""A worker is replaced after this many tasks, because libraries written in C leak memory. A new
process costs two seconds."""


class TaskError(Exception):
    """The worker gave no result, probably because of the task."""


class WorkerCrashed(TaskError):
    """The process ended during the task, twice in a row."""


class TaskTimeout(TaskError):
    """The process was killed when its time was up."""


class TaskFailed(TaskError):
    """The task raised an exception; the message is the name of its class."""


class WorkerPoolUnavailable(GateError):
    """No worker can be started, or the pool was terminated. The task is not the cause."""

    next_step = "The gate tries again by itself. 'consent-gate doctor' shows possible causes."


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
        self._start = _Start(prepare, confinement)
        self._seconds = seconds
        self._seconds_with_file = seconds if seconds_with_file is None else seconds_with_file
        self._queue: PriorityQueue[_Task] = PriorityQueue()
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
        """Queue a task; ``urgent`` tasks go first.

        The future raises TaskError or WorkerPoolUnavailable where there is no result.
        """
        queued = _Task(0 if urgent else 1, next(self._numbers), task, arguments)
        self._queue.put(queued)
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
        for thread in self._threads:
            thread.join()
        self._cancel_pending()

    def _cancel_pending(self) -> None:
        while not self._queue.empty():
            queued = self._queue.get()
            if queued.function is not None and queued.future.set_running_or_notify_cancel():
                queued.future.set_exception(WorkerPoolUnavailable("The workers were stopped."))

    def _supervise(self) -> None:
        """The thread of one worker: start its process, give it tasks, replace it when it ends."""
        worker = _Worker()
        self._workers.add(worker)
        try:
            while not self._closed.is_set():
                start_error = worker.ensure_started(self._start)
                queued = self._queue.get()
                if queued.function is None:
                    return
                if not queued.future.set_running_or_notify_cancel():
                    continue
                _complete(queued.future, partial(self._run_task, worker, queued, start_error))
        finally:
            worker.stop()

    def _run_task(
        self, worker: _Worker, queued: _Task, start_error: WorkerPoolUnavailable | None
    ) -> Any:
        """Run a task, twice if the process dies, because something else may have killed it once."""
        seconds = self._seconds if queued.served is None else self._seconds_with_file
        for is_last in (False, True):
            if start_error is None:
                try:
                    return worker.run(queued, seconds)
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


class _Worker:
    """One worker process, replaced when it ends, and the pipe to it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._tasks = 0
        self._may_start = True

    def ensure_started(self, start: _Start) -> WorkerPoolUnavailable | None:
        """Start a process unless one is alive and fit. Returns the error, or None on success."""
        if (
            self._process is not None
            and self._process.poll() is None
            and self._tasks < TASKS_PER_WORKER
        ):
            return None
        self.stop()
        if not self._may_start:
            return WorkerPoolUnavailable("The workers were stopped.")
        try:
            self._start(start)
        except OSError as error:
            return WorkerPoolUnavailable(f"An analysis worker cannot be started: {error.strerror}.")
        return self._handshake()

    def _start(self, start: _Start) -> None:
        # multiprocessing would import the program's main module, which may start threads.
        self._pipe, child_end = multiprocessing.Pipe()
        self._tasks = 0
        with child_end:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",  # no code from the current folder
                    "-m",
                    worker_main.__name__,
                    str(child_end.fileno()),
                    str(os.getpid()),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=[child_end.fileno()],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._pipe.send_bytes(start.pickled())

    def _handshake(self) -> WorkerPoolUnavailable | None:
        assert self._pipe is not None  # noqa: S101  set by _start
        end = time.monotonic() + START_TIMEOUT_SECONDS
        try:
            while self._may_start and time.monotonic() < end and not self._pipe.poll(0.2):
                pass
            fault = self._start_message() if self._pipe.poll() else "it took too long"
        except (EOFError, OSError):
            fault = "it ended at once"
        if not fault:
            return None
        self.stop()
        return WorkerPoolUnavailable(f"An analysis worker cannot be started: {fault}.")

    def _start_message(self) -> str:
        """Why the worker cannot work, in its own words; empty where it can."""
        assert self._pipe is not None  # noqa: S101  set by _start
        return self._pipe.recv_bytes(worker_main.MAX_START_MESSAGE_BYTES).decode(errors="replace")

    def run(self, queued: _Task, seconds: float) -> Any:
        """Run a task in the process.

        Raises:
            TaskTimeout: The task took longer than ``seconds``.
            TaskFailed: The task raised an exception.
            WorkerCrashed: The process ended, or its answer is none.
        """
        if self._process is None or self._pipe is None:
            raise WorkerCrashed
        self._tasks += 1
        timed_out = threading.Event()
        timer = threading.Timer(seconds, _kill_on_timeout, (self._process, timed_out))
        timer.daemon = True
        timer.start()
        try:
            self._pipe.send((queued.function, queued.arguments, int(2 * seconds) + 2))
            answer = _receive_answer(self._pipe, queued.served)
            succeeded, value = _decoded(answer, queued.function)
        except (EOFError, OSError, answers.AnswerInvalid) as error:
            if isinstance(error, answers.AnswerInvalid):
                log.error("A worker gave an invalid answer (%s) and was ended.", error)
            self.stop()
            if timed_out.is_set():
                raise TaskTimeout from error
            raise WorkerCrashed from error
        finally:
            timer.cancel()
        if not succeeded:
            raise TaskFailed(value)
        return value

    def kill(self) -> None:
        """Kill the process and start no other. May be called from any thread."""
        self._may_start = False
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    def stop(self) -> None:
        """Kill the process and wait for its end. Only for the supervisor thread."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._pipe = None


def _receive_answer(pipe: Connection, served: ServedFile | None) -> bytes:
    """Wait for a worker's answer, and send the parts of the file that it asks for meanwhile."""
    while True:
        message = pipe.recv_bytes(answers.MAX_ANSWER_BYTES)
        if served is None or not served_file.is_request(message):
            return message
        pipe.send_bytes(served.answer(message))


def _decoded(answer: bytes, function: Callable[..., Any] | None) -> tuple[bool, Any]:
    """Decode a worker's answer into whether the task succeeded, and its value.

    Raises:
        AnswerInvalid: The answer is invalid, or an error that nobody foresaw ended its decoding.
    """
    try:
        return answers.decode(answer, answers.answer_type(function))
    except answers.AnswerInvalid:
        raise
    except Exception as error:
        raise answers.AnswerInvalid(type(error).__name__) from error


def _kill_on_timeout(process: subprocess.Popen[bytes], timed_out: threading.Event) -> None:
    timed_out.set()
    process.kill()


@dataclass(frozen=True)
class _Start:
    """What a worker does before its first task."""

    prepare: Callable[[], None]
    confinement: Confinement | None

    def pickled(self) -> bytes:
        """Bytes that a worker restricts itself with before it unpickles ``prepare``.

        Unpickling imports libraries that start threads, which Landlock must restrict too.
        """
        function = self.prepare.func if isinstance(self.prepare, partial) else self.prepare
        packages = {*sandbox.PACKAGES, function.__module__.partition(".")[0]}
        return pickle.dumps((self.confinement, sorted(packages), pickle.dumps(self.prepare)))
