"""Handing work to other machines: a job is deferred in the transaction that makes the work due.

The rows of items and publications are the truth; a job only says where to look. One that is lost,
or comes twice, changes nothing: ``ingest.runtime.dispatcher`` makes the lost one again, and whoever
does a job asks the row first. procrastinate keeps the jobs, in tables of the school's own schema.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from asgiref.sync import async_to_sync
from django.db import connection, transaction
from django.db.models import Count
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Job, Status

from consent_gate.home.clock import server_now
from consent_gate.home.home import Home

EXAMINE: Final = "examine"
"""Task: look at one item, decide and record."""
RENDER: Final = "render"
"""Task: make the pictures of one item that are to go out."""

QUEUES: Final = {"render": 30, "live": 20, "again": 10, "backfill": 0}
"""A queue for each kind of work, and its rank: of two waiting jobs the higher one goes first."""

_QUEUE_OF: Final = ("live", "again", "backfill")
"""By ``consent_gate.db.models.Priority``."""

DEAD_AFTER_SECONDS = 30.0
"""Seconds without a sign of life after which a machine's jobs go to others. procrastinate's
workers give one every ten."""

ACTIVE_STATUSES: Final = (Status.TODO.value, Status.DOING.value, Status.FAILED.value)
"""States of a job that keep another for the same work from being made."""

FAILED_KEPT_HOURS = 24
"""How long a job that failed again and again is left alone; then the work is tried afresh."""


def uses_remote_workers(home: Home) -> bool:
    """Whether this home's photos are examined by worker machines."""
    return home.settings.analysis.where == "workers"


def enqueue_examination(home: Home, item_id: str, priority: int) -> None:
    """An item waits to be examined. Call inside the transaction that says so in its row.

    One that waits already moves up where it is wanted sooner now.
    """
    if uses_remote_workers(home):
        _defer(EXAMINE, item_id, _QUEUE_OF[priority])


def enqueue_renditions(home: Home, item_id: str) -> None:
    """Pictures of an item are to be made. Call inside the transaction that intends them."""
    if uses_remote_workers(home):
        _defer(RENDER, item_id, "render")


def key_of(task: str, item_id: str) -> str:
    """What no two waiting jobs share: procrastinate's queueing lock."""
    return f"{task}:{item_id}"


def queued_jobs() -> dict[str, int]:
    """How many jobs of each queue nobody has taken yet."""
    jobs = ProcrastinateJob.objects.filter(status=Status.TODO.value)
    counts = dict(jobs.values_list("queue_name").annotate(Count("pk")))
    return {queue: counts.get(queue, 0) for queue in QUEUES}


def rank_of_next() -> int | None:
    """Rank of the job that would be taken next; None when there is none."""
    jobs = ProcrastinateJob.objects.filter(status=Status.TODO.value).exclude(
        scheduled_at__gt=server_now()
    )
    return jobs.order_by("-priority").values_list("priority", flat=True).first()


def running_jobs() -> int:
    """How many jobs machines have taken and not finished."""
    return ProcrastinateJob.objects.filter(status=Status.DOING.value).count()


def live_workers() -> int:
    """How many worker programs gave a sign of life lately."""
    alive_since = server_now() - timedelta(seconds=DEAD_AFTER_SECONDS)
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=alive_since).count()


def requeue_stalled() -> int:
    """Give the jobs of machines that died to others. Returns how many."""
    stalled = async_to_sync(app.job_manager.get_stalled_jobs)(
        seconds_since_heartbeat=DEAD_AFTER_SECONDS
    )
    return sum(_requeue_from_dead_worker(job) for job in stalled)


def delete_old_jobs() -> None:
    """Forget failed jobs after a day: what they were about is then tried afresh."""
    async_to_sync(app.job_manager.delete_old_jobs)(
        nb_hours=FAILED_KEPT_HOURS, include_failed=True, include_aborted=True
    )


def disable_cross_schema_notify() -> None:
    """Have new jobs announced to nobody. Call after migrating.

    Announcements of PostgreSQL are heard in the whole database, so by other schools' roles, and
    commits that make them wait for each other. Workers ask every second instead.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE procrastinate_jobs"
                " DISABLE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1"
            )


def _defer(task: str, item_id: str, queue: str) -> None:
    key = key_of(task, item_id)
    for job in ProcrastinateJob.objects.filter(queueing_lock=key, status=Status.TODO.value):
        if job.priority >= QUEUES[queue]:
            return
        app.job_manager.cancel_job_by_id(job.pk, delete_job=True)
    wanted = app.configure_task(task, queue=queue, priority=QUEUES[queue], queueing_lock=key)
    try:
        with transaction.atomic():  # a savepoint: the decision stands whatever becomes of this
            wanted.defer(item_id=item_id)
    except AlreadyEnqueued:
        return  # a machine has just put the same job back


def _requeue_from_dead_worker(job: Job) -> bool:
    twins = ProcrastinateJob.objects.filter(
        queueing_lock=job.queueing_lock, status=Status.TODO.value
    )
    with transaction.atomic():
        rows = ProcrastinateJob.objects.select_for_update(skip_locked=True)
        if not rows.filter(pk=job.id, status=Status.DOING.value).exists():
            return False  # another machine was quicker
        if twins.exists():  # the same work waits already
            async_to_sync(app.job_manager.finish_job)(job, Status.FAILED, delete_job=True)
        else:
            async_to_sync(app.job_manager.retry_job)(job)  # at once
    return True
