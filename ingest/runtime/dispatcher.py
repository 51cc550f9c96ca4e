"""The running gate where worker machines examine photos: it sees to it that they have jobs.

Jobs are deferred with the rows that make them due. What is done here is for the rest: a job lost
with a restored database, one of a machine that died, a folder that was away when its turn came.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
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
"""Less than ``jobs.DEAD_AFTER_SECONDS``: a dead machine's photos wait for a minute at the
longest."""

CLEANUP_INTERVAL = 3600.0

MAX_JOBS_PER_ROUND = 500
"""Jobs made in one transaction, for which the school's other transactions wait."""


@contextmanager
def no_local_pool(_home: Home, _gallery: Gallery) -> Iterator[None]:
    """In the place of ``ingest.workers.analysis_pool.AnalysisPool``: this machine examines
    nothing."""
    yield None


class RemoteExaminations:
    """The ``ingest.pipeline.ExaminationRunner`` for work that worker machines do."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._next_look = self._next_tidying = 0.0
        self._made: set[str] = set()

    def __len__(self) -> int:
        return jobs.running_jobs()

    def invalidate_plan(self) -> None:
        """The order is the queue's."""

    def submit_ready(self) -> bool:
        """See now and then that whatever is due has a job. True while there is work about."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + RECONCILE_INTERVAL
            reconcile_jobs(self._home)
        if time.monotonic() >= self._next_tidying:
            self._next_tidying = time.monotonic() + CLEANUP_INTERVAL
            jobs.delete_old_jobs()
        return len(self) > 0

    def collect_done(self) -> int:
        """How many pictures the machines made since the last call: they are to be placed."""
        rows = Publication.objects.filter(state=PublicationState.WRITTEN)
        before, self._made = self._made, set(rows.values_list("pk", flat=True))
        return len(self._made - before)

    def release_all(self) -> None:
        """What machines have in hand they go on with."""


def reconcile_jobs(home: Home) -> int:
    """Give dead machines' jobs to others, and make those that are missing. Returns how many."""
    jobs.delete_old_jobs()
    rescued = jobs.requeue_stalled()
    items = _without_job(pending_items(), jobs.EXAMINE, "pk").order_by("priority", "received_at")
    made = _without_job(publications_to_render(home), jobs.RENDER, "item_id")
    missing = list(items.values_list("pk", "priority")[:MAX_JOBS_PER_ROUND])
    unmade = set(made.values_list("item_id", flat=True)[:MAX_JOBS_PER_ROUND])
    if missing or unmade:
        with transaction.atomic():
            for item_id, priority in missing:
                jobs.enqueue_examination(home, item_id, priority)
            for item_id in unmade:
                jobs.enqueue_renditions(home, item_id)
    return rescued + len(missing) + len(unmade)


def _without_job(rows: QuerySet[Row], task: str, item: str) -> QuerySet[Row]:
    """Those for whose item there is no such job: waiting, in hand, or failed within a day."""
    key = Concat(Value(jobs.queueing_lock(task, "")), OuterRef(item), output_field=CharField())
    known = ProcrastinateJob.objects.filter(queueing_lock=key, status__in=jobs.ACTIVE_STATUSES)
    return rows.filter(~Exists(known))
