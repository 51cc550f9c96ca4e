"""Jobs are made in the transaction that makes them due, and run in the right order."""

from __future__ import annotations

from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from consent_gate.db import jobs
from consent_gate.db.models import (
    Item,
    ItemState,
    Priority,
)
from consent_gate.home.home import Home
from ingest.runtime.dispatcher import reconcile_jobs
from ingest.runtime.worker_session import process_item
from ingest.scheduling.queue import requeue
from tests.support.worker_machines import add_photos, make_session


def test_a_photo_taken_in_has_its_job_from_the_same_transaction(school: Home) -> None:
    (item,) = add_photos(school)
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args, job.queue_name) == ("examine", {"item_id": item}, "live")


def test_a_decision_that_is_not_committed_leaves_no_job_behind(school: Home) -> None:
    with transaction.atomic():
        jobs.enqueue_examination(school, "a", Priority.LIVE)
        jobs.enqueue_renditions(school, "a")
        assert sum(jobs.queued_jobs().values()) == 2
        transaction.set_rollback(True)
    assert sum(jobs.queued_jobs().values()) == 0


def test_a_home_that_examines_itself_makes_no_jobs(home_on_postgresql: Home) -> None:
    add_photos(home_on_postgresql)
    assert not ProcrastinateJob.objects.exists()


def test_jobs_are_announced_to_nobody(school: Home, postgresql_server: object) -> None:
    """PostgreSQL's announcements are heard by every role of the database, so by other schools."""
    with connection.cursor() as cursor:
        cursor.execute("LISTEN procrastinate_any_queue_v1")
        add_photos(school)
        assert ProcrastinateJob.objects.count() == 1
        assert connection.connection is not None
        heard = list(connection.connection.notifies(timeout=0.3))
    assert heard == []


def test_photos_of_today_go_before_reexaminations_and_these_before_an_archive(school: Home) -> None:
    archive, again, live = add_photos(school, count=3)
    ProcrastinateJob.objects.all()._raw_delete(ProcrastinateJob.objects.db)
    with transaction.atomic():
        for item, priority in (
            (archive, Priority.ARCHIVE),
            (again, Priority.REEXAMINE),
            (live, Priority.LIVE),
        ):
            jobs.enqueue_examination(school, item, priority)
        jobs.enqueue_renditions(school, archive)
    order = ProcrastinateJob.objects.order_by("-priority").values_list("task_name", "args__item_id")
    assert list(order) == [
        ("render", archive),
        ("examine", live),
        ("examine", again),
        ("examine", archive),
    ]
    assert jobs.next_job_priority() == jobs.QUEUE_PRIORITIES["render"]


def test_a_photo_that_is_wanted_sooner_moves_up_and_never_down(school: Home) -> None:
    (item,) = add_photos(school)
    Item.objects.update(state=ItemState.DECIDED)
    ProcrastinateJob.objects.all()._raw_delete(ProcrastinateJob.objects.db)
    requeue(school, Item.objects.all(), Priority.ARCHIVE)
    assert [j.queue_name for j in ProcrastinateJob.objects.all()] == ["backfill"]
    for priority in (Priority.LIVE, Priority.REEXAMINE):
        with transaction.atomic():
            jobs.enqueue_examination(school, item, priority)
        assert [j.queue_name for j in ProcrastinateJob.objects.all()] == ["live"]


def test_a_job_that_was_lost_is_made_again(school: Home) -> None:
    (item,) = add_photos(school)
    process_item(make_session(school), item)
    (second,) = add_photos(school)
    ProcrastinateJob.objects.all()._raw_delete(ProcrastinateJob.objects.db)
    assert reconcile_jobs(school) == 2
    due = set(ProcrastinateJob.objects.values_list("task_name", "args__item_id"))
    assert due == {("render", item), ("examine", second)}
    assert reconcile_jobs(school) == 0
