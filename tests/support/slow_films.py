"""A pool that examines photos at once, and films when the test says so."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar, TypeVarTuple, cast

from consent_gate.home.home import Home
from consent_gate.matching.gallery import gallery_of
from ingest.workers import worker
from ingest.workers.served_file import ServedFile
from tests.support.fake_analysis import FakePool, film_without_faces

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")


class SlowFilms(FakePool):
    """Photos are examined at once, and films when the test says so."""

    size = 1

    def __init__(self, home: Home) -> None:
        super().__init__(home, gallery_of([]))
        self.films: list[tuple[ServedFile, Future[Any]]] = []

    def __enter__(self) -> SlowFilms:
        return self

    def submit(self, task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        if task.__name__ != worker.examine_film.__name__:
            return super().submit(task, *arguments)
        future: Future[T] = Future()
        self.films.append((cast("tuple[ServedFile]", arguments)[0], future))
        return future

    def finish_film(self) -> None:
        film, future = self.films[-1]
        future.set_result(film_without_faces(film))
