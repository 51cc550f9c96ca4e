"""Main loop of ``consent-gate run``: scan the inbox, submit examinations, publish, recall.

One thread takes all steps in turn, so that no two steps can conflict; the workers examine photos
meanwhile. Every fault is reported in the heartbeat and the step is tried again. Only a damaged
database ends the program, because writing to it could damage it further.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from threading import Event, Thread

from django.db import close_old_connections
from django.db.utils import DatabaseError

from consent_gate.db import audit_log, jobs
from consent_gate.decisions.lookalikes import load_gallery_with_version
from consent_gate.errors import StorageFull
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.register.gallery_version import GalleryVersion, gallery_version
from ingest.examinations import StaleGallery
from ingest.pipeline import ExaminationRunner, LocalExaminations, recall_lapsed
from ingest.runtime.dispatcher import RemoteExaminations, no_local_pool
from ingest.runtime.faults import DatabaseCorrupt, check_database, classify_error
from ingest.runtime.heartbeat import FilmInHand, Heartbeat, pending_file_rows, write_heartbeat
from ingest.runtime.inbox_steps import InboxSteps
from ingest.runtime.periodic import AnalysisWorkers, PeriodicTask, ScheduledTask
from ingest.scheduling.lock import ingest_lock
from ingest.scheduling.queue import pending_items
from ingest.workers.analysis_pool import AnalysisPool
from ingest.workers.lent_pool import lending
from publish.release import publish_pending

log = logging.getLogger("consent_gate")

FAULT_PAUSE_SECONDS = 30.0
HEARTBEAT_INTERVAL = 20.0
GALLERY_CHECK_INTERVAL = 10.0
SUBMIT_INTERVAL = 3.0
PUBLISH_INTERVAL = 1.0
IDLE_PUBLISH_INTERVAL = 30.0
"""Seconds when no decision was made: a folder that was unavailable may be back."""

STOP_POLL_SECONDS = 1.0
"""Seconds until a request to stop is noticed."""


OpenPool = Callable[[Home, Gallery], AbstractContextManager[AnalysisWorkers | None]]
"""Gives None where worker machines do the work: ``ingest.runtime.dispatcher.no_local_pool``."""


def run_gate(
    home: Home,
    stop: Event,
    periodic_tasks: Iterable[PeriodicTask] = (),
    open_pool: OpenPool | None = None,
) -> None:
    """Run until ``stop`` is set. Faults are reported and retried; none leads to a release.

    The settings decide whether a pool of this machine or worker machines examine the photos.

    Raises:
        DatabaseCorrupt: The database is damaged.
        GateError: The gate cannot start at all.
    """
    check_database()
    opened = open_pool or (no_local_pool if jobs.uses_remote_workers(home) else AnalysisPool)
    with ExitStack() as stack:
        try:
            stack.enter_context(ingest_lock(home))
        except (OSError, DatabaseError) as error:
            raise classify_error(error) or error from error
        runner = _Runner(home, stop, [ScheduledTask(task) for task in periodic_tasks])
        stack.callback(runner.close)
        while not stop.is_set():
            runner.run_until_pool_stale(opened)


class _Runner:
    """The state of the gate that outlives one pool of workers."""

    def __init__(self, home: Home, stop: Event, tasks: list[ScheduledTask]) -> None:
        self._home = home
        self._stop = stop
        self._tasks = tasks
        self._wake = Event()
        self._inbox = InboxSteps(home, stop, FAULT_PAUSE_SECONDS)
        self._fault = ""
        self._next_heartbeat = self._next_publish = self._next_submit = 0.0

    def close(self) -> None:
        self._inbox.close()

    def run_until_pool_stale(self, open_pool: OpenPool) -> None:
        """Work with one pool until its gallery is no longer in force or a fault occurs."""
        try:
            close_old_connections()
            recall_lapsed(self._home)
            self._run_with_pool(open_pool)
            self._fault = ""
        except Exception as error:  # noqa: BLE001  reported, and tried again
            if self._stop.is_set():
                return
            self._report(error)
            self._back_off()

    def _report(self, error: Exception) -> None:
        """Log the error and keep its message for the heartbeat.

        Raises:
            DatabaseCorrupt: The error shows that the database is damaged.
        """
        known = classify_error(error)
        if isinstance(known, DatabaseCorrupt):
            write_heartbeat(self._home, self._heartbeat(0, str(known)))
            raise known from error
        if known is None:
            log.exception("An unexpected error occurred; the gate starts again in a moment.")
            self._fault = "An unexpected error occurred. Send the log to whoever supports the gate."
        else:
            log.error("%s", known)
            self._fault = str(known)

    def _back_off(self) -> None:
        write_heartbeat(self._home, self._heartbeat(0, self._fault))
        try:
            self._run_periodic_tasks(None)  # they do not need examinations
        except Exception as error:  # noqa: BLE001  only a damaged database raises
            self._report(error)
        self._stop.wait(FAULT_PAUSE_SECONDS)

    def _run_periodic_tasks(self, pool: AnalysisWorkers | None) -> None:
        for task in self._tasks:
            task.run_if_due(self._home, pool)

    def _run_with_pool(self, open_pool: OpenPool) -> None:
        gallery, loaded_version = load_gallery_with_version(self._home)
        with open_pool(self._home, gallery) as pool, lending(self._home, pool):
            # This thread may be waiting for a rendition; only another thread can end that wait.
            finished = Event()
            Thread(target=self._terminate_on_stop, args=(pool, finished), daemon=True).start()
            examinations: ExaminationRunner = RemoteExaminations(self._home)
            if pool is not None:
                examinations = LocalExaminations(self._home, pool, loaded_version, self._wake)
            try:
                self._next_publish = 0.0
                self._loop(pool, examinations, loaded_version)
            except StaleGallery:
                return
            finally:
                finished.set()
                examinations.release_all()

    def _terminate_on_stop(self, pool: AnalysisWorkers | None, finished: Event) -> None:
        while pool is not None and not finished.wait(STOP_POLL_SECONDS):
            if self._stop.is_set():
                pool.terminate()
                return

    def _loop(
        self,
        pool: AnalysisWorkers | None,
        examinations: ExaminationRunner,
        loaded_version: GalleryVersion,
    ) -> None:
        next_check = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= next_check:
                if gallery_version(self._home) != loaded_version:
                    return
                next_check = time.monotonic() + GALLERY_CHECK_INTERVAL
            if not self._tick(pool, examinations):
                self._wake.wait(STOP_POLL_SECONDS)
            self._wake.clear()

    def _tick(self, pool: AnalysisWorkers | None, examinations: ExaminationRunner) -> bool:
        """Take every step that is due once. False when the loop may sleep until the next event."""
        claimed = self._inbox.scan_and_claim()
        decided = examinations.collect_done()
        self._submit_if_due(examinations, claimed=claimed > 0, decided=decided > 0)
        self._publish_if_due(pool, examinations, decided)
        self._run_periodic_tasks(pool)
        self._write_heartbeat_if_due(examinations)
        return claimed > 0

    def _submit_if_due(
        self, examinations: ExaminationRunner, *, claimed: bool, decided: bool
    ) -> None:
        """Submit examinations, also at intervals, as staff and imports queue photos again."""
        now = time.monotonic()
        if claimed:
            examinations.invalidate_plan()
        if claimed or decided or now >= self._next_submit:
            self._next_submit = now + SUBMIT_INTERVAL
            try:
                examinations.submit_ready()
            except StorageFull as error:  # withdrawn pictures must still be removed
                self._inbox.pause_claims(error)
                self._next_submit = now + FAULT_PAUSE_SECONDS

    def _publish_if_due(
        self, pool: AnalysisWorkers | None, examinations: ExaminationRunner, decided: int
    ) -> None:
        now = time.monotonic()
        if decided:
            self._next_publish = min(self._next_publish, now + PUBLISH_INTERVAL)
        if now < self._next_publish:
            return
        publish_pending(self._home, pool)
        if len(examinations) == 0:
            audit_log.save_anchor(self._home)
        self._next_publish = time.monotonic() + IDLE_PUBLISH_INTERVAL

    def _write_heartbeat_if_due(self, examinations: ExaminationRunner) -> None:
        if time.monotonic() >= self._next_heartbeat:
            self._next_heartbeat = time.monotonic() + HEARTBEAT_INTERVAL
            films = tuple(FilmInHand(item, *seen) for item, seen in examinations.films.items())
            for film in films:
                log.info(
                    "Film %s: %d of %d s examined.", film.item, film.seconds_done, film.seconds
                )
            heartbeat = self._heartbeat(pending_items().count(), self._inbox.fault)
            write_heartbeat(self._home, replace(heartbeat, films=films))

    def _heartbeat(self, waiting: int, fault: str) -> Heartbeat:
        now = self._home.now()
        files = self._inbox.pending_files()
        return Heartbeat(
            at=now.isoformat(timespec="seconds"),
            watching=self._inbox.watch_status,
            trouble=fault,
            waiting=waiting,
            files_waiting=len(files),
            files=pending_file_rows(now, files),
        )
