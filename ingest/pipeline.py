"""One photo's way: read from the vault → examine → decide → record → hand to ``publish``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, as_completed
from dataclasses import dataclass
from itertools import islice

from django.db import transaction
from django.db.models import F

from consent_gate.bootstrap import Home
from consent_gate.db import trail
from consent_gate.db.decisions import settle, settle_everyone_of
from consent_gate.db.ledger import Round
from consent_gate.db.models import ConsentAnswer, Item, ItemState
from consent_gate.db.originals import keep_preview, read_part
from consent_gate.db.register_store import load_gallery, load_register
from consent_gate.db.staff_store import forget_staff_input
from consent_gate.errors import Undecryptable
from consent_gate.evidence_codec import from_json, to_json
from consent_gate.model import Answer, Evidence, NotExamined, Reason
from ingest.intake import TakenIn, take_in
from ingest.pool import AnalysisPool, examination_of
from ingest.presence import at_work
from ingest.worker import Examination
from publish.release import publish_pending

MAX_ATTEMPTS = 3
"""A photo that took the whole program down this often is held instead of tried again."""

Progress = Callable[[int, int], None]
"""Called with how many photos are done, and of how many."""


@dataclass(frozen=True)
class Ingested:
    """What one run came to."""

    taken_in: TakenIn
    examined: int


def ingest_once(home: Home, progress: Progress) -> Ingested:
    """Take in every settled file, examine what waits, decide, release. Safe to repeat."""
    with at_work(home), AnalysisPool(home, load_gallery(home)) as pool:
        return work_through(home, pool, progress)


def work_through(home: Home, pool: AnalysisPool, progress: Progress) -> Ingested:
    """One round of everything there is to do."""
    take_back_lapsed(home)
    publish_pending(home, pool)  # what a crash left half done comes first
    taken_in = take_in(home)
    waiting = list(_waiting())
    for examined, _ in enumerate(process_items(home, pool, waiting), 1):
        publish_pending(home, pool)
        progress(examined, len(waiting))
    if waiting:
        trail.save_anchor(home)
    return Ingested(taken_in, len(waiting))


def take_back_lapsed(home: Home) -> int:
    """Call back what is out although its consent has run out since. Returns how many."""
    today = home.now().date()
    lapsed = ConsentAnswer.objects.filter(answer=Answer.GIVEN, expires_on__lt=today)
    numbers = set(lapsed.values_list("pupil__admission_number", flat=True))
    if not numbers:
        return 0
    with transaction.atomic():
        return settle_everyone_of(Round(home, load_register(today), home.now()), numbers)


def process_items(home: Home, pool: AnalysisPool, item_ids: list[str]) -> Iterator[str]:
    """Examine and decide items, several at once; yields each id when it is decided."""
    queue = iter(item_ids)
    running: dict[Future[Examination], str] = {}
    while True:
        for item_id in islice(queue, 2 * pool.size - len(running)):
            running[begin(home, pool, item_id)] = item_id
        if not running:
            return
        done = next(as_completed(running))
        item_id = running.pop(done)
        record(home, item_id, examination_of(done))
        yield item_id


def begin(home: Home, pool: AnalysisPool, item_id: str) -> Future[Examination]:
    """Start one examination; the attempt is counted before, so that a crash is remembered."""
    Item.objects.filter(pk=item_id).update(attempts=F("attempts") + 1)
    item = Item.objects.get(pk=item_id)
    if item.attempts > MAX_ATTEMPTS:
        return _already(_held("The photo stopped the program several times."))
    try:
        data = read_part(home, item)
    except (OSError, Undecryptable):
        return _already(_held("The safe copy of the photo cannot be read."))
    return pool.examine(data)


def record(home: Home, item_id: str, examination: Examination) -> None:
    """Write the evidence, decide every channel and say so in the audit: one transaction."""
    with transaction.atomic():
        item = Item.objects.select_for_update().get(pk=item_id)
        if item.state != ItemState.RECEIVED:
            return  # decided already, or sealed while it was examined
        if examination.preview is not None:
            keep_preview(home, item, examination.preview)
        if _faces_moved(from_json(item.evidence), examination.evidence):
            forget_staff_input(item)
        item.evidence = to_json(examination.evidence)
        item.attempts = 0
        item.save(update_fields=["evidence", "attempts"])
        trail.record(home, "item.examined", f"item:{item.pk}", _summary(examination.evidence))
        settle(Round(home, load_register(home.now().date()), home.now(), may_open=True), item)


def _waiting() -> Iterator[str]:
    """Items to examine, the longest waiting first."""
    received = Item.objects.filter(state=ItemState.RECEIVED).order_by("received_at", "pk")
    return received.values_list("pk", flat=True).iterator()


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


def _held(detail: str) -> Examination:
    return Examination(NotExamined(Reason.NOT_EXAMINED, detail), None)


def _already(examination: Examination) -> Future[Examination]:
    future: Future[Examination] = Future()
    future.set_result(examination)
    return future
