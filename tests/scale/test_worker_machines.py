"""Worker machines: every photo is examined once in effect, whatever becomes of the machines."""

from __future__ import annotations

import signal
import threading
from pathlib import Path

import pytest
from django.db import connection, transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from typer.testing import CliRunner

from consent_gate import jobs
from consent_gate.bootstrap import Home
from consent_gate.cli.commands import app
from consent_gate.db import trail
from consent_gate.db.gallery_stamp import gallery_stamp
from consent_gate.db.models import (
    AuditEntry,
    ChannelDecision,
    EnrolmentPhoto,
    Item,
    ItemState,
    Priority,
    Publication,
    PublicationState,
    Template,
)
from consent_gate.evidence_codec import from_json
from consent_gate.gallery import Gallery, gallery_of
from consent_gate.health import State, worker_machines
from consent_gate.model import NotExamined
from ingest import shift
from ingest.handing_out import catch_up
from ingest.intake import take_in
from ingest.pipeline import MAX_ATTEMPTS, GalleryChanged
from ingest.queue import send_back
from ingest.shift import MachineUnfit, Shift, make_pictures, process_item, work
from publish.release import publish_pending
from tests.cheap_analysis import CheapPool
from tests.cheap_worker import POISON
from tests.fixtures_images import jpeg, scene
from tests.machines import Machines, time_passes_for_the_dead
from tests.press import files_of
from tests.running import eventually
from tests.world import World


def drop(home: Home, *, count: int = 1, event: str = "sports-day", tail: bytes = b"") -> list[str]:
    """Photos that the office copied in and the gate has taken in. Their items, oldest first."""
    folder = home.inbox / event
    folder.mkdir(exist_ok=True)
    before = Item.objects.count()
    for n in range(before, before + count):
        (folder / f"IMG_{n}.jpg").write_bytes(jpeg(scene(96, 64, seed=n)) + tail)
    assert take_in(home).new == count
    return list(Item.objects.order_by("received_at").values_list("pk", flat=True))[before:]


def states() -> dict[str, int]:
    found = list(Item.objects.values_list("state", flat=True))
    return {state: found.count(state) for state in set(found)}


def examined() -> list[str]:
    """Subjects of what the audit trail says was examined; one entry each time."""
    rows = AuditEntry.objects.filter(action="item.examined").order_by("sequence")
    return list(rows.values_list("subject", flat=True))


def a_shift(home: Home) -> Shift:
    return Shift(home, CheapPool(home, gallery_of([])), gallery_stamp(home))


def test_a_photo_taken_in_has_its_job_from_the_same_transaction(school: Home) -> None:
    (item,) = drop(school)
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args, job.queue_name) == ("examine", {"item_id": item}, "live")


def test_a_decision_that_is_not_committed_leaves_no_job_behind(school: Home) -> None:
    with transaction.atomic():
        jobs.examination_due(school, "a", Priority.LIVE)
        jobs.pictures_due(school, "a")
        assert sum(jobs.waiting().values()) == 2
        transaction.set_rollback(True)
    assert sum(jobs.waiting().values()) == 0


def test_a_home_that_examines_itself_makes_no_jobs(home_on_postgresql: Home) -> None:
    drop(home_on_postgresql)
    assert not ProcrastinateJob.objects.exists()


def test_jobs_are_announced_to_nobody(school: Home, postgresql_server: object) -> None:
    """PostgreSQL's announcements are heard by every role of the database, so by other schools."""
    with connection.cursor() as cursor:
        cursor.execute("LISTEN procrastinate_any_queue_v1")
        drop(school)
        assert ProcrastinateJob.objects.count() == 1
        assert connection.connection is not None
        heard = list(connection.connection.notifies(timeout=0.3))
    assert heard == []


def test_photos_of_today_go_before_second_looks_and_these_before_an_archive(school: Home) -> None:
    archive, again, live = drop(school, count=3)
    ProcrastinateJob.objects.all()._raw_delete(ProcrastinateJob.objects.db)
    with transaction.atomic():
        for item, priority in (
            (archive, Priority.BACKFILL),
            (again, Priority.AGAIN),
            (live, Priority.LIVE),
        ):
            jobs.examination_due(school, item, priority)
        jobs.pictures_due(school, archive)
    order = ProcrastinateJob.objects.order_by("-priority").values_list("task_name", "args__item_id")
    assert list(order) == [
        ("render", archive),
        ("examine", live),
        ("examine", again),
        ("examine", archive),
    ]
    assert jobs.rank_of_next() == jobs.QUEUES["render"]


def test_a_photo_that_is_wanted_sooner_moves_up_and_never_down(school: Home) -> None:
    (item,) = drop(school)
    Item.objects.update(state=ItemState.DECIDED)
    ProcrastinateJob.objects.all()._raw_delete(ProcrastinateJob.objects.db)
    send_back(school, Item.objects.all(), Priority.BACKFILL)
    assert [j.queue_name for j in ProcrastinateJob.objects.all()] == ["backfill"]
    for priority in (Priority.LIVE, Priority.AGAIN):
        with transaction.atomic():
            jobs.examination_due(school, item, priority)
        assert [j.queue_name for j in ProcrastinateJob.objects.all()] == ["live"]


def test_photos_are_examined_and_their_pictures_made_by_a_worker(
    school: Home, machines: Machines
) -> None:
    drop(school, count=5)
    machines.start()
    eventually(lambda: Publication.objects.filter(state=PublicationState.WRITTEN).count() == 5, 40)
    assert files_of(school) != {}
    publish_pending(school, None)
    assert Publication.objects.filter(state=PublicationState.LIVE).count() == 5
    assert trail.verify(school) == []
    eventually(lambda: not ProcrastinateJob.objects.exists())


def test_a_job_that_comes_twice_has_one_effect(school: Home) -> None:
    """At the same moment on two machines, and once more when all is done."""
    (item,) = drop(school)
    both = threading.Barrier(2)

    class Together(CheapPool):
        def examine(self, data):  # type: ignore[no-untyped-def]
            both.wait(timeout=20)
            return super().examine(data)

    def one_machine() -> None:
        try:
            process_item(Shift(school, Together(school, gallery_of([])), stamp), item)
        finally:
            connection.close()

    stamp = gallery_stamp(school)
    threads = [threading.Thread(target=one_machine) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    again = a_shift(school)
    process_item(again, item)
    assert examined() == [f"item:{item}"]
    assert ChannelDecision.objects.filter(item=item).count() == 3
    make_pictures(again, item)
    make_pictures(again, item)
    publish_pending(school, None)
    publish_pending(school, None)
    released = AuditEntry.objects.filter(action="publication.released")
    assert released.count() == Publication.objects.count() == len(files_of(school)) == 1
    assert trail.verify(school) == []


def test_the_photos_of_a_killed_worker_go_to_another(school: Home, machines: Machines) -> None:
    drop(school, count=6)
    first = machines.start(seconds=60)
    eventually(lambda: jobs.in_hand() == 2, 40)
    machines.kill(first)
    machines.start()
    eventually(lambda: states() == {"received": 2, "decided": 4}, 40)
    time_passes_for_the_dead()
    catch_up(school)
    eventually(lambda: states() == {"decided": 6}, 40)
    assert sorted(examined()) == sorted(
        f"item:{pk}" for pk in Item.objects.values_list("pk"[:2], flat=True)
    )


def test_a_worker_that_is_slow_but_alive_keeps_its_photos(school: Home, machines: Machines) -> None:
    drop(school)
    machines.start(seconds=60)
    eventually(lambda: jobs.in_hand() == 1, 40)
    assert jobs.rescue() == 0
    assert catch_up(school) == 0


def test_a_photo_that_kills_every_worker_is_held_not_tried_for_ever(
    school: Home, machines: Machines
) -> None:
    (item,) = drop(school, tail=POISON)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        program = machines.start()
        assert program.wait(timeout=60) == -signal.SIGKILL
        machines.programs.remove(program)
        assert Item.objects.get().attempts == attempt
        time_passes_for_the_dead()
        catch_up(school)
    machines.start()
    eventually(lambda: states() == {"decided": 1}, 40)
    assert isinstance(from_json(Item.objects.get(pk=item).evidence), NotExamined)
    assert {d.verdict for d in ChannelDecision.objects.all()} == {"held"}


def test_a_worker_told_to_stop_finishes_what_it_has_and_takes_no_more(
    school: Home, machines: Machines
) -> None:
    drop(school, count=8)
    program = machines.start(seconds=2)
    eventually(lambda: jobs.in_hand() == 2, 40)
    program.send_signal(signal.SIGTERM)
    assert program.wait(timeout=20) == 0, machines.said()
    assert states() == {"decided": 2, "received": 6}
    assert jobs.in_hand() == 0
    assert jobs.waiting()["live"] == 6
    assert set(Item.objects.values_list("attempts", flat=True)) == {0}


def test_what_takes_longer_than_the_grace_is_put_back_and_was_no_attempt(
    school: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "GRACE", 0.5)
    (item,) = drop(school)
    stop = threading.Event()
    work_with(school, stop, Stuck, lambda: eventually(lambda: Item.objects.get().attempts == 1))
    assert states() == {"received": 1}
    assert Item.objects.get(pk=item).attempts == 0
    assert (jobs.in_hand(), jobs.waiting()["live"]) == (0, 1)


def test_a_job_that_was_lost_is_made_again(school: Home) -> None:
    (item,) = drop(school)
    process_item(a_shift(school), item)
    (second,) = drop(school)
    ProcrastinateJob.objects.all()._raw_delete(ProcrastinateJob.objects.db)
    assert catch_up(school) == 2
    due = set(ProcrastinateJob.objects.values_list("task_name", "args__item_id"))
    assert due == {("render", item), ("examine", second)}
    assert catch_up(school) == 0


def test_what_was_compared_with_an_older_gallery_is_not_recorded(school: Home) -> None:
    """A brother enrolled meanwhile was not there to be compared with, and the register no longer
    warns that he has no template: his face, taken for his sister's, would go out."""
    (item,) = drop(school)
    older = a_shift(school)
    enrol_somebody(school)
    with pytest.raises(GalleryChanged):
        process_item(older, item)
    assert states() == {"received": 1}
    assert (examined(), Publication.objects.count()) == ([], 0)
    assert Item.objects.get().attempts == 0
    process_item(a_shift(school), item)
    assert states() == {"decided": 1}


def test_a_worker_goes_on_with_the_new_gallery_after_an_enrolment(
    school: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shift, "SECONDS_BETWEEN_GALLERY_CHECKS", 0.2)
    opened: list[int] = []

    class Counting(CheapPool):
        def __init__(self, home: Home, gallery: Gallery) -> None:
            super().__init__(home, gallery)
            opened.append(len(opened))

    def an_enrolment() -> None:
        eventually(lambda: len(opened) == 1)
        enrol_somebody(school)
        eventually(lambda: len(opened) == 2)
        drop(school)
        eventually(lambda: states() == {"decided": 1})

    monkeypatch.setattr(shift, "load_gallery", lambda _: gallery_of([]))
    work_with(school, threading.Event(), Counting, an_enrolment)


def test_a_machine_without_the_shared_vault_holds_nothing_up(school: Home, tmp_path: Path) -> None:
    (item,) = drop(school)
    school.vault.rename(tmp_path / "elsewhere")
    school.vault.mkdir()
    with pytest.raises(MachineUnfit):
        work(school, threading.Event(), until_done=True, open_pool=CheapPool)
    assert Item.objects.get(pk=item).state == ItemState.RECEIVED
    assert not ChannelDecision.objects.exists()
    assert jobs.in_hand() == 0
    assert ProcrastinateJob.objects.get().status == "todo"


def test_a_worker_that_is_told_so_ends_when_nothing_is_left(school: Home) -> None:
    drop(school, count=3)
    work(school, threading.Event(), until_done=True, open_pool=CheapPool)
    assert states() == {"decided": 3}
    assert set(Publication.objects.values_list("state", flat=True)) == {"written"}
    assert not ProcrastinateJob.objects.exists()


class Stuck(CheapPool):
    """An analysis that takes for ever, until it is dismissed."""

    def __init__(self, home: Home, gallery: Gallery) -> None:
        super().__init__(home, gallery)
        self._dismissed = threading.Event()

    def dismiss(self) -> None:
        self._dismissed.set()

    def examine(self, data):  # type: ignore[no-untyped-def]
        return self._executor.submit(self._hang)

    def _hang(self):  # type: ignore[no-untyped-def]
        from ingest.crew import CrewUnusable

        self._dismissed.wait(60)
        raise CrewUnusable("The workers were stopped.")


def work_with(home: Home, stop: threading.Event, pool, meanwhile) -> None:  # type: ignore[no-untyped-def]
    """A worker in a thread; something happens meanwhile; then it is told to stop."""
    thread = threading.Thread(target=lambda: work(home, stop, open_pool=pool))
    thread.start()
    try:
        meanwhile()
    finally:
        stop.set()
        thread.join(timeout=30)
    assert not thread.is_alive()


def enrol_somebody(home: Home) -> None:
    """Another template is in force."""
    pupil = World(home).a_pupil(f"9{EnrolmentPhoto.objects.count():05}", enrolled=True)
    assert Template.objects.filter(photo__pupil=pupil).exists()


def test_photos_that_wait_without_any_worker_are_told(school: Home) -> None:
    assert [f.state for f in worker_machines(school)] == [State.GOOD]
    drop(school)
    assert [f.state for f in worker_machines(school)] == [State.BAD]


def test_a_home_that_examines_itself_has_no_worker_machines(home_on_postgresql: Home) -> None:
    assert list(worker_machines(home_on_postgresql)) == []
    asked = CliRunner().invoke(app, ["--home", str(home_on_postgresql.root), "worker"])
    assert (asked.exit_code, "where" in asked.output) == (2, True)
