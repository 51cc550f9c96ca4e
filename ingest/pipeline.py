"""Examine the photos in the vault, decide each, and hand it to ``publish``.

``ingest_once`` is ``consent-gate ingest --once``. The running gate and the worker machines use the
same functions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from threading import Event
from typing import Protocol, TypeVar, TypeVarTuple

from django.db import transaction

from consent_gate.db import audit_log
from consent_gate.db.models import ClosedPicture, ConsentAnswer
from consent_gate.decisions.copies.copy_detection import compare_open_pictures
from consent_gate.decisions.copies.sealed_copies import remove_sealed_copies
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.lookalikes import load_gallery_with_version
from consent_gate.decisions.redecide import redecide
from consent_gate.decisions.rules.rules_change import apply_rule_changes, check_channels
from consent_gate.errors import StorageFull
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.model import Answer
from consent_gate.register.gallery_version import GalleryVersion
from consent_gate.register.repository import load_register
from ingest.enrolment.remember import remember_queued
from ingest.examinations import (
    FilmMustWait,
    StaleGallery,
    forget_checkpoint,
    record_examination,
    refund_attempts,
    start_examination,
)
from ingest.intake import IntakeResult, intake_once
from ingest.scheduling.lock import ingest_lock
from ingest.scheduling.queue import ExaminationQueue, pending_items
from ingest.scheduling.reexamine import requeue_batch
from ingest.workers.analysis_pool import AnalysisPool, TaskRunner, examination_result
from ingest.workers.examination import Examination
from ingest.workers.in_flight import InFlight
from publish.recall.withdraw import remove_withdrawn
from publish.release import publish_pending
from publish.renditions.requests import Renderer

FILMS_AT_ONCE = 1
"""Films under way in one pool, which has one worker for them."""

IN_FLIGHT_PER_WORKER = 2
"""Photos submitted for each worker: one is examined, one waits."""


T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

Progress = Callable[[int, int], None]
"""Called with the number of photos done and the total."""


class Analysis(TaskRunner, Renderer, Protocol):
    """Examines photos and renders publications: ``ingest.workers.analysis_pool.AnalysisPool``."""


class ExaminationRunner(Protocol):
    """Runs the examinations of waiting photos, on this machine or on worker machines."""

    def __len__(self) -> int:
        """The number of examinations under way."""
        ...

    def invalidate_plan(self) -> None:
        """Plan the order anew, because photos were claimed that may go first."""
        ...

    @property
    def films(self) -> Mapping[str, tuple[int, int]]:
        """Seconds done and seconds of each film that is examined on this machine, by item."""
        ...

    def submit_ready(self) -> bool:
        """Start as many examinations as there is capacity for. False when none is under way.

        Raises:
            StorageFull: The store of the originals does not answer.
        """
        ...

    def collect_done(self) -> int:
        """Record the examinations that have ended. Returns how many.

        Raises:
            WorkerPoolUnavailable: No worker can be started, or the pool was terminated.
            StaleGallery: The gallery in force is no longer the one of the workers.
        """
        ...

    def release_all(self) -> None:
        """Stop following the examinations under way, and do not count them as attempts."""
        ...


OpenPool = Callable[[Home, Gallery], AbstractContextManager[Analysis]]
"""Starts an analysis that compares faces with a gallery."""


@dataclass(frozen=True)
class IngestResult:
    """What one run did."""

    intake: IntakeResult
    examined: int


def ingest_once(home: Home, progress: Progress, open_pool: OpenPool = AnalysisPool) -> IngestResult:
    """Claim every complete file, examine all waiting photos, decide and release. Safe to repeat."""
    with ingest_lock(home):
        while True:
            recall_lapsed(home)
            gallery, loaded_version = load_gallery_with_version(home)
            with open_pool(home, gallery) as pool:
                try:
                    return process_all(home, pool, progress, loaded_version)
                except StaleGallery:
                    continue  # an import changed the gallery meanwhile


def process_all(
    home: Home, pool: Analysis, progress: Progress, loaded_version: GalleryVersion
) -> IngestResult:
    """Claim, examine and publish until no photo waits.

    Raises:
        StaleGallery: The gallery in force is no longer the one of ``pool``.
    """
    compare_with_closed(home)
    remember_queued(home, lambda _home, _gallery: nullcontext(pool))
    publish_pending(home, pool)  # first finish what a crash interrupted
    intake_result = intake_once(home)
    examinations, examined, total = (
        LocalExaminations(home, pool, loaded_version),
        0,
        pending_items().count(),
    )
    try:
        while examinations.submit_ready() or (requeue_batch(home) and examinations.submit_ready()):
            examinations.wait_for_any()
            examined += examinations.collect_done()
            examinations.submit_ready()  # the workers go on while pictures are published
            publish_pending(home, pool)
            progress(examined, max(total, examined))
    finally:
        examinations.release_all()
    if examined:
        audit_log.save_anchor(home)
    return IngestResult(intake_result, examined)


def recall_lapsed(home: Home) -> int:
    """Recall publications whose consent has expired or that the changed rules forbid.

    That includes pictures of a pupil whom the models confuse with one whose consent has expired.

    Needs no models, templates or workers, so that no fault of theirs keeps a picture published.
    Returns how many publications were recalled.

    Raises:
        SettingsInvalid: A channel has publications but is no longer in the settings.
    """
    today = home.now().date()
    lapsed = ConsentAnswer.objects.filter(answer=Answer.GIVEN, expires_on__lt=today)
    numbers = set(lapsed.values_list("pupil__admission_number", flat=True))
    recalled = apply_rule_changes(home)
    if numbers:
        with transaction.atomic():
            recalled += redecide(home, numbers, audit_log.SYSTEM_ACTOR)
    remove_withdrawn(home)  # including publications recalled before
    check_channels(home)
    return recalled


def compare_with_closed(home: Home) -> None:
    """Compare open pictures with those that staff closed since, until all were compared."""
    while ClosedPicture.objects.filter(compared=False).exists():
        with transaction.atomic():
            ctx = DecisionContext(home, load_register(home.now().date()), home.now())
            sealed = compare_open_pictures(ctx)
        remove_withdrawn(home)
        remove_sealed_copies(home, sealed)


class LocalExaminations:
    """Runs examinations in a pool of this machine, only as many as keep its workers busy."""

    def __init__(
        self, home: Home, pool: Analysis, loaded_version: GalleryVersion, wake: Event | None = None
    ) -> None:
        """``loaded_version`` is the version of the pool's gallery; ``wake`` is set when an
        examination ends."""
        self._home = home
        self._pool = pool
        self._loaded_version = loaded_version
        self._wake = wake
        self._queue = ExaminationQueue()
        self._running = InFlight[str, Examination](IN_FLIGHT_PER_WORKER * pool.size + FILMS_AT_ONCE)
        self._films: set[str] = set()
        self._films_waiting: set[str] = set()
        self._progress: dict[str, tuple[int, int]] = {}

    @property
    def films(self) -> Mapping[str, tuple[int, int]]:
        """For each film that is examined: how many seconds of it are done, and how many it has."""
        return dict(self._progress)

    def __len__(self) -> int:
        return len(self._running)

    def invalidate_plan(self) -> None:
        self._queue.invalidate_plan()

    def submit_ready(self) -> bool:
        while batch := self._next_batch():
            for item_id in batch:
                self._start(item_id)
        return len(self._running) > 0

    def _next_batch(self) -> list[str]:
        """The items to start now. The place for a film is kept free of photos."""
        capacity = self._running.capacity - (FILMS_AT_ONCE - len(self._films))
        known = {*self._running.subjects, *self._films_waiting}
        return self._queue.next_batch(capacity, known) if capacity > 0 else []

    def _start(self, item_id: str) -> None:
        """Start an examination. A film waits where another one is examined, so that photos go
        first."""
        try:
            started = start_examination(
                self._home,
                self._pool,
                item_id,
                partial(self._note_progress, item_id),
                may_be_film=len(self._films) < FILMS_AT_ONCE,
            )
        except FilmMustWait:
            self._films_waiting.add(item_id)
            return
        except StorageFull:
            refund_attempts([item_id])
            raise
        if started.is_film:
            self._films.add(item_id)
        self._running.add(item_id, started.future)
        started.future.add_done_callback(self._notify)

    def _note_progress(self, item_id: str, done: int, whole: int) -> None:
        self._progress[item_id] = done, whole

    def _notify(self, _: Future[Examination]) -> None:
        if self._wake is not None:
            self._wake.set()

    def wait_for_any(self) -> None:
        """Wait until an examination ends."""
        self._running.wait_for_any()

    def collect_done(self) -> int:
        """Record the examinations that have ended. See ``ExaminationRunner.collect_done``."""
        ended = self._running.ended()
        for item_id, future in ended:
            record_examination(
                self._home, item_id, examination_result(future), self._loaded_version
            )
            self._running.remove(future)
            self._progress.pop(item_id, None)
            if item_id in self._films:
                forget_checkpoint(self._home, item_id)
                self._films.remove(item_id)
                self._films_waiting.clear()
        return len(ended)

    def release_all(self) -> None:
        self._films.clear()
        self._progress.clear()
        refund_attempts(self._running.clear())
