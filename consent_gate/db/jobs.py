"""The queue of jobs for worker machines. procrastinate stores it in the school's own schema.

A job is created in the transaction that makes the work due. It only names an item; the rows of
items and publications say what to do. So lost and duplicate jobs do no harm:
``ingest.runtime.dispatcher`` creates a lost job again, and a worker checks the row first.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
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
"""Task: examine one item, decide, and record the verdicts."""
RENDER: Final = "render"
"""Task: make the renditions of one item that are to be published."""

QUEUE_PRIORITIES: Final = {"render": 30, "live": 20, "again": 10, "backfill": 0}
"""The queues, one for each kind of work, and their priorities: jobs of the highest run first."""

_EXAMINATION_QUEUES: Final = ("live", "again", "backfill")
"""Queue of an examination, indexed by ``consent_gate.db.models.Priority``."""

DEAD_AFTER_SECONDS = 30.0
"""Seconds without a heartbeat after which the jobs of a worker are given to others. A procrastinate
worker sends a heartbeat every ten seconds."""

ACTIVE_STATUSES: Final = (Status.TODO.value, Status.DOING.value, Status.FAILED.value)
"""Statuses of a job in which no second job for the same work is created."""

DUE_AT_ONCE: Final = datetime.min.replace(year=1970, tzinfo=UTC)
"""Due time of a job that is to run as soon as possible. By every machine's clock it is past."""

FAILED_KEPT_HOURS = 24
"""How long a job that failed finally is kept; after that a new job tries the work again."""


def uses_remote_workers(home: Home) -> bool:
    """Whether ``consent-gate worker`` processes examine this home's photos."""
    return home.settings.analysis.where == "workers"


def enqueue_examination(home: Home, item_id: str, priority: int) -> None:
    """Create the job to examine an item, if the home uses worker machines.

    A job that waits already gets the higher of both priorities. Call inside the transaction that
    sets the state of the item.
    """
    if uses_remote_workers(home):
        _defer(EXAMINE, item_id, _EXAMINATION_QUEUES[priority])


def enqueue_renditions(home: Home, item_id: str) -> None:
    """Create the job to make the renditions of an item, if the home uses worker machines.

    Call inside the transaction that creates the publications.
    """
    if uses_remote_workers(home):
        _defer(RENDER, item_id, "render")


def queueing_lock(task: str, item_id: str) -> str:
    """Return procrastinate's queueing lock, which is unique among the waiting jobs."""
    return f"{task}:{item_id}"


def queued_jobs() -> dict[str, int]:
    """Return the number of waiting jobs of each queue."""
    jobs = ProcrastinateJob.objects.filter(status=Status.TODO.value)
    counts = dict(jobs.values_list("queue_name").annotate(Count("pk")))
    return {queue: counts.get(queue, 0) for queue in QUEUE_PRIORITIES}


def next_job_priority() -> int | None:
    """Return the priority of the job that is due next; None if there is no job."""
    jobs = ProcrastinateJob.objects.filter(status=Status.TODO.value).exclude(
        scheduled_at__gt=server_now()
    )
    return jobs.order_by("-priority").values_list("priority", flat=True).first()


def running_jobs() -> int:
    """Return the number of jobs that workers have started and not finished."""
    return ProcrastinateJob.objects.filter(status=Status.DOING.value).count()


def live_workers() -> int:
    """Return the number of worker processes with a recent heartbeat."""
    alive_since = server_now() - timedelta(seconds=DEAD_AFTER_SECONDS)
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=alive_since).count()


def requeue_stalled() -> int:
    """Put the running jobs of dead workers back into their queues. Returns how many."""
    stalled = async_to_sync(app.job_manager.get_stalled_jobs)(
        seconds_since_heartbeat=DEAD_AFTER_SECONDS
    )
    return sum(_requeue_from_dead_worker(job) for job in stalled)


def delete_old_jobs() -> None:
    """Delete failed jobs after a day, so that new jobs can try the work again."""
    async_to_sync(app.job_manager.delete_old_jobs)(
        nb_hours=FAILED_KEPT_HOURS, include_failed=True, include_aborted=True
    )


def disable_cross_schema_notify() -> None:
    """Disable PostgreSQL's NOTIFY for new jobs. Call after migrating.

    Every role in the database can listen to notifications, also those of other schools, and commits
    that notify wait for each other. Workers poll every second instead.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE procrastinate_jobs"
                " DISABLE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1"
            )


def _defer(task: str, item_id: str, queue: str) -> None:
    lock = queueing_lock(task, item_id)
    for job in ProcrastinateJob.objects.filter(queueing_lock=lock, status=Status.TODO.value):
        if job.priority >= QUEUE_PRIORITIES[queue]:
            return
        app.job_manager.cancel_job_by_id(job.pk, delete_job=True)
    deferrer = app.configure_task(
        task, queue=queue, priority=QUEUE_PRIORITIES[queue], queueing_lock=lock
    )
    try:
        with transaction.atomic():  # a savepoint: an error here must not undo the decision
            deferrer.defer(item_id=item_id)
    except AlreadyEnqueued:
        return  # another machine has just requeued the same job


def _requeue_from_dead_worker(job: Job) -> bool:
    duplicates = ProcrastinateJob.objects.filter(
        queueing_lock=job.queueing_lock, status=Status.TODO.value
    )
    with transaction.atomic():
        rows = ProcrastinateJob.objects.select_for_update(skip_locked=True)
        if not rows.filter(pk=job.id, status=Status.DOING.value).exists():
            return False  # another machine has requeued it
        if duplicates.exists():  # a job for the same work is waiting
            async_to_sync(app.job_manager.finish_job)(job, Status.FAILED, delete_job=True)
        else:
            async_to_sync(app.job_manager.retry_job)(job, retry_at=DUE_AT_ONCE)
    return True
