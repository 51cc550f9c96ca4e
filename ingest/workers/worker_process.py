"""One worker process: it is killed when the time of a task is up, and replaced when it ends.

Tasks go to the worker as pickles. Answers come back as data that ``answers`` checks, because a
hostile file may have taken the worker over."""

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
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from ingest.workers import answers, film_checkpoint, sandbox, served_file, worker_main
from ingest.workers.sandbox import Confinement
from ingest.workers.served_file import ServedFile
from ingest.workers.worker_errors import (
    TaskFailed,
    TaskTimeout,
    WorkerCrashed,
    WorkerPoolUnavailable,
)

log = logging.getLogger("consent_gate")

START_TIMEOUT_SECONDS = 300.0
"""A worker loads its models in two seconds; a machine short of memory may need minutes."""


TASKS_PER_WORKER = 500
"""A worker is replaced after this many tasks, because libraries written in C leak memory. A new
process costs two seconds."""


ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""For numpy in a worker. The gate starts a worker for each core. With a thread for each core, the
hash of a picture took seven times the processor time (2 cores, November 2026)."""

KEPT_BLOCKS = {"PILLOW_BLOCKS_MAX": "4"}
"""Blocks of 16 MB that Pillow keeps for its next picture. Without them the kernel clears new memory
for each. Of 12 MP, decoding took 64 ms in place of 87 and two renditions 410 in place of 500. The
process needs 56 MB more (2026-11-30)."""


class WorkerProcess:
    """One worker process, replaced when it ends, and the pipe to it."""

    def __init__(self, *, niceness: int = 0) -> None:
        """``niceness`` is added to the gate's: a process with 10 leaves the processor to others."""
        self._niceness = niceness
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self._tasks = 0
        self._may_start = True

    def ensure_started(self, start: WorkerStart) -> WorkerPoolUnavailable | None:
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

    def _start(self, start: WorkerStart) -> None:
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
                env={
                    **os.environ,
                    **ONE_THREAD,
                    **KEPT_BLOCKS,
                    "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
                },
            )
        if self._niceness:  # before its threads start, which take it over
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, self._process.pid, min(own + self._niceness, 19))
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

    def run(
        self,
        function: Callable[..., Any] | None,
        arguments: tuple[Any, ...],
        served: ServedFile | None,
        seconds: float,
    ) -> Any:
        """Run a task in the process.

        Args:
            function: The task.
            arguments: Its arguments.
            served: The file among them that the worker reads through the pipe.
            seconds: The longest time that it may take.

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
        is_answered = False
        try:
            self._pipe.send((function, arguments, int(2 * seconds) + 2))
            answer = _receive_answer(self._pipe, served)
            succeeded, value = _decoded(answer, function)
            is_answered = True
        except (EOFError, OSError, answers.AnswerInvalid) as error:
            if isinstance(error, answers.AnswerInvalid):
                log.error("A worker gave an invalid answer (%s) and was ended.", error)
            if timed_out.is_set():
                raise TaskTimeout from error
            raise WorkerCrashed from error
        finally:
            timer.cancel()
            if not is_answered:
                # Otherwise its answer would be taken for that of the next task.
                self.stop()
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
        if served is not None and served_file.is_progress(message):
            served.note_progress(message)
        elif served is not None and served_file.is_request(message):
            pipe.send_bytes(served.answer(message))
        elif served is not None and (sent := served_file.checkpoint_of(message)) is not None:
            served.note_checkpoint(_checked(sent))
        else:
            return message


def _checked(sent: bytes) -> bytes:
    """Return a worker's checkpoint, written anew, so that nothing but a checkpoint is stored.

    Raises:
        AnswerInvalid: It is none, or an error that nobody foresaw ended its decoding.
    """
    try:
        return film_checkpoint.encoded(film_checkpoint.decoded(sent))
    except answers.AnswerInvalid:
        raise
    except Exception as error:
        raise answers.AnswerInvalid(type(error).__name__) from error


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
class WorkerStart:
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
