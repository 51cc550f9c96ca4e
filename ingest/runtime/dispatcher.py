"""Make sure that every photo and publication that is due has a job for the worker machines.

The transaction that makes a row due also enqueues its job. This module repairs the rest: jobs lost
by restoring the database, jobs of a machine that died, and publications whose folder was
unavailable when their job ran.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from django.db import transaction
from django.db.models import CharField, Exists, Model, OuterRef, QuerySet, Value
from django.db.models.functions import Concat
from procrastinate.contrib.django.models import ProcrastinateJob

from consent_gate.db import jobs
from consent_gate.db.models import Publication, PublicationState
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from ingest.scheduling.queue import pending_items
from publish.release import publications_to_render

Row = TypeVar("Row", bound=Model)

RECONCILE_INTERVAL = 20.0
"""Seconds; less than ``jobs.DEAD_AFTER_SECONDS``, so that a dead machine's photos wait a minute
at most."""

CLEANUP_INTERVAL = 3600.0
"""Seconds between two deletions of old jobs."""

MAX_JOBS_PER_ROUND = 500
"""The most jobs enqueued in one transaction, because the school's other transactions wait for
it."""


@contextmanager
def no_local_pool(_home: Home, _gallery: Gallery) -> Iterator[None]:
    """Replaces ``ingest.workers.analysis_pool.AnalysisPool`` where this machine examines
    nothing."""
    yield None


class RemoteExaminations:
    """The ``ingest.pipeline.ExaminationRunner`` of a gate whose worker machines examine photos."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._next_reconcile = self._next_cleanup = 0.0
        self._rendered: set[str] = set()

    def __len__(self) -> int:
        return jobs.running_jobs()

    @property
    def films(self) -> Mapping[str, tuple[int, int]]:
        """None: other machines examine the films."""
        return {}

    def invalidate_plan(self) -> None:
        """No-op: the job queue orders remote work."""

    def submit_ready(self) -> bool:
        """Reconcile and delete jobs when that is due. True while jobs are running."""
        if time.monotonic() >= self._next_reconcile:
            self._next_reconcile = time.monotonic() + RECONCILE_INTERVAL
            reconcile_jobs(self._home)
        if time.monotonic() >= self._next_cleanup:
            self._next_cleanup = time.monotonic() + CLEANUP_INTERVAL
            jobs.delete_old_jobs()
        return len(self) > 0

    def collect_done(self) -> int:
        """The number of publications rendered since the last call, which are ready to be placed."""
        rows = Publication.objects.filter(state=PublicationState.WRITTEN)
        previous, self._rendered = self._rendered, set(rows.values_list("pk", flat=True))
        return len(self._rendered - previous)

    def release_all(self) -> None:
        """No-op: running remote jobs are not cancelled."""


def reconcile_jobs(home: Home) -> int:
    """Requeue jobs of dead machines and enqueue missing ones. Returns how many jobs."""
    jobs.delete_old_jobs()
    rescued = jobs.requeue_stalled()
    items = _without_job(pending_items(), jobs.EXAMINE, "pk").order_by("priority", "received_at")
    to_render = _without_job(publications_to_render(home), jobs.RENDER, "item_id")
    missing = list(items.values_list("pk", "priority")[:MAX_JOBS_PER_ROUND])
    without_rendition = set(to_render.values_list("item_id", flat=True)[:MAX_JOBS_PER_ROUND])
    if missing or without_rendition:
        with transaction.atomic():
            for item_id, priority in missing:
                jobs.enqueue_examination(home, item_id, priority)
            for item_id in without_rendition:
                jobs.enqueue_renditions(home, item_id)
    return rescued + len(missing) + len(without_rendition)


def _without_job(rows: QuerySet[Row], task: str, item: str) -> QuerySet[Row]:
    """Rows whose item has no such job: waiting, running, or failed within a day.

    ``item`` is the field of ``rows`` that holds the item's id.
    """
    key = Concat(Value(jobs.queueing_lock(task, "")), OuterRef(item), output_field=CharField())
    known = ProcrastinateJob.objects.filter(queueing_lock=key, status__in=jobs.ACTIVE_STATUSES)
    return rows.filter(~Exists(known))
