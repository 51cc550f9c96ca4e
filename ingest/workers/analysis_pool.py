"""The pool of analysis workers of this machine. Each worker loads the models once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar, TypeVarTuple

from consent_gate.errors import DecryptionError, GateError
from consent_gate.home.home import Home
from consent_gate.home.settings_school_model import SchoolModel
from consent_gate.matching.gallery import Gallery
from consent_gate.matching.school_model import SchoolModelUse
from consent_gate.model import FilmSound, Reason
from consent_gate.register.school_model import school_model_use
from consent_gate.register.thresholds import thresholds_in_force
from consent_gate.vault.interface import PartReader
from ingest.decoding.decode import DecodeLimits
from ingest.faces.embedders.school_model import SchoolModelForm, verified_bytes
from ingest.faces.weights import ALL_WEIGHTS, locate
from ingest.film.libav import FilmLimits
from ingest.workers import film_checkpoint, rendition_tasks, sandbox, worker
from ingest.workers.examination import Examination, not_examined
from ingest.workers.process_pool import WorkerPool
from ingest.workers.sandbox import Confinement
from ingest.workers.served_file import OnProgress, ServedFile
from ingest.workers.worker_config import WorkerConfig
from ingest.workers.worker_errors import TaskError, TaskFailed, TaskTimeout
from publish.renditions.rendition import FilmRequest, Rendition, RenditionRefused, RenditionRequest
from publish.renditions.requests import WaitForRenditions

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

WORKER_CRASHED = "The examination ended early because the picture made the program fail."
TIMED_OUT = "The examination took too long and was stopped."


class SandboxUnavailable(GateError):
    """The kernel cannot restrict the workers that open photos."""

    exit_code = 47
    next_step = (
        "Nothing is examined. Use Linux 5.13 or later with Landlock, or accept the risk with"
        ' sandbox = "best_effort" under [analysis]; docs/operating.md says what it is.'
    )


class TaskRunner(Protocol):
    """Runs the functions of ``ingest.workers.worker``, as ``AnalysisPool`` does."""

    size: int
    """How many tasks run at once."""

    def submit(self, task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        """Start a task. Read the future with ``result_of``."""
        ...


OpenTaskRunner = Callable[[Home, Gallery], AbstractContextManager[TaskRunner]]
"""Starts workers that compare faces with a gallery."""


class AnalysisPool:
    """Runs the functions of ``ingest.workers.worker`` in other processes with limits."""

    def __init__(self, home: Home, gallery: Gallery) -> None:
        """Check all weight files and start the workers.

        Raises:
            ModelUnavailable: A weight file is missing or is not the one that was measured.
            SchoolModelUnavailable: The school's own model is missing or is another file.
            SandboxUnavailable: The kernel cannot restrict workers as the settings require.
        """
        analysis = home.settings.analysis
        missing = sandbox.missing_parts()
        if missing and analysis.sandbox == "required":
            raise SandboxUnavailable(f"This machine lacks {' and '.join(missing)}.")
        for weights in ALL_WEIGHTS:
            locate(weights)
        school = school_model(home)
        if school:
            verified_bytes(school[0].path, school[0].sha256)
        self.size = analysis.workers or len(os.sched_getaffinity(0))
        config = WorkerConfig(
            gallery=gallery,
            thresholds=thresholds_in_force(),
            limits=DecodeLimits(max_pixels=analysis.max_megapixels * 1_000_000),
            film_limits=FilmLimits(max_seconds=60 * home.settings.film.max_minutes),
            text_side=text_side(home),
            film_sound=film_sound(home),
            school=school,
        )
        config = replace(config, basis=film_checkpoint.basis_of(config))
        confinement = Confinement(
            analysis.megabytes_per_worker,
            required=analysis.sandbox == "required",
            files=(school[0].path,) if school else (),
        )
        sandbox.hide_memory()
        self._pool = WorkerPool(
            self.size,
            partial(worker.start, config),
            analysis.seconds_per_picture,
            confinement=confinement,
            seconds_with_file=60 * home.settings.film.minutes_to_examine,
        )

    def __enter__(self) -> AnalysisPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()

    def terminate(self) -> None:
        """Kill the workers. Futures of unfinished tasks raise WorkerPoolUnavailable."""
        self._pool.terminate()

    def submit(self, task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        """Start a function of ``ingest.workers.worker``. Read the future with ``result_of``."""
        return self._pool.submit(task, *arguments)

    def submit_urgently(self, task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        """Start a function before those that wait, because a person waits for it."""
        return self._pool.submit(task, *arguments, urgent=True)

    def start_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> WaitForRenditions:
        """Start to render and verify the pictures of one item.

        All are refused where the worker fails. Waiting for them raises WorkerPoolUnavailable where
        no worker can be started, or the pool was terminated.
        """
        task = self._pool.submit(rendition_tasks.make_renditions, data, tuple(orders), urgent=True)
        return partial(self._checked, task, len(orders))

    def make_films(
        self, original: PartReader, orders: Sequence[FilmRequest]
    ) -> list[Rendition | RenditionRefused]:
        """Encode and verify the films of one item, and wait for them.

        All are refused where the worker fails.

        Raises:
            WorkerPoolUnavailable: No worker can be started, or the pool was terminated.
        """
        task = self._pool.submit(
            rendition_tasks.make_films, served(original), tuple(orders), urgent=True
        )
        return self._checked(task, len(orders))

    @staticmethod
    def _checked(
        task: Future[list[Rendition | RenditionRefused]], count: int
    ) -> list[Rendition | RenditionRefused]:
        """The answer of a task, if it has as many renditions as were asked for."""
        renditions = result_of(task)
        if isinstance(renditions, RenditionRefused):
            return [renditions] * count
        if len(renditions) != count:
            return [RenditionRefused(Reason.NOT_EXAMINED, WORKER_CRASHED)] * count
        return renditions


def served(original: PartReader, on_progress: OnProgress = lambda *_: None) -> ServedFile:
    """An original of the vault, for tasks that read it in parts.

    Args:
        original: The open original. It must stay open until the task has ended.
        on_progress: Called with what a task reports while it runs.

    The result's ``read_at`` raises OSError where the original cannot be decrypted.
    """

    def read_at(offset: int, length: int) -> bytes:
        try:
            return original.read_at(offset, length)
        except DecryptionError as error:
            raise OSError("The safe copy cannot be read.") from error

    return ServedFile(original.size, read_at, on_progress)


def result_of(future: Future[T], seconds: float | None = None) -> T | RenditionRefused:
    """Wait for a task and return its result, or a refusal where its worker crashed or hung.

    Args:
        future: The task.
        seconds: How long to wait; None as long as it takes.

    Raises:
        TimeoutError: There was no result in time. The task goes on.
        WorkerPoolUnavailable: No worker can be started, or the pool was terminated.
    """
    try:
        return future.result(seconds)
    except TaskTimeout:
        return RenditionRefused(Reason.NOT_EXAMINED, TIMED_OUT)
    except TaskFailed as error:
        return RenditionRefused(Reason.NOT_EXAMINED, f"The examination failed ({error}).")
    except TaskError:
        return RenditionRefused(Reason.NOT_EXAMINED, WORKER_CRASHED)


def school_model(home: Home) -> tuple[SchoolModelForm, SchoolModelUse] | None:
    """``WorkerConfig.school`` by the settings and what was accepted."""
    chosen, use = home.settings.recognition.model, school_model_use(home)
    if chosen is None or use is None:
        return None
    return form_of(chosen, home.root), use


def form_of(model: SchoolModel, root: Path) -> SchoolModelForm:
    """What a worker receives of the setting. ``root`` is the home, for a relative path."""
    return SchoolModelForm(
        path=model.path(root),
        sha256=model.sha256,
        version=model.version,
        side=model.input.side,
        bgr=model.input.colours == "bgr",
        channels_last=model.input.layout == "nhwc",
        mean=model.input.mean,
        scale=model.input.scale,
        landmarks=model.landmarks,
    )


def text_side(home: Home) -> int:
    """``WorkerConfig.text_side`` by the settings."""
    channels = home.settings.rules_for_decide().channels
    return max((channel.max_side for channel in channels if channel.text_marks), default=0)


def film_sound(home: Home) -> bool:
    """``WorkerConfig.film_sound`` by the settings."""
    channels = home.settings.channels.values()
    return any(channel.film_sound is FilmSound.REVIEWED for channel in channels)


def examination_result(future: Future[Examination]) -> Examination:
    """``result_of`` for an examination; a refusal becomes ``NotExamined``.

    Raises:
        WorkerPoolUnavailable: No worker can be started, or the pool was terminated.
    """
    result = result_of(future)
    if isinstance(result, RenditionRefused):
        return not_examined(result.message, result.reason)
    return result
