"""An analysis that decodes pictures and finds no faces. It costs next to nothing.

For tests that kill, fill up or flood the gate: what they strain is intake, ledger and publishing.
A picture has no faces here, so a school whose website takes pictures without faces releases it.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, TypeVarTuple, cast

from consent_gate.bootstrap import open_home
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.model import Examined, Film, NotExamined
from consent_gate.vault.interface import PartReader
from ingest.decoding.decode import DecodeError, DecodeLimits, decode
from ingest.workers import worker
from ingest.workers.examination import Examination
from ingest.workers.served_file import ServedFile
from publish.renditions.rendition import (
    FilmRequest,
    Rendition,
    RenditionRefused,
    RenditionRequest,
    make_rendition,
)

if TYPE_CHECKING:
    from publish.renditions.requests import WaitForRenditions  # imports the models

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

LIMITS = DecodeLimits(max_pixels=1_000_000)


class FakePool:
    """Decodes and renders in a thread of this process, and sees no faces."""

    size = 2

    def __init__(self, home: Home, gallery: Gallery) -> None:
        self._executor = ThreadPoolExecutor(1)

    def __enter__(self) -> FakePool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._executor.shutdown(wait=True, cancel_futures=True)

    def terminate(self) -> None:
        """Nothing here takes long."""

    def submit(self, task: Callable[[*Arguments], T], *arguments: *Arguments) -> Future[T]:
        """Examinations only, and those cheap. A film is counted as examined, and not decoded."""
        if task.__name__ == worker.examine_film.__name__:
            return cast(
                "Future[T]",
                self._executor.submit(film_without_faces, *cast("tuple[ServedFile]", arguments)),
            )
        assert task.__name__ == worker.examine.__name__
        return cast("Future[T]", self.examine(*cast("tuple[bytes]", arguments)))

    def examine(self, data: bytes) -> Future[Examination]:
        return self._executor.submit(examine_without_faces, data)

    def start_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> WaitForRenditions:
        return partial(self.make_renditions, data, orders)

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionRequest]
    ) -> list[Rendition | RenditionRefused]:
        pixels = decode(data, LIMITS).rgb
        return [make_rendition(pixels, order, lambda *_: []) for order in orders]

    def make_films(
        self, original: PartReader, orders: Sequence[FilmRequest]
    ) -> list[Rendition | RenditionRefused]:
        """No film is ever released: ``submit`` examines pictures only."""
        raise NotImplementedError


def examine_without_faces(data: bytes) -> Examination:
    try:
        picture = decode(data, LIMITS)
    except DecodeError as error:
        return Examination(NotExamined(error.reason, error.message), None)
    height, width = picture.rgb.shape[:2]
    return Examination(
        Examined(width, height, picture.pixels_sha256, (), text_side=10_000), None, lines=()
    )


def film_without_faces(film: ServedFile) -> Examination:
    """A film of a second, if the whole file can be read."""
    assert len(film.read()) == film.size
    shown = Film(1.0, 25, 0, 1, 1, ("video h264",))
    return Examination(Examined(96, 64, "0" * 64, (), text_side=10_000, film=shown), None, lines=())


def main() -> None:
    """Run a gate with this analysis until SIGTERM: ``python -m tests.support.fake_analysis
    HOME``."""
    from ingest.runtime.runner import run_gate

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    run_gate(open_home(Path(sys.argv[1])), stop, open_pool=FakePool)


if __name__ == "__main__":
    from consent_gate.bootstrap import configure_django

    configure_django()
    main()
