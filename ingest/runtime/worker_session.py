"""A worker machine's shift for one school: its jobs, done with its gallery, until it is over.

procrastinate takes the jobs from the school's schema, gives the signs of life and puts back what
failed; a job is nothing but the functions that the embedded runner calls too. Exactly one of two
machines that do the same job has an effect: ``record_examination`` and ``publish.release`` go by
the row's state, and whoever comes second finds another one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
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
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.register.gallery_version import GalleryVersion, gallery_version
from consent_gate.vault.originals import vault_of
from ingest.pipeline import (
    IN_FLIGHT_PER_WORKER,
    StaleGallery,
    record_examination,
    refund_attempts,
    start_examination,
)
from ingest.runtime.periodic import AnalysisWorkers
from ingest.scheduling.queue import pending_items
from ingest.workers.analysis_pool import AnalysisPool, examination_result
from ingest.workers.process_pool import WorkerPoolUnavailable
from publish.release import publications_to_render, render_publications

JOB_POLL_INTERVAL = 1.0
"""How often an idle worker asks for a job."""

GALLERY_CHECK_INTERVAL = 10.0
RESCUE_INTERVAL = 20.0

STOP_POLL_SECONDS = 0.5
"""Seconds until a wish to stop is noticed."""

SHUTDOWN_GRACE_SECONDS = 30.0
"""Seconds that jobs in hand get to finish when the program is to stop; then they are put back."""

MAX_TRIES = 20
"""A photo that fails is held by its own count of attempts long before. A job that still fails is a
fault of the program: it stays as failed for a day, and its photo waits, held from everything."""

OpenPool = Callable[[Home, Gallery], AbstractContextManager[AnalysisWorkers]]
T = TypeVar("T")


class WorkerMisconfigured(GateError):
    """This machine cannot do the work; others may."""

    next_step = "Look at this machine's folders and models; its jobs were put back for others."


class _RequeuePolicy(BaseRetryStrategy):
    """When a job that failed is done again."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, StaleGallery):
            return RetryDecision(retry_in={"seconds": 0})
        if (
            isinstance(exception, WorkerPoolUnavailable | WorkerMisconfigured | StorageFull)
            or job.attempts < MAX_TRIES
        ):
            return RetryDecision(retry_in={"seconds": 10})
        return None


@dataclass
class WorkerSession:
    """What the jobs of one shift are done with."""

    home: Home
    pool: AnalysisWorkers
    stamp: GalleryVersion
    """Of the gallery that the pool was given."""
    fault: GateError | None = None
    """Why this machine should do no more."""
    changed: bool = False
    """The gallery is no longer the one in force."""

    def should_end(self) -> bool:
        return self.fault is not None or self.changed


def run_session(
    home: Home, stop: Event, *, drain: bool = False, open_pool: OpenPool = AnalysisPool
) -> None:
    """Do the home's jobs until told to stop; ``drain``: until no job is left.

    Raises WorkerMisconfigured or WorkerPoolUnavailable, any GateError that keeps it from starting,
    or an error of the database.
    """
    changed = True
    while changed and not stop.is_set():
        gallery, stamp = load_gallery_with_version(home)
        with open_pool(home, gallery) as pool:
            shift = WorkerSession(home, pool, stamp)
            try:
                asyncio.run(_serve(_app(), shift, stop, drain))
            except ConnectorException as error:
                raise DatabaseUnreachable("PostgreSQL stopped answering.") from error
        if shift.fault is not None and not stop.is_set():
            raise shift.fault
        changed = shift.changed


def keep_connections() -> None:
    """Let the threads of a program that does nothing else keep their connections for a minute.

    A new one for each job would cost the server more than the job's statements do.
    """
    kept = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    connections.settings["default"].update(kept)


def process_item(session: WorkerSession, item_id: str) -> None:
    """Look at one photo and record what was seen, if it still waits to be looked at.

    Raises StaleGallery, WorkerPoolUnavailable, WorkerMisconfigured or StorageFull, none of which
    the photo can help.
    """
    if not pending_items().filter(pk=item_id).exists():
        return
    _refuse_missing_vault(session.home, item_id)
    try:
        examination = examination_result(start_examination(session.home, session.pool, item_id))
        record_examination(session.home, item_id, examination, session.stamp)
    except (WorkerPoolUnavailable, StaleGallery, StorageFull):
        refund_attempts([item_id])
        raise


def render_item(session: WorkerSession, item_id: str) -> None:
    """Make the pictures of one item that are to go out and lie in no folder yet."""
    rows = list(publications_to_render(session.home).filter(item=item_id))
    if rows:
        _refuse_missing_vault(session.home, item_id)
        render_publications(session.home, session.pool, rows)


def _refuse_missing_vault(home: Home, item_id: str) -> None:
    """Raises WorkerMisconfigured where it is not this one file that is missing but the shared
    folder."""
    vault = vault_of(home)
    if not vault.exists(item_id) and next(vault.item_ids(), None) is None:
        raise WorkerMisconfigured("The vault is empty as seen from here: is the share connected?")


async def _serve(closed: App, session: WorkerSession, stop: Event, drain: bool) -> None:
    """Take jobs until it is time to go; what is in hand then is finished."""
    hands = IN_FLIGHT_PER_WORKER * session.pool.size
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(hands + 1))
    async with closed.open_async() as app:
        left: int | None = 0
        while left is not None:
            serving = asyncio.create_task(
                app.run_worker_async(
                    concurrency=hands,
                    wait=not drain,
                    fetch_job_polling_interval=JOB_POLL_INTERVAL,
                    listen_notify=False,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    stalled_worker_timeout=jobs.DEAD_AFTER_SECONDS,
                    additional_context={"shift": session},
                )
            )
            try:
                await _run_until_over(session, serving, stop)
            finally:
                await _write_manifest_and_sweep(session, serving)
            if session.should_end() or stop.is_set():
                return
            left = await _in_thread(jobs.next_job_priority)  # what the last jobs made due


async def _run_until_over(session: WorkerSession, serving: asyncio.Task[None], stop: Event) -> None:
    checked = rescued = time.monotonic()
    while not (serving.done() or stop.is_set() or session.should_end()):
        now = time.monotonic()
        if now - checked >= GALLERY_CHECK_INTERVAL:
            checked = now
            session.changed = await _in_thread(gallery_version, session.home) != session.stamp
        if now - rescued >= RESCUE_INTERVAL:
            rescued = now
            await _in_thread(jobs.requeue_stalled)
        await asyncio.wait({serving}, timeout=STOP_POLL_SECONDS)


async def _write_manifest_and_sweep(session: WorkerSession, serving: asyncio.Task[None]) -> None:
    """Take no more jobs and finish those in hand; what takes too long is put back.

    Raises whatever ended the taking of jobs.
    """
    serving.cancel()  # to procrastinate's worker a cancellation is the wish to stop gently
    await asyncio.wait({serving}, timeout=0 if session.fault else SHUTDOWN_GRACE_SECONDS)
    if not serving.done():
        await asyncio.to_thread(
            session.pool.terminate
        )  # every job in hand raises WorkerPoolUnavailable
        await asyncio.wait({serving})
    if not serving.cancelled():
        serving.result()


def _app() -> App:
    """procrastinate on connections of its own; what jobs defer goes by Django's, as everywhere.

    Call outside a loop: Django keeps another connection for what runs inside one.
    """
    app = DjangoApp(connector=PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=2))
    for name, do in ((jobs.EXAMINE, process_item), (jobs.RENDER, render_item)):
        app.task(name=name, pass_context=True, retry=_RequeuePolicy())(partial(_do, do))
    return app


def _do(task: Callable[[WorkerSession, str], None], context: JobContext, item_id: str) -> None:
    shift: WorkerSession = context.additional_context["shift"]
    try:
        task(shift, item_id)
    except StaleGallery:
        shift.changed = True
        raise
    except (WorkerPoolUnavailable, WorkerMisconfigured) as error:
        shift.fault = error
        raise


async def _in_thread(query: Callable[..., T], *arguments: object) -> T:
    """A question to the database; its connection is kept as long as a job's is."""

    def answer() -> T:
        try:
            return query(*arguments)
        finally:
            close_old_connections()

    return await asyncio.to_thread(answer)
