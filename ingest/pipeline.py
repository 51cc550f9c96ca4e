"""One photo's way: read from the vault → examine → decide → record → hand to ``publish``."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Event
from typing import Protocol, TypeVar, TypeVarTuple

from django.db import transaction
from django.db.models import F

from consent_gate.db import audit_log
from consent_gate.db.evidence_json import from_json, to_json
from consent_gate.db.models import ConsentAnswer, Item, ItemState
from consent_gate.decisions.apply import apply_decision, redecide_pupils
from consent_gate.decisions.enrolments import delete_enrolments
from consent_gate.decisions.ledger import DecisionContext
from consent_gate.decisions.lookalikes import load_gallery_with_version
from consent_gate.decisions.rules_change import apply_rule_changes, check_channels
from consent_gate.decisions.staff_input import delete_staff_input, signed_channels
from consent_gate.errors import DecryptionError, StorageFull
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.model import Answer, Evidence, NotExamined
from consent_gate.register.gallery_version import GalleryVersion, gallery_version
from consent_gate.register.relevant import register_for_item
from consent_gate.register.repository import load_register
from consent_gate.vault.originals import read_part, save_preview
from ingest.intake import IntakeResult, intake_once
from ingest.scheduling.lock import ingest_lock
from ingest.scheduling.queue import ExaminationQueue, pending_items
from ingest.scheduling.reexamine import requeue_batch
from ingest.workers.analysis_pool import AnalysisPool, TaskRunner, examination_result
from ingest.workers.in_flight import InFlight, already
from ingest.workers.worker import Examination, examine, not_examined
from publish.recall.withdraw import remove_withdrawn
from publish.release import publish_pending
from publish.rendition_requests import Renderer

MAX_ATTEMPTS = 3
"""A photo that took the whole program down this often is held instead of tried again."""

IN_FLIGHT_PER_WORKER = 2
"""Photos handed out for each worker: one under way, one that waits for it."""

TOO_LARGE = (
    "The file is too large to be examined. If it is a film, share it only by hand; if it is a "
    "picture, save it smaller and copy that in."
)

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

Progress = Callable[[int, int], None]
"""Called with how many photos are done, and of how many."""


class Analysis(TaskRunner, Renderer, Protocol):
    """Whatever examines photos and makes pictures:
    ``ingest.workers.analysis_pool.AnalysisPool``."""


class ExaminationRunner(Protocol):
    """Has photos examined that wait for it: here, or by worker machines."""

    def __len__(self) -> int:
        """How many examinations are under way."""
        ...

    def invalidate_plan(self) -> None:
        """New photos were taken in: they may go first."""
        ...

    def submit_ready(self) -> bool:
        """Begin as many as there is room for. False when nothing is under way or waits.

        Raises StorageFull where the store of the originals does not answer.
        """
        ...

    def collect_done(self) -> int:
        """Follow what has ended. Returns how many photos that was.

        Raises WorkerPoolUnavailable or StaleGallery.
        """
        ...

    def release_all(self) -> None:
        """The program stops on purpose, or cannot go on: that was no attempt of these photos."""
        ...


OpenPool = Callable[[Home, Gallery], AbstractContextManager[Analysis]]
"""Begins an analysis that compares faces with a gallery."""


class StaleGallery(Exception):
    """What the workers compare faces with is no longer what is in force: begin again with that."""


@dataclass(frozen=True)
class IngestResult:
    """What one run came to."""

    intake: IntakeResult
    examined: int


def ingest_once(home: Home, progress: Progress, open_pool: OpenPool = AnalysisPool) -> IngestResult:
    """Take in every settled file, examine what waits, decide, release. Safe to repeat."""
    with ingest_lock(home):
        while True:
            recall_lapsed(home)
            gallery, stamp = load_gallery_with_version(home)
            with open_pool(home, gallery) as pool:
                try:
                    return process_all(home, pool, progress, stamp)
                except StaleGallery:
                    continue  # an import came meanwhile


def process_all(
    home: Home, pool: Analysis, progress: Progress, stamp: GalleryVersion
) -> IngestResult:
    """One round of everything there is to do. Raises StaleGallery."""
    publish_pending(home, pool)  # what a crash left half done comes first
    taken_in = intake_once(home)
    examinations, examined, total = LocalExaminations(home, pool, stamp), 0, pending_items().count()
    try:
        while examinations.submit_ready() or (requeue_batch(home) and examinations.submit_ready()):
            examinations.wait_for_one()
            examined += examinations.collect_done()
            publish_pending(home, pool)
            progress(examined, max(total, examined))
    finally:
        examinations.release_all()
    if examined:
        audit_log.save_anchor(home)
    return IngestResult(taken_in, examined)


def recall_lapsed(home: Home) -> int:
    """Take back what is out although its consent has run out, or the rules changed, since.

    Needs no models, no templates and no workers: none of them may keep a picture up. Returns how
    many. Raises SettingsInvalid where there is a channel's folder that nobody looks after.
    """
    today = home.now().date()
    lapsed = ConsentAnswer.objects.filter(answer=Answer.GIVEN, expires_on__lt=today)
    numbers = set(lapsed.values_list("pupil__admission_number", flat=True))
    called_back = apply_rule_changes(home)
    if numbers:
        with transaction.atomic():
            ctx = DecisionContext(home, load_register(today), home.now())
            called_back += redecide_pupils(ctx, numbers)
    remove_withdrawn(home)  # and what was called back before
    check_channels(home)
    return called_back


class LocalExaminations:
    """Examinations by a pool of this machine: never more than keep the workers busy."""

    def __init__(
        self, home: Home, pool: Analysis, stamp: GalleryVersion, wake: Event | None = None
    ) -> None:
        """``stamp`` is of the gallery that the pool was given; ``wake`` is set whenever an
        examination ends."""
        self._home = home
        self._pool = pool
        self._stamp = stamp
        self._wake = wake
        self._queue = ExaminationQueue()
        self._running = InFlight[str, Examination](IN_FLIGHT_PER_WORKER * pool.size)

    def __len__(self) -> int:
        return len(self._running)

    def invalidate_plan(self) -> None:
        self._queue.invalidate_plan()

    def submit_ready(self) -> bool:
        if self._running.room > 0:
            for item_id in self._queue.next_batch(self._running.room, self._running.subjects):
                try:
                    future = start_examination(self._home, self._pool, item_id)
                except StorageFull:
                    refund_attempts([item_id])
                    raise
                self._running.add(item_id, future)
                future.add_done_callback(self._notify)
        return len(self._running) > 0

    def _notify(self, _: Future[Examination]) -> None:
        if self._wake is not None:
            self._wake.set()

    def wait_for_one(self) -> None:
        """Sleep until an examination ends."""
        self._running.wait_for_one()

    def collect_done(self) -> int:
        """Record what has ended."""
        ended = self._running.ended()
        for item_id, future in ended:
            record_examination(self._home, item_id, examination_result(future), self._stamp)
            self._running.remove(future)
        return len(ended)

    def release_all(self) -> None:
        refund_attempts(self._running.clear())


def refund_attempts(item_ids: Collection[str]) -> None:
    """What ended these examinations was no fault of the photos."""
    if item_ids:
        unlucky = Item.objects.filter(pk__in=item_ids, attempts__gt=0)
        unlucky.update(attempts=F("attempts") - 1)


def start_examination(home: Home, pool: Analysis, item_id: str) -> Future[Examination]:
    """Start one examination; the attempt is counted before, so that a crash is remembered."""
    Item.objects.filter(pk=item_id).update(attempts=F("attempts") + 1)
    item = Item.objects.get(pk=item_id)
    if item.attempts > MAX_ATTEMPTS:
        return already(not_examined("The photo stopped the program several times."))
    if item.size > home.settings.analysis.max_megabytes << 20:
        return already(not_examined(TOO_LARGE))
    try:
        data = read_part(home, item)
    except (OSError, DecryptionError):
        return already(not_examined("The safe copy of the photo cannot be read."))
    return pool.submit(examine, data)


def record_examination(
    home: Home, item_id: str, examination: Examination, stamp: GalleryVersion
) -> None:
    """Write the evidence, decide every channel and say so in the audit: one transaction.

    Raises StaleGallery, with nothing recorded, where faces were compared with other templates
    than those in force: a child enrolled meanwhile might have been taken for a brother or sister,
    and the register no longer warns of a sibling without a template.
    """
    with transaction.atomic():
        item = Item.objects.select_for_update().get(pk=item_id)
        if item.state != ItemState.RECEIVED:
            return  # decided already, or sealed while it was examined
        if gallery_version(home) != stamp:
            raise StaleGallery
        if examination.preview is not None:
            save_preview(home, item, examination.preview)
        signed = signed_channels(item)
        if _faces_moved(from_json(item.evidence), examination.evidence):
            delete_staff_input(item)
            delete_enrolments(home, item, audit_log.SYSTEM_ACTOR)
        item.evidence = to_json(examination.evidence)
        item.attempts = 0
        item.save(update_fields=["evidence", "attempts"])
        audit_log.record(home, "item.examined", f"item:{item.pk}", _summary(examination.evidence))
        register = register_for_item(item, home.now().date())
        unsigned = signed - signed_channels(item)
        apply_decision(
            DecisionContext(home, register, home.now(), may_open=True, unapproved=unsigned), item
        )


def _faces_moved(before: Evidence, after: Evidence) -> bool:
    """Whether what staff said of face 3 might now be taken for somebody else's face."""
    if isinstance(before, NotExamined) or isinstance(after, NotExamined):
        return True
    return [face.box for face in before.faces] != [face.box for face in after.faces]


def _summary(evidence: Evidence) -> dict[str, object]:
    """For the audit: how much was seen, nothing of whom."""
    if isinstance(evidence, NotExamined):
        return {"not_examined": evidence.reason.value}
    return {"faces": len(evidence.faces), "pixels": evidence.pixels_sha256}
