"""The gate stopped, killed or started twice in the middle of an examination."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from consent_gate.db.models import Item
from consent_gate.home.home import Home
from consent_gate.matching.gallery import Gallery
from ingest import intake
from ingest.examinations import MAX_ATTEMPTS
from ingest.inbox import claim
from ingest.workers.examination import Examination
from ingest.workers.worker_errors import WorkerPoolUnavailable
from tests.support.dropped_photos import all_decided, drop_photos
from tests.support.factories import folder_vault
from tests.support.fake_analysis import FakePool
from tests.support.gate_thread import running_gate, shorten_intervals, wait_until

pytestmark = pytest.mark.dialect

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_intervals(monkeypatch)


class Slow(FakePool):
    """An analysis that takes for ever, and knows when it is dismissed."""

    def __init__(self, home: Home, gallery: Gallery) -> None:
        super().__init__(home, gallery)
        self.over = threading.Event()

    def examine(self, data: bytes) -> Future[Examination]:
        return self._executor.submit(self._wait)

    def _wait(self) -> Any:
        self.over.wait()
        raise WorkerPoolUnavailable("The workers were stopped.")

    def terminate(self) -> None:
        self.over.set()

    def __exit__(self, *error: Any) -> None:
        self.over.set()  # a real pool ends its workers here, too
        super().__exit__(*error)


TAKES_EVERYTHING_DOWN = """
import os, sys, threading
from pathlib import Path
from consent_gate.bootstrap import configure_django, open_home
configure_django()
from ingest.runtime.runner import run_gate
from tests.support.fake_analysis import FakePool

FakePool.examine = lambda *_: os.kill(os.getpid(), 9)
run_gate(open_home(Path(sys.argv[1])), threading.Event(), (), FakePool)
"""


def test_an_interrupted_examination_does_not_count_as_an_attempt(home: Home) -> None:
    drop_photos(home, 3)
    for _ in range(MAX_ATTEMPTS + 2):
        with running_gate(home, open_pool=Slow):
            wait_until(lambda: Item.objects.filter(attempts=1).count() == 3)
    assert list(Item.objects.values_list("attempts", flat=True)) == [0, 0, 0]
    with running_gate(home):
        wait_until(lambda: all_decided(3))
    reasons = {r for item in Item.objects.all() for d in item.decisions.all() for r in d.reasons}
    assert "not_examined" not in reasons


def test_a_photo_that_kills_the_whole_program_is_held_after_some_attempts(home: Home) -> None:
    drop_photos(home, 1)
    for _ in range(MAX_ATTEMPTS):
        gate = subprocess.Popen(
            [sys.executable, "-c", TAKES_EVERYTHING_DOWN, str(home.root)], cwd=ROOT
        )
        assert gate.wait(timeout=60) == -signal.SIGKILL
    with running_gate(home):
        wait_until(lambda: all_decided(1))
    reasons = {r for d in Item.objects.get().decisions.all() for r in d.reasons}
    assert reasons == {"not_examined"}


def test_two_programs_at_once_do_not_remove_each_others_photos(home: Home) -> None:
    from ingest.scheduling.claims_under_way import noted_claim
    from ingest.scheduling.lock import ingest_lock

    vault = folder_vault(home)
    key, _ = vault.new_key("itemofanotherprogram")
    with ingest_lock(home):
        with suppress(KeyboardInterrupt), noted_claim(home, "itemofanotherprogram"):
            with (home.root / "consent-gate.toml").open("rb") as data:
                vault.write("itemofanotherprogram", key, data)
            raise KeyboardInterrupt  # the program is killed
        with ingest_lock(home):
            assert list(vault.item_ids()) == ["itemofanotherprogram"]
    with ingest_lock(home):
        assert list(vault.item_ids()) == [], "nobody else is at work: a crash left it behind"


@pytest.mark.parametrize("afterwards", ["move", "delete"])
def test_unfinished_files_in_the_inbox_are_removed_at_the_next_start(
    home: Home, afterwards: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    object.__setattr__(home.settings.inbox, "afterwards", afterwards)
    drop_photos(home, 2)
    with monkeypatch.context() as stopped:
        stopped.setattr(claim, "dispose_of_inbox_file", lambda *_: None)
        intake.intake_once(home)
    assert len(list(home.inbox.iterdir())) == 2
    with running_gate(home):
        wait_until(lambda: not list(home.inbox.iterdir()))
        wait_until(lambda: all_decided(2))
