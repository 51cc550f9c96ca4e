"""The real face models in the process of the tests; what they say of a file is asked once a run.

Starting confined workers costs 2 s, and most tests of enrolment and release are not about them.
The answers lie in a folder that all processes of the run share, and go with it. Tests of the
workers themselves, of their limits and of the whole way use ``ingest.pool.AnalysisPool``.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar

from filelock import FileLock

from consent_gate.bootstrap import Home
from consent_gate.db.threshold_store import thresholds_in_force
from consent_gate.gallery import Gallery
from consent_gate.model import Box
from ingest import worker
from ingest.decode import DecodeLimits
from ingest.faces.analyser import EnrolmentFace, NotEnrollable
from ingest.pool import Shrunk
from ingest.worker import Examination, Setup
from publish.rendition import Refused, Rendition, RenditionOrder
from tests.support import answers

Answer = TypeVar("Answer")


class RememberedPool:
    """Where production opens an ``AnalysisPool``. Its futures are done when it returns them."""

    size = 2

    def __init__(self, home: Home, gallery: Gallery) -> None:
        analysis = home.settings.analysis
        self._folder = answers.folder()
        self._setup = Setup(
            gallery=gallery,
            thresholds=thresholds_in_force(),
            limits=DecodeLimits(max_pixels=analysis.max_megapixels * 1_000_000),
            megabytes=analysis.megabytes_per_worker,
        )
        self._started = False

    def __enter__(self) -> RememberedPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()

    def dismiss(self) -> None:
        """Nothing is under way."""

    def examine(self, data: bytes) -> Future[Examination]:
        """Begin an examination; read it with ``examination_of``."""
        return _done(self._remembered(worker.examine, data, _digest(self._setup.gallery)))

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionOrder]
    ) -> list[Rendition | Refused]:
        """Make and prove an item's pictures."""
        self._start()
        return worker.make_renditions(data, tuple(orders))

    def start_enrolling(self, data: bytes) -> Future[EnrolmentFace | NotEnrollable | Refused]:
        """Begin to make templates; read them with ``enrolment_of``."""
        return _done(self._remembered(worker.enrol, data, ""))

    def start_enrolling_one(
        self, data: bytes, box: Box, pixels_sha256: str
    ) -> Future[EnrolmentFace | NotEnrollable | Refused]:
        """The same for one face of a picture that was examined before."""
        self._start()
        return _done(worker.enrol_one(data, box, pixels_sha256))

    def start_shrinking(self, data: bytes) -> Future[Shrunk]:
        """Begin to look for a portrait's face as it shrinks; read it with ``shrunk_of``."""
        return _done(self._remembered(worker.find_shrunk, data, ""))

    def _remembered(
        self, ask: Callable[[bytes], Answer], data: bytes, compared_with: str
    ) -> Answer:
        """What the models said of these bytes, with these thresholds and limits, before."""
        conditions = (ask.__name__, self._setup.thresholds, self._setup.limits, compared_with)
        key = hashlib.sha256(repr(conditions).encode() + data).hexdigest()
        file = self._folder / key
        with FileLock(self._folder / f"{key}.lock"):
            if file.exists():
                known: Answer = pickle.loads(file.read_bytes())  # noqa: S301  written by this run
                return known
            self._start()
            answer = ask(data)
            whole = file.with_suffix(".part")
            whole.write_bytes(pickle.dumps(answer))
            whole.rename(file)
            return answer

    def _start(self) -> None:
        if not self._started:
            worker.start(self._setup)
            self._started = True


def _digest(gallery: Gallery) -> str:
    """Who is compared with, and by which vectors."""
    whole = hashlib.sha256(repr((gallery.pupils, sorted(gallery.versions.items()))).encode())
    whole.update(gallery.owners.tobytes())
    for model in sorted(gallery.vectors):
        whole.update(model.encode() + gallery.vectors[model].tobytes())
    return whole.hexdigest()


def _done(answer: Answer) -> Future[Answer]:
    future: Future[Answer] = Future()
    future.set_result(answer)
    return future
