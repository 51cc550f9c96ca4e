"""Worker machines examine every photo with one effect, also when machines fail."""

from __future__ import annotations

import signal
import threading
from concurrent.futures import Future
from datetime import timedelta
from pathlib import Path

import procrastinate
import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.db import audit_log, jobs
from consent_gate.db.evidence_json import from_json
from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    Item,
    ItemState,
    Publication,
    PublicationState,
)
from consent_gate.decisions import lookalikes
from consent_gate.errors import StorageFull
from consent_gate.home.clock import server_clock_offset, utc_now
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery, gallery_of
from consent_gate.model import NotExamined
from consent_gate.operations.health.health_check import State
from consent_gate.operations.health.work_checks import worker_machines
from consent_gate.register.gallery_version import gallery_version
from ingest.examinations import MAX_ATTEMPTS, StaleGallery
from ingest.runtime import worker_session
from ingest.runtime.dispatcher import reconcile_jobs
from ingest.runtime.worker_session import (
    WorkerMisconfigured,
    WorkerSession,
    process_item,
    render_item,
    run_session,
)
from ingest.workers.examination import Examination
from ingest.workers.worker_errors import WorkerPoolUnavailable
from publish.release import publish_pending
from tests.support.fake_analysis import FakePool
from tests.support.fake_renderer import published_files
from tests.support.fake_worker import KILLS_WORKER
from tests.support.gate_thread import wait_until
from tests.support.worker_machines import (
    add_photos,
    count_states,
    enrol_pupil,
    examined_items,
    make_session,
    run_worker_during,
)
from tests.support.worker_processes import WorkerPrograms, age_worker_heartbeats


def test_photos_are_examined_and_their_pictures_made_by_a_worker(
    school: Home, machines: WorkerPrograms
) -> None:
    add_photos(school, count=5)
    machines.start()
    wait_until(lambda: Publication.objects.filter(state=PublicationState.WRITTEN).count() == 5)
    assert published_files(school) != {}
    publish_pending(school, None)
    assert Publication.objects.filter(state=PublicationState.LIVE).count() == 5
    assert audit_log.verify(school) == []
    wait_until(lambda: not ProcrastinateJob.objects.exists())


def test_a_job_that_comes_twice_has_one_effect(school: Home) -> None:
    """At the same moment on two machines, and once more when all is done."""
    (item,) = add_photos(school)
    both = threading.Barrier(2)

    class Together(FakePool):
        def examine(self, data: bytes) -> Future[Examination]:
            both.wait(timeout=120)
            return super().examine(data)

    def one_machine() -> None:
        try:
            process_item(WorkerSession(school, Together(school, gallery_of([])), stamp), item)
        finally:
            connection.close()

    stamp = gallery_version(school)
    threads = [threading.Thread(target=one_machine) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = make_session(school)
    process_item(again, item)
    assert examined_items() == [f"item:{item}"]
    assert ChannelDecision.objects.filter(item=item).count() == 3
    render_item(again, item)
    render_item(again, item)
    publish_pending(school, None)
    publish_pending(school, None)
    released = AuditEntry.objects.filter(action="publication.released")
    assert released.count() == Publication.objects.count() == len(published_files(school)) == 1
    assert audit_log.verify(school) == []


def test_the_photos_of_a_killed_worker_go_to_another(
    school: Home, machines: WorkerPrograms
) -> None:
    add_photos(school, count=6)
    first = machines.start(seconds=60)
    wait_until(lambda: jobs.running_jobs() == 2)
    machines.kill(first)
    machines.start()
    wait_until(lambda: count_states() == {"received": 2, "decided": 4})
    age_worker_heartbeats()
    reconcile_jobs(school)
    wait_until(lambda: count_states() == {"decided": 6})
    assert sorted(examined_items()) == sorted(
        f"item:{pk}" for pk in Item.objects.values_list("pk"[:2], flat=True)
    )


def test_a_worker_that_is_slow_but_alive_keeps_its_photos(
    school: Home, machines: WorkerPrograms
) -> None:
    add_photos(school)
    machines.start(seconds=60)
    wait_until(lambda: jobs.running_jobs() == 1)
    assert jobs.requeue_stalled() == 0
    assert reconcile_jobs(school) == 0


def test_a_photo_that_kills_every_worker_is_held_not_tried_for_ever(
    school: Home, machines: WorkerPrograms
) -> None:
    (item,) = add_photos(school, tail=KILLS_WORKER)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        program = machines.start()
        assert program.wait(timeout=60) == -signal.SIGKILL
        machines.programs.remove(program)
        assert Item.objects.get().attempts == attempt
        age_worker_heartbeats()
        reconcile_jobs(school)
    machines.start()
    wait_until(lambda: count_states() == {"decided": 1})
    assert isinstance(from_json(Item.objects.get(pk=item).evidence), NotExamined)
    assert {d.verdict for d in ChannelDecision.objects.all()} == {"held"}


def test_a_worker_told_to_stop_finishes_what_it_has_and_takes_no_more(
    school: Home, machines: WorkerPrograms
) -> None:
    add_photos(school, count=8)
    program = machines.start(seconds=2)
    wait_until(lambda: jobs.running_jobs() == 2)
    program.send_signal(signal.SIGTERM)
    assert program.wait(timeout=120) == 0, machines.said()
    assert count_states() == {"decided": 2, "received": 6}
    assert jobs.running_jobs() == 0
    assert jobs.queued_jobs()["live"] == 6
    assert set(Item.objects.values_list("attempts", flat=True)) == {0}


def test_what_takes_longer_than_the_grace_is_put_back_and_was_no_attempt(
    school: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_session, "SHUTDOWN_GRACE_SECONDS", 0.5)
    (item,) = add_photos(school)
    stop = threading.Event()
    run_worker_during(
        school, stop, Stuck, lambda: wait_until(lambda: Item.objects.get().attempts == 1)
    )
    assert count_states() == {"received": 1}
    assert Item.objects.get(pk=item).attempts == 0
    assert (jobs.running_jobs(), jobs.queued_jobs()["live"]) == (0, 1)


def test_what_was_compared_with_an_older_gallery_is_not_recorded(school: Home) -> None:
    """A brother enrolled meanwhile was not there to be compared with, and the register no longer
    warns that he has no template: his face, taken for his sister's, would go out."""
    (item,) = add_photos(school)
    older = make_session(school)
    enrol_pupil(school)
    with pytest.raises(StaleGallery):
        process_item(older, item)
    assert count_states() == {"received": 1}
    assert (examined_items(), Publication.objects.count()) == ([], 0)
    assert Item.objects.get().attempts == 0
    process_item(make_session(school), item)
    assert count_states() == {"decided": 1}


def test_a_worker_goes_on_with_the_new_gallery_after_an_enrolment(
    school: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_session, "GALLERY_CHECK_INTERVAL", 0.2)
    opened: list[int] = []

    class Counting(FakePool):
        def __init__(self, home: Home, gallery: Gallery) -> None:
            super().__init__(home, gallery)
            opened.append(len(opened))

    def an_enrolment() -> None:
        wait_until(lambda: len(opened) == 1)
        enrol_pupil(school)
        wait_until(lambda: len(opened) == 2)
        add_photos(school)
        wait_until(lambda: count_states() == {"decided": 1})

    monkeypatch.setattr(lookalikes, "load_gallery", lambda _, **_options: gallery_of([]))
    run_worker_during(school, threading.Event(), Counting, an_enrolment)


def test_a_machine_without_the_shared_vault_holds_nothing_up(school: Home, tmp_path: Path) -> None:
    (item,) = add_photos(school)
    school.vault.rename(tmp_path / "elsewhere")
    school.vault.mkdir()
    with pytest.raises(WorkerMisconfigured):
        run_session(school, threading.Event(), drain=True, open_pool=FakePool)
    assert Item.objects.get(pk=item).state == ItemState.RECEIVED
    assert not ChannelDecision.objects.exists()
    assert jobs.running_jobs() == 0
    assert ProcrastinateJob.objects.get().status == "todo"


def test_a_worker_that_is_told_so_ends_when_nothing_is_left(school: Home) -> None:
    add_photos(school, count=3)
    run_session(school, threading.Event(), drain=True, open_pool=FakePool)
    assert count_states() == {"decided": 3}
    assert set(Publication.objects.values_list("state", flat=True)) == {"written"}
    assert not ProcrastinateJob.objects.exists()


class Stuck(FakePool):
    """An analysis that takes for ever, until it is dismissed."""

    def __init__(self, home: Home, gallery: Gallery) -> None:
        super().__init__(home, gallery)
        self._dismissed = threading.Event()

    def terminate(self) -> None:
        self._dismissed.set()

    def examine(self, data: bytes) -> Future[Examination]:
        return self._executor.submit(self._hang)

    def _hang(self) -> Examination:
        self._dismissed.wait(60)
        raise WorkerPoolUnavailable("The workers were stopped.")


def test_photos_that_wait_without_any_worker_are_reported(school: Home) -> None:
    assert [f.state for f in worker_machines(school)] == [State.GOOD]
    add_photos(school)
    assert [f.state for f in worker_machines(school)] == [State.BAD]


def test_a_home_that_examines_itself_has_no_worker_machines(home_on_postgresql: Home) -> None:
    assert list(worker_machines(home_on_postgresql)) == []
    asked = CliRunner().invoke(app, ["--home", str(home_on_postgresql.root), "worker"])
    assert (asked.exit_code, "where" in asked.output) == (2, True)


def leave_photos_to_a_dead_worker(school: Home, machines: WorkerPrograms) -> None:
    """Two photos, whose worker died a minute ago."""
    add_photos(school, count=2)
    dead = machines.start(seconds=60)
    wait_until(lambda: jobs.running_jobs() == 2)
    machines.kill(dead)
    age_worker_heartbeats()


def test_a_worker_takes_over_from_a_dead_one_by_itself(
    school: Home, machines: WorkerPrograms, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_session, "REQUEUE_INTERVAL", 0.2)
    leave_photos_to_a_dead_worker(school, machines)
    run_worker_during(
        school,
        threading.Event(),
        FakePool,
        lambda: wait_until(lambda: count_states() == {"decided": 2}),
    )
    assert len(examined_items()) == 2


@pytest.mark.parametrize("days", [-400, 400])
def test_a_wrong_clock_of_one_machine_delays_no_photo(
    school: Home, machines: WorkerPrograms, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    """That machine puts a dead worker's jobs back, and one of its own that failed."""
    wrong = timedelta(days=days)
    monkeypatch.setattr(procrastinate.utils, "utcnow", lambda: utc_now() + wrong)
    monkeypatch.setattr(worker_session, "utc_now", lambda: utc_now() + wrong)
    monkeypatch.setattr(worker_session, "server_clock_offset", lambda: -wrong)
    monkeypatch.setattr(worker_session, "REQUEUE_INTERVAL", 0.2)
    monkeypatch.setattr(worker_session, "RETRY_AFTER", timedelta(seconds=0.2))
    failed = iter([True])

    class FailsOnce(FakePool):
        def examine(self, data: bytes) -> Future[Examination]:
            if next(failed, False):
                raise StorageFull("The disk is full.")
            return super().examine(data)

    leave_photos_to_a_dead_worker(school, machines)
    run_worker_during(
        school,
        threading.Event(),
        FailsOnce,
        lambda: wait_until(lambda: count_states() == {"decided": 2}),
    )
    assert next(failed, None) is None


@pytest.mark.clock
def test_the_database_server_has_the_same_date(school: Home) -> None:
    assert abs(server_clock_offset()) < timedelta(minutes=1)
