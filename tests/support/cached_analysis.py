"""The real face models in the process of the tests. Each answer is computed once a test run.

Starting confined workers costs 2 s, and most tests of enrolment and release are not about them.
The answers lie in a folder that all processes of the run share, and go with it. Tests of the
workers themselves, of their limits and of the whole way use
``ingest.workers.analysis_pool.AnalysisPool``.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TypeVar, TypeVarTuple

import pytest
from filelock import FileLock

from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery, gallery_of
from consent_gate.names.text_lines import ReadLine
from consent_gate.register.thresholds import thresholds_in_force
from consent_gate.vault.interface import PartReader
from ingest.decoding.decode import DecodeLimits
from ingest.enrolment import enrol
from ingest.faces.finder import FaceFinder
from ingest.faces.protocols import RGB, FoundFace
from ingest.lettering.lettering import Lettering
from ingest.workers import rendition_tasks, worker
from ingest.workers.analysis_pool import film_sound, school_model, served, text_side
from ingest.workers.worker_config import WorkerConfig
from publish.renditions.rendition import FilmRequest, Rendition, RenditionRefused, RenditionRequest
from publish.renditions.requests import WaitForRenditions
from tests.support import model_cache

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


def remembered(asked: object, answer: Callable[[], T]) -> T:
    """What was answered to this question before in this run of the tests, or is answered now.

    Args:
        asked: Has a ``repr`` that says all on which the answer depends.
        answer: Gives an answer that can be pickled.
    """
    key = hashlib.sha256(repr(asked).encode()).hexdigest()
    file = model_cache.folder() / key
    with FileLock(f"{file}.lock"):
        if file.exists():
            known: T = pickle.loads(file.read_bytes())  # noqa: S301  written by this run
            return known
        new = answer()
        whole = file.with_suffix(".part")
        whole.write_bytes(pickle.dumps(new))
        whole.rename(file)
        return new


class RememberingFinder(FaceFinder):
    """Remembers the faces of whole photos, which do not depend on whom they are compared with."""

    def find(self, rgb: RGB) -> list[FoundFace]:
        """All faces and possible faces, searched once a test run."""
        asked = ("find", self.settings, *_pixels(rgb))
        return remembered(asked, lambda: super(RememberingFinder, self).find(rgb))


def remember_faces(finder: FaceFinder) -> None:
    """Have a loaded finder remember the faces of whole photos."""
    finder.__class__ = RememberingFinder


class RememberingLettering(Lettering):
    """Remembers the text of whole photos."""

    def read(self, rgb: RGB) -> tuple[ReadLine, ...]:
        """Every line of text, read once a test run."""
        asked = ("read", self._side, *_pixels(rgb))
        return remembered(asked, lambda: super(RememberingLettering, self).read(rgb))


def _pixels(rgb: RGB) -> tuple[object, ...]:
    return rgb.shape, hashlib.sha256(rgb.tobytes()).hexdigest()


class CachedPool:
    """Where production opens an ``AnalysisPool``. Its futures are done when it returns them."""

    size = 2

    def __init__(self, home: Home, gallery: Gallery) -> None:
        analysis = home.settings.analysis
        self._setup = WorkerConfig(
            gallery=gallery,
            thresholds=thresholds_in_force(),
            limits=DecodeLimits(max_pixels=analysis.max_megapixels * 1_000_000),
            text_side=text_side(home),
            film_sound=film_sound(home),
            school=school_model(home),
        )
        self._started = False

    def __enter__(self) -> CachedPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.terminate()

    def terminate(self) -> None:
        """Nothing is under way."""

    def submit(self, task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        """What the models said of these arguments before, or say now."""
        compared = _digest(self._setup.gallery) if task.__name__ == "examine" else ""
        return _done(self._remembered(task, arguments, compared))

    def start_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> WaitForRenditions:
        return partial(self.make_renditions, data, orders)

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> list[Rendition | RenditionRefused]:
        """Make and prove an item's pictures."""
        self._start()
        return rendition_tasks.make_renditions(data, tuple(orders))

    def make_films(
        self, original: PartReader, orders: Sequence[FilmRequest]
    ) -> list[Rendition | RenditionRefused]:
        """Encode an item's films."""
        self._start()
        return rendition_tasks.make_films(served(original), tuple(orders))

    def _remembered(
        self, task: Callable[[*Arguments], T], arguments: tuple[*Arguments], compared_with: str
    ) -> T:
        """What the models said of these bytes, with these thresholds and limits, before."""
        setup = self._setup
        limits = (setup.limits, setup.text_side, setup.film_sound)
        asked = (task.__name__, arguments, setup.thresholds, limits, compared_with, setup.school)

        def answer() -> T:
            self._start()
            return task(*arguments)

        return remembered(asked, answer)

    def _start(self) -> None:
        if not self._started:
            start_worker(self._setup)
            self._started = True


class RememberingPool(CachedPool):
    """Remembers the pictures too. Only for what a whole run shares: no fault is injected there."""

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> list[Rendition | RenditionRefused]:
        """Make and prove an item's pictures, once a test run."""
        compared = _digest(self._setup.gallery)
        return self._remembered(rendition_tasks.make_renditions, (data, tuple(orders)), compared)


_started: dict[str, worker._Worker] = {}
"""The last worker of this process, by all of its configuration but the gallery."""


def start_worker(config: WorkerConfig) -> None:
    """Start the worker in the test's process, with the models that it has loaded if they fit."""
    key = repr(replace(config, gallery=gallery_of(())))
    if key in _started and config.school is None:
        worker._worker = _started[key]
        worker._worker.config = config
        return
    worker.start(config)
    models = worker.loaded_worker()
    remember_faces(models.finder)  # the analyser has the same one
    if models.lettering is not None:
        models.lettering.__class__ = RememberingLettering
    _started.clear()
    _started[key] = models


def enrol_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have portraits that come with an import or an upload measured in the test's process."""
    monkeypatch.setattr(enrol, "enrol", partial(enrol.enrol, open_pool=CachedPool))


def _digest(gallery: Gallery) -> str:
    """Who is compared with, and by which vectors."""
    whole = hashlib.sha256(repr((gallery.pupils, sorted(gallery.versions.items()))).encode())
    whole.update(gallery.owners.tobytes())
    for model in sorted(gallery.vectors):
        whole.update(model.encode() + gallery.vectors[model].tobytes())
    return whole.hexdigest()


def _done(answer: T) -> Future[T]:
    future: Future[T] = Future()
    future.set_result(answer)
    return future
