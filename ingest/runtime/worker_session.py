"""A worker machine's shift for one school: its jobs, done with its gallery, until it is over.

procrastinate takes the jobs from the school's schema, gives the signs of life and puts back what
failed; a job is nothing but the functions that the embedded runner calls too. Exactly one of two
machines that do the same job has an effect: ``record`` and ``publish.release`` go by the row's
state, and whoever comes second finds another one.
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
from consent_gate.decisions.lookalikes import gallery_to_match
from consent_gate.errors import DatabaseUnreachable, GateError, StorageFull
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from consent_gate.register.gallery_version import GalleryStamp, gallery_stamp
from consent_gate.vault.originals import vault_of
from ingest.pipeline import KEPT_BUSY, GalleryChanged, begin, no_attempt, record
from ingest.runtime.periodic import Pool
from ingest.scheduling.queue import waiting
from ingest.workers.analysis_pool import AnalysisPool, examination_of
from ingest.workers.process_pool import CrewUnusable
from publish.release import pictures_to_make, write

SECONDS_BETWEEN_QUESTIONS = 1.0
"""How often an idle worker asks for a job."""

SECONDS_BETWEEN_GALLERY_CHECKS = 10.0
SECONDS_BETWEEN_RESCUES = 20.0

REACTS_WITHIN = 0.5
"""Seconds until a wish to stop is noticed."""

GRACE = 30.0
"""Seconds that jobs in hand get to finish when the program is to stop; then they are put back."""

MOST_TRIES = 20
"""A photo that fails is held by its own count of attempts long before. A job that still fails is a
fault of the program: it stays as failed for a day, and its photo waits, held from everything."""

OpenPool = Callable[[Home, Gallery], AbstractContextManager[Pool]]
Answer = TypeVar("Answer")


class MachineUnfit(GateError):
    """This machine cannot do the work; others may."""

    next_step = "Look at this machine's folders and models; its jobs were put back for others."


class _PutBack(BaseRetryStrategy):
    """When a job that failed is done again."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, GalleryChanged):
            return RetryDecision(retry_in={"seconds": 0})
        if (
            isinstance(exception, CrewUnusable | MachineUnfit | StorageFull)
            or job.attempts < MOST_TRIES
        ):
            return RetryDecision(retry_in={"seconds": 10})
        return None


@dataclass
class Shift:
    """What the jobs of one shift are done with."""

    home: Home
    pool: Pool
    stamp: GalleryStamp
    """Of the gallery that the pool was given."""
    trouble: GateError | None = None
    """Why this machine should do no more."""
    changed: bool = False
    """The gallery is no longer the one in force."""

    def must_end(self) -> bool:
        return self.trouble is not None or self.changed


def work(
    home: Home, stop: Event, *, until_done: bool = False, open_pool: OpenPool = AnalysisPool
) -> None:
    """Do the home's jobs until told to stop; ``until_done``: until no job is left.

    Raises MachineUnfit or CrewUnusable, any GateError that keeps it from starting, or an error of
    the database.
    """
    changed = True
    while changed and not stop.is_set():
        gallery, stamp = gallery_to_match(home)
        with open_pool(home, gallery) as pool:
            shift = Shift(home, pool, stamp)
            try:
                asyncio.run(_serve(_app(), shift, stop, until_done))
            except ConnectorException as error:
                raise DatabaseUnreachable("PostgreSQL stopped answering.") from error
        if shift.trouble is not None and not stop.is_set():
            raise shift.trouble
        changed = shift.changed


def keep_connections() -> None:
    """Let the threads of a program that does nothing else keep their connections for a minute.

    A new one for each job would cost the server more than the job's statements do.
    """
    kept = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    connections.settings["default"].update(kept)


def process_item(shift: Shift, item_id: str) -> None:
    """Look at one photo and record what was seen, if it still waits to be looked at.

    Raises GalleryChanged, CrewUnusable, MachineUnfit or StorageFull, none of which the photo can
    help.
    """
    if not waiting().filter(pk=item_id).exists():
        return
    _refuse_missing_vault(shift.home, item_id)
    try:
        examination = examination_of(begin(shift.home, shift.pool, item_id))
        record(shift.home, item_id, examination, shift.stamp)
    except (CrewUnusable, GalleryChanged, StorageFull):
        no_attempt([item_id])
        raise


def make_pictures(shift: Shift, item_id: str) -> None:
    """Make the pictures of one item that are to go out and lie in no folder yet."""
    rows = list(pictures_to_make(shift.home).filter(item=item_id))
    if rows:
        _refuse_missing_vault(shift.home, item_id)
        write(shift.home, shift.pool, rows)


def _refuse_missing_vault(home: Home, item_id: str) -> None:
    """Raises MachineUnfit where it is not this one file that is missing but the shared folder."""
    vault = vault_of(home)
    if not vault.has(item_id) and next(vault.names(), None) is None:
        raise MachineUnfit("The vault is empty as seen from here: is the share connected?")


async def _serve(closed: App, shift: Shift, stop: Event, until_done: bool) -> None:
    """Take jobs until it is time to go; what is in hand then is finished."""
    hands = KEPT_BUSY * shift.pool.size
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(hands + 1))
    async with closed.open_async() as app:
        left: int | None = 0
        while left is not None:
            serving = asyncio.create_task(
                app.run_worker_async(
                    concurrency=hands,
                    wait=not until_done,
                    fetch_job_polling_interval=SECONDS_BETWEEN_QUESTIONS,
                    listen_notify=False,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    stalled_worker_timeout=jobs.DEAD_AFTER,
                    additional_context={"shift": shift},
                )
            )
            try:
                await _until_over(shift, serving, stop)
            finally:
                await _finish(shift, serving)
            if shift.must_end() or stop.is_set():
                return
            left = await _in_thread(jobs.rank_of_next)  # what the last jobs made due


async def _until_over(shift: Shift, serving: asyncio.Task[None], stop: Event) -> None:
    checked = rescued = time.monotonic()
    while not (serving.done() or stop.is_set() or shift.must_end()):
        now = time.monotonic()
        if now - checked >= SECONDS_BETWEEN_GALLERY_CHECKS:
            checked = now
            shift.changed = await _in_thread(gallery_stamp, shift.home) != shift.stamp
        if now - rescued >= SECONDS_BETWEEN_RESCUES:
            rescued = now
            await _in_thread(jobs.rescue)
        await asyncio.wait({serving}, timeout=REACTS_WITHIN)


async def _finish(shift: Shift, serving: asyncio.Task[None]) -> None:
    """Take no more jobs and finish those in hand; what takes too long is put back.

    Raises whatever ended the taking of jobs.
    """
    serving.cancel()  # to procrastinate's worker a cancellation is the wish to stop gently
    await asyncio.wait({serving}, timeout=0 if shift.trouble else GRACE)
    if not serving.done():
        await asyncio.to_thread(shift.pool.dismiss)  # every job in hand raises CrewUnusable
        await asyncio.wait({serving})
    if not serving.cancelled():
        serving.result()


def _app() -> App:
    """procrastinate on connections of its own; what jobs defer goes by Django's, as everywhere.

    Call outside a loop: Django keeps another connection for what runs inside one.
    """
    app = DjangoApp(connector=PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=2))
    for name, do in ((jobs.EXAMINE, process_item), (jobs.RENDER, make_pictures)):
        app.task(name=name, pass_context=True, retry=_PutBack())(partial(_do, do))
    return app


def _do(task: Callable[[Shift, str], None], context: JobContext, item_id: str) -> None:
    shift: Shift = context.additional_context["shift"]
    try:
        task(shift, item_id)
    except GalleryChanged:
        shift.changed = True
        raise
    except (CrewUnusable, MachineUnfit) as error:
        shift.trouble = error
        raise


async def _in_thread(ask: Callable[..., Answer], *arguments: object) -> Answer:
    """A question to the database; its connection is kept as long as a job's is."""

    def answer() -> Answer:
        try:
            return ask(*arguments)
        finally:
            close_old_connections()

    return await asyncio.to_thread(answer)
