"""The program is killed, or its disk fills up, at every single step of a release."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection

from consent_gate.bootstrap import open_home
from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Publication
from consent_gate.home.home import Home
from consent_gate.publication import IN_MANIFEST, OPEN
from publish.integrity.check import find_discrepancies
from publish.recall.withdraw import remove_withdrawn
from publish.release import publish_pending
from tests.conftest import ROOT, Clock, CopyHome
from tests.support.fake_renderer import (
    FakeRenderer,
    assert_folders_hold_just_the_manifest,
    assert_readers_see_only_whole_pictures,
    make_photo,
    make_two_photos,
    make_world_with_ann,
    published_files,
    read_manifest,
    refuse_in_register,
    withdraw_consent,
)
from tests.support.fault_injection import (
    Injector,
    Killed,
    every_point,
    full_disk_at,
    injected,
    kill_at,
)
from tests.support.settings_override import with_channel, with_settings

Again = Callable[[], Home]


@pytest.fixture
def website(home: Home) -> Home:
    """A school with one channel: that has every step there is, and fewer points to try."""
    return only_the_website(home)


@pytest.fixture
def copies_of(
    tmp_path: Path, clock: Clock, another_home: CopyHome
) -> Iterator[Callable[[Home], Again]]:
    """Makes of a home what gives the same home anew each time."""

    def copies(home: Home) -> Again:
        pattern, number = another_home(home.root, tmp_path / "pattern"), iter(range(1000))

        def again() -> Home:
            root = another_home(pattern, tmp_path / f"copy{next(number)}")
            copy = only_the_website(replace(open_home(root), clock=clock))
            # A killed program loses nothing that was not synced; only a power cut would.
            if connection.vendor == "sqlite":
                options = connection.settings_dict["OPTIONS"]
                options["init_command"] = options["init_command"].replace("=FULL", "=OFF")
            return copy

        return again

    yield copies
    connection.close()


@pytest.fixture
def ready(website: Home, copies_of: Callable[[Home], Again]) -> Again:
    """Two pictures decided, nothing released yet."""
    make_two_photos(website)
    return copies_of(website)


@pytest.fixture
def out(website: Home, copies_of: Callable[[Home], Again]) -> Again:
    """The same, with both pictures released."""
    make_two_photos(website)
    publish(website)
    return copies_of(website)


@pytest.fixture
def several_files(website: Home, copies_of: Callable[[Home], Again]) -> Again:
    """One picture decided, which the website takes as JPEG, WebP and AVIF."""
    make_world_with_ann(website)
    make_photo(website, "000001")
    again = copies_of(website)
    return lambda: with_channel(again(), "website", also=("webp", "avif"))


def only_the_website(home: Home) -> Home:
    return with_settings(home, channels={"website": home.settings.channels["website"]})


def publish(home: Home) -> None:
    publish_pending(home, FakeRenderer())


def stopped_everywhere(
    again: Again,
    task: Callable[[Home], object],
    then: Callable[[Home], None],
    fault: Callable[[int], Injector] = kill_at,
) -> int:
    """Begin the task anew for every step of it and stop it there; ``then`` goes on.

    Returns how many steps there are.
    """

    def stopped(point: int) -> bool:
        home = again()
        struck = run_into(fault(point), lambda: task(home))
        then(home)
        return struck

    return every_point(stopped)


def run_into(injector: Injector, task: Callable[[], object]) -> bool:
    """Run with the fault. True when it struck."""
    with injected(injector):
        try:
            task()
        except Killed:
            connection.close()
    return bool(injector.struck)


def assert_all_out_once(home: Home) -> None:
    assert_folders_hold_just_the_manifest(home)
    assert find_discrepancies(home) == []
    assert audit_log.verify(home) == []
    for channel in home.settings.channels:
        assert len(read_manifest(home, channel)["items"]) == 2
    assert Publication.objects.count() == 2
    assert AuditEntry.objects.filter(action="publication.released").count() == 2


def assert_the_next_time_finishes_it(home: Home) -> None:
    assert_readers_see_only_whole_pictures(home)
    publish(home)
    assert_all_out_once(home)


def test_a_release_stopped_at_any_step_is_finished_the_next_time(ready: Again) -> None:
    assert stopped_everywhere(ready, publish, assert_the_next_time_finishes_it) > 30


def test_a_consent_withdrawn_while_the_program_was_stopped_leaves_nothing(ready: Again) -> None:
    def then(home: Home) -> None:
        withdraw_consent(home, "000002")
        publish(home)
        assert_folders_hold_just_the_manifest(home)
        assert len(published_files(home)) == 1
        assert find_discrepancies(home) == []

    assert stopped_everywhere(ready, publish, then) > 30


def test_consent_is_asked_for_again_in_the_step_that_shows_the_picture(ready: Again) -> None:
    """Even if nobody decided anything again since."""

    def then(home: Home) -> None:
        connection.close()
        rows = Publication.objects.filter(state__in=IN_MANIFEST, channel="website")
        shown = set(rows.values_list("file", flat=True))
        refuse_in_register("000001")
        publish(home)
        assert set(published_files(home)) == shown
        assert {entry["file"] for entry in read_manifest(home)["items"]} == shown

    assert stopped_everywhere(ready, publish, then) > 30


def test_a_full_disk_at_any_step_only_delays(ready: Again) -> None:
    then = assert_the_next_time_finishes_it
    assert stopped_everywhere(ready, publish, then, full_disk_at) > 20


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_folder_that_stays_full_or_locked_is_reported_and_holds_everything(
    ready: Again, fault: int
) -> None:
    home = ready()
    error = OSError(fault, os.strerror(fault), "/srv/Robin Ashdown.jpg")
    with injected(Injector(1, error, database=False, lasting=True)):
        troubles = publish_pending(home, FakeRenderer())
    assert {trouble.channel for trouble in troubles} == set(home.settings.channels)
    assert os.strerror(fault) in troubles[0].message
    assert "Robin" not in troubles[0].message
    assert not any(published_files(home, channel) for channel in home.settings.channels)
    publish(home)
    assert_all_out_once(home)


def test_a_recall_stopped_at_any_step_is_finished_the_next_time(out: Again) -> None:
    def then(home: Home) -> None:
        assert_readers_see_only_whole_pictures(home)
        publish(home)
        assert_folders_hold_just_the_manifest(home)
        assert published_files(home) == {}
        assert len(read_manifest(home)["withdrawn"]) == 2
        assert find_discrepancies(home) == []
        assert audit_log.verify(home) == []

    assert stopped_everywhere(without_ann(out), remove_withdrawn, then) > 10


def without_ann(again: Again) -> Again:
    """The same home with Ann's consent withdrawn."""

    def withdrawn() -> Home:
        home = again()
        withdraw_consent(home, "000001")
        return home

    return withdrawn


def test_a_picture_of_several_files_is_whole_or_not_there_wherever_it_stops(
    several_files: Again,
) -> None:
    def then(home: Home) -> None:
        assert_readers_see_only_whole_pictures(home)
        publish(home)
        assert_folders_hold_just_the_manifest(home)
        assert len(published_files(home)) == 3
        assert find_discrepancies(home) == []

    assert stopped_everywhere(several_files, publish, then) > 30


def test_none_of_a_pictures_files_stays_when_consent_goes_while_stopped(
    several_files: Again,
) -> None:
    def then(home: Home) -> None:
        withdraw_consent(home, "000001")
        publish(home)
        assert_folders_hold_just_the_manifest(home)
        assert published_files(home) == {}

    assert stopped_everywhere(several_files, publish, then) > 30


def test_a_recall_of_several_files_stopped_at_any_step_is_finished(several_files: Again) -> None:
    def released() -> Home:
        home = several_files()
        publish(home)
        return home

    def then(home: Home) -> None:
        assert_readers_see_only_whole_pictures(home)
        remove_withdrawn(home)
        assert published_files(home) == {}
        assert find_discrepancies(home) == []

    assert stopped_everywhere(without_ann(released), remove_withdrawn, then) > 10


def test_a_full_disk_does_not_keep_a_withdrawn_picture_up(out: Again) -> None:
    """The shorter manifest cannot be written: the pictures go all the same."""
    home = out()
    withdraw_consent(home, "000001")

    def no_room(*_: object) -> None:
        raise full_disk_at(1).error or AssertionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("publish.recall.withdraw.write_manifest", no_room)
        troubles = remove_withdrawn(home)
    assert [trouble.channel for trouble in troubles] == ["website"]
    assert published_files(home) == {}
    publish(home)
    assert read_manifest(home)["items"] == []
    assert find_discrepancies(home) == []


def test_nothing_goes_out_twice_when_two_programs_publish_at_once(ready: Again) -> None:
    """One finishes all of it while the other is between two steps."""
    home = ready()

    class Slow(FakeRenderer):
        def make_renditions(self, data, orders):  # type: ignore[no-untyped-def]
            if not self.opened:
                publish(home)
            return super().make_renditions(data, orders)

    publish_pending(home, Slow())
    assert Publication.objects.filter(state__in=OPEN).count() == 2
    assert_all_out_once(home)


@pytest.mark.slow
def test_a_program_killed_for_good_at_any_moment_leaves_only_whole_pictures(
    ready: Again,
) -> None:
    """A real process, a real SIGKILL, at moments spread over the release."""
    for wait in (0.0, 0.02, 0.05, 0.1, 0.2, 0.4):
        home = ready()
        connection.close()
        program = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(home.root)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        time.sleep(wait)
        program.send_signal(signal.SIGKILL)
        program.wait(timeout=120)
        assert_readers_see_only_whole_pictures(home)
        publish(home)
        assert_all_out_once(home)


CHILD = """
import sys
from pathlib import Path
from consent_gate.bootstrap import open_home
home = open_home(Path(sys.argv[1]))
from tests.support.fake_renderer import FakeRenderer
from tests.faults.test_release_steps import only_the_website
from publish.release import publish_pending
print("ready", flush=True)
publish_pending(only_the_website(home), FakeRenderer())
import time
time.sleep(60)
"""
