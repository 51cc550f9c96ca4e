"""Run a worker machine's jobs for one school, with the gallery in force, until told to stop.

procrastinate fetches the jobs from the school's schema, sends heartbeats and requeues failed jobs.
A job calls the same functions as a gate without worker machines. When two machines run the same
job, only one has an effect: ``record_examination`` and ``publish.release`` check the row's state,
which the first machine has changed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from threading import Event
from typing import TypeVar

from django.db import close_old_connections, connections
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.contrib.django import DjangoApp, connector_params
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job

from consent_gate.db import jobs
from consent_gate.decisions.lookalikes import load_gallery_with_version
from consent_gate.errors import DatabaseUnreachable, GateError, StorageFull
from consent_gate.home.clock import server_clock_offset, utc_now
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.register.gallery_version import GalleryVersion, gallery_version
from consent_gate.vault.originals import vault_of
from ingest.examinations import (
    StaleGallery,
    forget_checkpoint,
    record_examination,
    refund_attempts,
    start_examination,
)
from ingest.pipeline import IN_FLIGHT_PER_WORKER
from ingest.runtime.periodic import AnalysisWorkers
from ingest.scheduling.queue import pending_items
from ingest.workers.analysis_pool import AnalysisPool, examination_result
from ingest.workers.worker_errors import WorkerPoolUnavailable
from publish.release import publications_to_render, render_publications

JOB_POLL_INTERVAL = 1.0
"""Seconds between two requests of an idle worker for a job."""

GALLERY_CHECK_INTERVAL = 10.0
REQUEUE_INTERVAL = 20.0

STOP_POLL_SECONDS = 0.5
"""Seconds until a request to stop is noticed."""

SHUTDOWN_GRACE_SECONDS = 30.0
"""Seconds that running jobs have to finish at a shutdown; then they are requeued."""

RETRY_AFTER = timedelta(seconds=10)
"""Time between two attempts of a failed job."""

MAX_TRIES = 20
"""The most attempts of a job.

A photo that cannot be examined is held after ``pipeline.MAX_ATTEMPTS``, long before this limit. A
job that still fails shows a fault of the program. It stays failed for a day, and its photo stays
held.
"""

OpenPool = Callable[[Home, Gallery], AbstractContextManager[AnalysisWorkers]]
T = TypeVar("T")


class WorkerMisconfigured(GateError):
    """This machine cannot run the jobs; other machines may."""

    next_step = (
        "Check this machine's folders and models. Its jobs were given back for other machines."
    )


class _RequeuePolicy(BaseRetryStrategy):
    """Decides when a failed job is tried again. The database server's clock says when it is due.

    Arguments:
        clock_offset: How far the server's clock is ahead of this machine's.
    """

    def __init__(self, clock_offset: timedelta) -> None:
        self._clock_offset = clock_offset

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, StaleGallery):
            return RetryDecision(retry_at=jobs.DUE_AT_ONCE)
        if (
            isinstance(exception, WorkerPoolUnavailable | WorkerMisconfigured | StorageFull)
            or job.attempts < MAX_TRIES
        ):
            return RetryDecision(retry_at=utc_now() + self._clock_offset + RETRY_AFTER)
        return None


@dataclass
class WorkerSession:
    """What the jobs share between two changes of the gallery."""

    home: Home
    pool: AnalysisWorkers
    loaded_version: GalleryVersion
    """Version of the pool's gallery."""
    fault: GateError | None = None
    """Why this machine should run no more jobs."""
    changed: bool = False
    """Whether the pool's gallery is no longer the one in force."""

    def should_end(self) -> bool:
        """Whether no more jobs should start with this pool."""
        return self.fault is not None or self.changed


def run_session(
    home: Home, stop: Event, *, drain: bool = False, open_pool: OpenPool = AnalysisPool
) -> None:
    """Run the home's jobs until ``stop`` is set; with ``drain``, until no job is left.

    Raises:
        WorkerMisconfigured: This machine does not see the vault.
        WorkerPoolUnavailable: No worker process can be started.
        DatabaseUnreachable: PostgreSQL stopped answering.
        GateError: Anything else that keeps the machine from starting.
    """
    changed = True
    while changed and not stop.is_set():
        gallery, loaded_version = load_gallery_with_version(home)
        with open_pool(home, gallery) as pool:
            session = WorkerSession(home, pool, loaded_version)
            try:
                asyncio.run(_serve(_app(), session, stop, drain))
            except ConnectorException as error:
                raise DatabaseUnreachable("PostgreSQL stopped answering.") from error
        if session.fault is not None and not stop.is_set():
            raise session.fault
        changed = session.changed


def keep_connections() -> None:
    """Keep database connections open for a minute, in a program that only runs jobs.

    A new connection for each job would cost the server more than the job's statements.
    """
    options = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    connections.settings["default"].update(options)


def process_item(session: WorkerSession, item_id: str) -> None:
    """Examine one photo and record the result, if it still waits for an examination.

    None of these errors counts as an attempt of the photo.

    Raises:
        StaleGallery: The session's gallery is no longer in force.
        WorkerPoolUnavailable: No worker process can be started, or the pool was terminated.
        WorkerMisconfigured: This machine does not see the vault.
        StorageFull: The store of the originals does not answer.
    """
    if not pending_items().filter(pk=item_id).exists():
        return
    _require_vault(session.home, item_id)
    try:
        started = start_examination(session.home, session.pool, item_id)
        examination = examination_result(started.future)
        record_examination(session.home, item_id, examination, session.loaded_version)
        if started.is_film:
            forget_checkpoint(session.home, item_id)
    except (WorkerPoolUnavailable, StaleGallery, StorageFull):
        refund_attempts([item_id])
        raise


def render_item(session: WorkerSession, item_id: str) -> None:
    """Render the publications of one item that are still to be rendered."""
    rows = list(publications_to_render(session.home).filter(item=item_id))
    if rows:
        _require_vault(session.home, item_id)
        render_publications(session.home, session.pool, rows)


def _require_vault(home: Home, item_id: str) -> None:
    """Raise WorkerMisconfigured where the whole vault is missing, not only this one file."""
    vault = vault_of(home)
    if not vault.exists(item_id) and next(vault.item_ids(), None) is None:
        raise WorkerMisconfigured(
            "This machine sees an empty vault. Check that the share is connected."
        )


async def _serve(unopened_app: App, session: WorkerSession, stop: Event, drain: bool) -> None:
    """Run jobs until the session should end, and finish the running ones."""
    concurrency = IN_FLIGHT_PER_WORKER * session.pool.size
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(concurrency + 1))
    async with unopened_app.open_async() as app:
        next_rank: int | None = 0
        while next_rank is not None:
            worker = asyncio.create_task(
                app.run_worker_async(
                    concurrency=concurrency,
                    wait=not drain,
                    fetch_job_polling_interval=JOB_POLL_INTERVAL,
                    listen_notify=False,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    stalled_worker_timeout=jobs.DEAD_AFTER_SECONDS,
                    additional_context={"session": session},
                )
            )
            try:
                await _run_until_over(session, worker, stop)
            finally:
                await _finish_running_jobs(session, worker)
            if session.should_end() or stop.is_set():
                return
            next_rank = await _query_in_thread(
                jobs.next_job_priority
            )  # the last jobs may have enqueued more


async def _run_until_over(session: WorkerSession, worker: asyncio.Task[None], stop: Event) -> None:
    last_check = last_rescue = time.monotonic()
    while not (worker.done() or stop.is_set() or session.should_end()):
        now = time.monotonic()
        if now - last_check >= GALLERY_CHECK_INTERVAL:
            last_check = now
            session.changed = (
                await _query_in_thread(gallery_version, session.home) != session.loaded_version
            )
        if now - last_rescue >= REQUEUE_INTERVAL:
            last_rescue = now
            await _query_in_thread(jobs.requeue_stalled)
        await asyncio.wait({worker}, timeout=STOP_POLL_SECONDS)


async def _finish_running_jobs(session: WorkerSession, worker: asyncio.Task[None]) -> None:
    """Fetch no more jobs and wait for the running ones; requeue those that take too long.

    Raises the error that ended procrastinate's worker, if any.
    """
    worker.cancel()  # procrastinate's worker then finishes its jobs and stops
    await asyncio.wait({worker}, timeout=0 if session.fault else SHUTDOWN_GRACE_SECONDS)
    if not worker.done():
        # Every running job then raises WorkerPoolUnavailable.
        await asyncio.to_thread(session.pool.terminate)
        await asyncio.wait({worker})
    if not worker.cancelled():
        worker.result()


def _app() -> App:
    """A procrastinate application with its own connections; jobs use Django's to enqueue others.

    Call outside an event loop: inside one, Django would use another connection.
    """
    app = DjangoApp(connector=PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=2))
    policy = _RequeuePolicy(server_clock_offset())
    for name, function in ((jobs.EXAMINE, process_item), (jobs.RENDER, render_item)):
        app.task(name=name, pass_context=True, retry=policy)(partial(_run_job, function))
    return app


def _run_job(task: Callable[[WorkerSession, str], None], context: JobContext, item_id: str) -> None:
    session: WorkerSession = context.additional_context["session"]
    try:
        task(session, item_id)
    except StaleGallery:
        session.changed = True
        raise
    except (WorkerPoolUnavailable, WorkerMisconfigured) as error:
        session.fault = error
        raise


async def _query_in_thread(query: Callable[..., T], *arguments: object) -> T:
    """Run a database query in a thread, and close its connection when that has expired."""

    def answer() -> T:
        try:
            return query(*arguments)
        finally:
            close_old_connections()

    return await asyncio.to_thread(answer)
