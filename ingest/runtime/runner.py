"""The gate that keeps running: watch the inbox, examine, release, take back, for a year.

One thread does everything in turns, so that no two steps can disagree; examining is done by the
workers meanwhile. Whatever goes wrong is told in the sign of life and tried again. Only a damaged
database ends the program: going on could make it worse.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from threading import Event, Thread

from django.db import close_old_connections
from django.db.utils import DatabaseError

from consent_gate.db import audit_log, jobs
from consent_gate.db.models import Priority
from consent_gate.decisions.lookalikes import load_gallery_with_version
from consent_gate.errors import StorageFull
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.register.gallery_version import GalleryVersion, gallery_version
from ingest.inbox.scanner import InboxUnavailable
from ingest.inbox.watcher import Watcher
from ingest.intake import Intake
from ingest.pipeline import ExaminationRunner, LocalExaminations, StaleGallery, recall_lapsed
from ingest.runtime.dispatcher import RemoteExaminations, no_local_pool
from ingest.runtime.faults import DatabaseCorrupt, check_database, classify_error
from ingest.runtime.heartbeat import Heartbeat, pending_file_rows, write_heartbeat
from ingest.runtime.periodic import AnalysisWorkers, PeriodicTask, ScheduledTask
from ingest.scheduling.lock import ingest_lock
from ingest.scheduling.queue import pending_items
from ingest.workers.analysis_pool import AnalysisPool
from publish.release import publish_pending

log = logging.getLogger("consent_gate")

FAULT_PAUSE_SECONDS = 30.0
HEARTBEAT_INTERVAL = 20.0
GALLERY_CHECK_INTERVAL = 10.0
SUBMIT_INTERVAL = 3.0
PUBLISH_INTERVAL = 1.0
IDLE_PUBLISH_INTERVAL = 30.0
"""With nothing to publish: a folder that was away may be back."""

SCAN_INTERVAL_WITH_EVENTS, SCAN_INTERVAL_WITHOUT_EVENTS, SCAN_DELAY_AFTER_HINT = 60.0, 5.0, 1.0
"""Seconds between two looks through the inbox."""

MAX_SHARE_SCANNING = 0.005
"""Looking through a large inbox may take no more of the time: idle, the gate uses under 1 %."""

MAX_SHARE_AFTER_HINTS = 0.05
"""The same while photos arrive."""

MAX_HINTS = 10_000

MAX_UNEXAMINED = 200
"""Photos in the vault waiting for examination above which an archive waits in the inbox."""

CLAIM_BATCH = 20
"""Between two such handfuls results are recorded and released."""

STOP_POLL_SECONDS = 1.0
"""Seconds until a wish to stop is noticed."""


OpenPool = Callable[[Home, Gallery], AbstractContextManager[AnalysisWorkers | None]]
"""None where worker machines do the work: ``ingest.runtime.dispatcher``."""


def run_gate(
    home: Home,
    stop: Event,
    periodic_tasks: Iterable[PeriodicTask] = (),
    open_pool: OpenPool | None = None,
) -> None:
    """Work until told to stop. A fault is told and tried again; it never ends in a release.

    Photos are examined by a pool of this machine's, or by worker machines: the settings say.

    Raises DatabaseCorrupt, and any GateError that keeps it from starting at all.
    """
    check_database()
    opened = open_pool or (no_local_pool if jobs.uses_remote_workers(home) else AnalysisPool)
    with ExitStack() as stack:
        try:
            stack.enter_context(ingest_lock(home))
        except (OSError, DatabaseError) as error:
            raise classify_error(error) or error from error
        gate = _Runner(home, stop, [ScheduledTask(chore) for chore in periodic_tasks])
        stack.callback(gate.close)
        while not stop.is_set():
            gate.run_until_pool_stale(opened)


class _Runner:
    """What outlives a set of workers: the watching and what is known of the inbox."""

    def __init__(self, home: Home, stop: Event, turns: list[ScheduledTask]) -> None:
        self._home = home
        self._stop = stop
        self._tasks = turns
        self._wake = Event()
        self._hinted: deque[str] = deque()
        self._watcher = Watcher(home.inbox, home.settings.inbox.watch, self._hint)
        self._intake: Intake | None = None
        self._fault = ""
        self._inbox_unavailable = self._disk_full = ""
        self._next_scan = self._earliest_scan = self._disk_full_until = 0.0
        self._next_heartbeat = self._next_publishing = self._next_filling = 0.0

    def close(self) -> None:
        self._watcher.close()

    def run_until_pool_stale(self, open_pool: OpenPool) -> None:
        """Work with one set of workers, until their templates change or something goes wrong."""
        try:
            close_old_connections()
            recall_lapsed(self._home)
            self._run_with_pool(open_pool)
            self._fault = ""
        except Exception as error:  # noqa: BLE001  told, and tried again
            if self._stop.is_set():
                return
            self._report(error)
            self._back_off()

    def _report(self, error: Exception) -> None:
        """Say what is wrong. Raises DatabaseCorrupt."""
        known = classify_error(error)
        if isinstance(known, DatabaseCorrupt):
            write_heartbeat(self._home, self._heartbeat(0, str(known)))
            raise known from error
        if known is None:
            log.exception("The gate stumbled and starts again in a moment.")
            self._fault = "Something went wrong that is not known; the log says more."
        else:
            log.error("%s", known)
            self._fault = str(known)

    def _back_off(self) -> None:
        write_heartbeat(self._home, self._heartbeat(0, self._fault))
        try:
            self._run_periodic_tasks(None)  # none of them waits for photos to be examined again
        except Exception as error:  # noqa: BLE001  of a damaged database
            self._report(error)
        self._stop.wait(FAULT_PAUSE_SECONDS)

    def _run_periodic_tasks(self, pool: AnalysisWorkers | None) -> None:
        for turn in self._tasks:
            turn.run_if_due(self._home, pool)

    def _run_with_pool(self, open_pool: OpenPool) -> None:
        gallery, stamp = load_gallery_with_version(self._home)
        with open_pool(self._home, gallery) as pool:
            # A picture being made is waited for: only another thread can cut that short.
            over = Event()
            Thread(target=self._terminate_on_stop, args=(pool, over), daemon=True).start()
            examinations: ExaminationRunner = RemoteExaminations(self._home)
            if pool is not None:
                examinations = LocalExaminations(self._home, pool, stamp, self._wake)
            try:
                self._next_publishing = 0.0
                self._loop(pool, examinations, stamp)
            except StaleGallery:
                return
            finally:
                over.set()
                examinations.release_all()

    def _terminate_on_stop(self, pool: AnalysisWorkers | None, over: Event) -> None:
        while pool is not None and not over.wait(STOP_POLL_SECONDS):
            if self._stop.is_set():
                pool.terminate()
                return

    def _loop(
        self, pool: AnalysisWorkers | None, examinations: ExaminationRunner, stamp: GalleryVersion
    ) -> None:
        next_check = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= next_check:
                if gallery_version(self._home) != stamp:
                    return
                next_check = time.monotonic() + GALLERY_CHECK_INTERVAL
            if not self._tick(pool, examinations):
                self._wake.wait(STOP_POLL_SECONDS)
            self._wake.clear()

    def _tick(self, pool: AnalysisWorkers | None, examinations: ExaminationRunner) -> bool:
        """Everything once, each only if it is due. False when there is nothing to do just now."""
        claimed = self._scan_and_claim()
        decided = examinations.collect_done()
        self._begin_examinations(examinations, claimed=claimed > 0, decided=decided > 0)
        self._publish_if_due(pool, examinations, decided)
        self._run_periodic_tasks(pool)
        self._write_heartbeat_if_due()
        return claimed > 0

    def _begin_examinations(
        self, examinations: ExaminationRunner, *, claimed: bool, decided: bool
    ) -> None:
        """Hand out work; now and then anyway, as staff and imports have photos looked at again."""
        now = time.monotonic()
        if claimed:
            examinations.invalidate_plan()
        if claimed or decided or now >= self._next_filling:
            self._next_filling = now + SUBMIT_INTERVAL
            try:
                examinations.submit_ready()
            except StorageFull as error:  # what was withdrawn still goes
                self._disk_full, self._disk_full_until = str(error), now + FAULT_PAUSE_SECONDS
                self._next_filling = self._disk_full_until

    def _publish_if_due(
        self, pool: AnalysisWorkers | None, examinations: ExaminationRunner, decided: int
    ) -> None:
        now = time.monotonic()
        if decided:
            self._next_publishing = min(self._next_publishing, now + PUBLISH_INTERVAL)
        if now < self._next_publishing:
            return
        publish_pending(self._home, pool)
        if len(examinations) == 0:
            audit_log.save_anchor(self._home)
        self._next_publishing = time.monotonic() + IDLE_PUBLISH_INTERVAL

    def _write_heartbeat_if_due(self) -> None:
        if time.monotonic() >= self._next_heartbeat:
            self._next_heartbeat = time.monotonic() + HEARTBEAT_INTERVAL
            write_heartbeat(
                self._home,
                self._heartbeat(
                    pending_items().count(), self._inbox_unavailable or self._disk_full
                ),
            )

    def _scan_and_claim(self) -> int:
        """Look through the inbox if it is time, and take what is ready. Returns how many."""
        if self._watcher.keep_watching():
            self._next_scan = 0.0
        intake = self._known_inbox()
        for source in self._hints():
            intake.touch(source)
        now = time.monotonic()
        try:
            if now >= self._next_scan:
                self._scan(intake)
                self._inbox_unavailable = ""
            if self._inbox_unavailable or now < self._disk_full_until or intake.next_due() != 0:
                return 0
            capacity = self._claim_limit() - pending_items(Priority.LIVE).count()
            claimed = intake.claim_due(CLAIM_BATCH, capacity, self._stop.is_set).new
            self._disk_full = ""
        except InboxUnavailable as error:
            self._inbox_unavailable, self._next_scan = (
                str(error),
                now + SCAN_INTERVAL_WITHOUT_EVENTS,
            )
            return 0
        except StorageFull as error:
            # What is in the vault is still examined, and above all what was withdrawn goes.
            self._disk_full, self._disk_full_until = str(error), now + FAULT_PAUSE_SECONDS
            return 0
        return claimed

    def _claim_limit(self) -> int:
        """Enough for every worker machine to have something to do."""
        hands_out = jobs.uses_remote_workers(self._home)
        return MAX_UNEXAMINED * max(1, jobs.live_workers()) if hands_out else MAX_UNEXAMINED

    def _scan(self, intake: Intake) -> None:
        started = time.monotonic()
        self._earliest_scan = started + SCAN_DELAY_AFTER_HINT
        intake.scan()
        now = time.monotonic()
        pause = (
            SCAN_INTERVAL_WITH_EVENTS if self._watcher.has_events else SCAN_INTERVAL_WITHOUT_EVENTS
        )
        self._next_scan = now + max(pause, (now - started) / MAX_SHARE_SCANNING)
        self._earliest_scan = now + max(
            SCAN_DELAY_AFTER_HINT, (now - started) / MAX_SHARE_AFTER_HINTS
        )

    def _known_inbox(self) -> Intake:
        if self._intake is None:
            patience = self._home.settings.inbox.patience_minutes * 60
            self._intake = Intake(self._home, patience)
        return self._intake

    def _hint(self, source: str) -> None:
        """Called by the watching thread. More than can be remembered are as good as one."""
        if len(self._hinted) < MAX_HINTS:
            self._hinted.append(source)

    def _hints(self) -> set[str]:
        """What happened since the last turn; the next look comes the sooner for it."""
        hinted = {self._hinted.popleft() for _ in range(len(self._hinted))}
        if hinted:
            self._next_scan = min(self._next_scan, self._earliest_scan)
        return hinted

    def _heartbeat(self, waits: int, fault: str) -> Heartbeat:
        now = self._home.now()
        files = self._intake.pending_files() if self._intake else []
        return Heartbeat(
            at=now.isoformat(timespec="seconds"),
            watching=self._watcher.status,
            trouble=fault,
            waiting=waits,
            files_waiting=len(files),
            files=pending_file_rows(now, files),
        )
