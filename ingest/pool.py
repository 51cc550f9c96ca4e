"""The analysis workers of this machine: each loads the models once; a lost one is replaced."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from consent_gate.db.threshold_store import thresholds_in_force
from consent_gate.gallery import Gallery
from consent_gate.home.home import Home
from consent_gate.model import Box, FaceKind, NotExamined, Reason
from ingest import worker
from ingest.crew import Crew, TaskFailed, TaskLost, TookTooLong
from ingest.decode import DecodeLimits
from ingest.faces.analyser import EnrolmentFace, NotEnrollable
from ingest.faces.weights import ALL_WEIGHTS, locate
from ingest.worker import Examination, Setup
from publish.rendition import Refused, Rendition, RenditionOrder

Answer = TypeVar("Answer")
Shrunk = Mapping[int, FaceKind | None] | Refused | None
"""By height in pixels how a face was found, or why there is nothing to say."""

DIED = "The examination was stopped: the picture made the program fail."
TOO_LONG = "The examination took too long and was stopped."


class AnalysisPool:
    """Runs the functions of ``ingest.worker`` in other processes, under limits."""

    def __init__(self, home: Home, gallery: Gallery) -> None:
        """Raises ModelUnavailable before anything starts when a weight file is not right."""
        for weights in ALL_WEIGHTS:
            locate(weights)
        analysis = home.settings.analysis
        self.size = analysis.workers or len(os.sched_getaffinity(0))
        setup = Setup(
            gallery=gallery,
            thresholds=thresholds_in_force(),
            limits=DecodeLimits(max_pixels=analysis.max_megapixels * 1_000_000),
            megabytes=analysis.megabytes_per_worker,
        )
        begin = partial(worker.start_confined, setup)
        self._crew = Crew(self.size, begin, analysis.seconds_per_picture)

    def __enter__(self) -> AnalysisPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.dismiss()

    def dismiss(self) -> None:
        """End the workers at once; what they had in hand raises CrewUnusable."""
        self._crew.dismiss()

    def examine(self, data: bytes) -> Future[Examination]:
        """Begin an examination; read it with ``examination_of``."""
        return self._crew.submit(worker.examine, data)

    def make_renditions(
        self, data: bytes, orders: Sequence[RenditionOrder]
    ) -> list[Rendition | Refused]:
        """Make and prove an item's pictures, waiting for them. One is lost: all are refused."""
        task = self._crew.submit(worker.make_renditions, data, tuple(orders), urgent=True)
        made = _result(task)
        return [made] * len(orders) if isinstance(made, Refused) else made

    def start_enrolling(self, data: bytes) -> Future[EnrolmentFace | NotEnrollable | Refused]:
        """Begin to make templates; read them with ``enrolment_of``."""
        return self._crew.submit(worker.enrol, data)

    def start_enrolling_one(
        self, data: bytes, box: Box, pixels_sha256: str
    ) -> Future[EnrolmentFace | NotEnrollable | Refused]:
        """The same for one face of a picture that was examined before."""
        return self._crew.submit(worker.enrol_one, data, box, pixels_sha256)

    def start_shrinking(self, data: bytes) -> Future[Shrunk]:
        """Begin to look for a portrait's face as it shrinks; read it with ``shrunk_of``."""
        return self._crew.submit(worker.find_shrunk, data)


def examination_of(future: Future[Examination]) -> Examination:
    """What came of an examination; a worker that died or hung held the picture."""
    outcome = _result(future)
    if isinstance(outcome, Refused):
        return Examination(NotExamined(outcome.reason, outcome.detail), None)
    return outcome


def enrolment_of(
    future: Future[EnrolmentFace | NotEnrollable | Refused],
) -> EnrolmentFace | NotEnrollable | Refused:
    """What came of an enrolment photo."""
    return _result(future)


def shrunk_of(future: Future[Shrunk]) -> Shrunk:
    """How a portrait's face was found as it shrank."""
    return _result(future)


def _result(future: Future[Answer]) -> Answer | Refused:
    try:
        return future.result()
    except TookTooLong:
        return Refused(Reason.NOT_EXAMINED, TOO_LONG)
    except TaskFailed as error:
        return Refused(Reason.NOT_EXAMINED, f"The examination failed ({error}).")
    except TaskLost:
        return Refused(Reason.NOT_EXAMINED, DIED)
