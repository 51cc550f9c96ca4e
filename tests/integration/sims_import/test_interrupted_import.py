"""An import that stops halfway leaves the old register, or is finished by the next run."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from consent_gate.db import audit_log
from consent_gate.db.models import (
    ConsentAnswer,
    ImportRun,
    Template,
)
from consent_gate.home.home import Home
from ingest.enrolment import session
from ingest.enrolment.enrol import PhotoBatch
from publish.recall import withdraw
from publish.release import publish_pending
from sims_import.applying import apply as importing
from sims_import.applying import run as import_run
from sims_import.applying.apply import ExportFile
from sims_import.applying.run import run_import
from tests.conftest import ROOT
from tests.support.factories import World, matches
from tests.support.fake_renderer import FakeRenderer, make_photo, published_files
from tests.support.imports import (
    consent_csv,
    import_csv,
    make_template,
    register_rows,
)

pytestmark = pytest.mark.dialect

INSIDE = (
    "gate_plan",
    "_enter_run",
    "store.apply_changes",
    "store.suspend",
    "audit_log.record_all",
    "destroy_lost_templates",
    "delete_departed_lookalikes",
    "redecide",
    "_save_report",
)
"""Every step of the one transaction."""


class PowerCut(RuntimeError):
    """The machine stopped."""


AFTERWARDS = (
    (import_run, "sync_folders"),
    (withdraw, "remove_withdrawn"),
    (withdraw, "vacuum_deleted"),
    (import_run, "remember"),
    (importing, "replace_with"),
    (import_run, "enrol_all"),
)
"""Every step after the transaction, in order, and the module that takes it."""


class NoPhotos:
    """An empty folder of photos."""

    def names(self) -> list[str]:
        return []

    def read(self, name: str) -> bytes:
        raise AssertionError(name)


class BrokenPhotos(NoPhotos):
    """A folder of photos that cannot be listed; notes what was out when it was tried."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.out: dict[str, bytes] | None = None

    def names(self) -> list[str]:
        self.out = published_files(self.home)
        raise PowerCut


KILLED = """
import os, signal, sys
from pathlib import Path
from consent_gate.bootstrap import configure_django, open_home
configure_django()
from sims_import.applying import apply, run, store
real = store.apply_changes
def killed(*args):
    real(*args)
    os.kill(os.getpid(), signal.SIGKILL)
store.apply_changes = killed
home = open_home(Path(sys.argv[1]))
run.run_import(home, apply.ExportFile("n.csv", Path(sys.argv[2]).read_bytes()), (), "office")
"""


@pytest.mark.parametrize("step", INSIDE)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_anywhere_before_the_end_leaves_the_old_register_whole(
    home: Home, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    import_csv(home, consent_csv())
    make_template(home, "007002")
    World(home).make_item(matches("007001"))
    before = register_rows(home)
    owner, _, name = step.rpartition(".")
    module = getattr(importing, owner) if owner else importing
    real = getattr(module, name)

    def stop(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            real(*args, **kwargs)
        raise PowerCut

    monkeypatch.setattr(module, name, stop)
    with pytest.raises(PowerCut):
        import_csv(home, consent_csv(_007001=",T,T,T,,", _007002="T,T,T,,,", _007003="gone"))
    assert register_rows(home) == before
    monkeypatch.undo()
    import_csv(home, consent_csv(_007001=",T,T,T,,", _007002="T,T,T,,,", _007003="gone"))
    assert not Template.objects.exists()
    assert audit_log.verify(home) == []


@pytest.mark.parametrize(("module", "step"), AFTERWARDS)
def test_after_a_crash_behind_the_transaction_the_next_run_tidies_up(
    home: Home, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str
) -> None:
    import_csv(home, consent_csv())
    make_template(home, "007001")
    make_photo(home, "007001")
    publish_pending(home, FakeRenderer())
    assert len(published_files(home)) == 1
    export = ExportFile("consent.csv", consent_csv(_007001=",T,T,T,,").encode())

    def stop(*args: Any, **kwargs: Any) -> None:
        raise PowerCut

    monkeypatch.setattr(module, step, stop)
    with pytest.raises(PowerCut):
        run_import(home, export, (), "office", PhotoBatch([NoPhotos()]))
    monkeypatch.undo()
    kept = ImportRun.objects.latest("pk").summary
    assert (kept["status"], kept["withdrawn"], kept["recalled"]) == ("applied", ["007001"], 1)
    publish_pending(home, FakeRenderer())
    assert published_files(home) == {}
    done = import_csv(home, consent_csv(_007001=",T,T,T,,"))
    assert len(done.run.summary["unchanged"]) == 40
    assert (
        ConsentAnswer.objects.get(pupil__admission_number="007001", purpose="website").answer
        == "not_stated"
    )


def test_what_is_withdrawn_is_gone_before_any_photo_is_looked_at(home: Home) -> None:
    import_csv(home, consent_csv())
    make_template(home, "007001")
    make_photo(home, "007001")
    publish_pending(home, FakeRenderer())
    assert len(published_files(home)) == 1
    photos = BrokenPhotos(home)
    export = ExportFile("consent.csv", consent_csv(_007001=",T,T,T,,").encode())
    with pytest.raises(PowerCut):
        run_import(home, export, (), "office", PhotoBatch([photos]))
    assert photos.out == {}, "recalled before the enrolment began"
    assert published_files(home) == {}, "and not put back because it failed"


def test_an_import_without_new_photos_syncs_the_folders_once(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []

    def count(of: Home) -> None:
        synced.append(of)
        withdraw.remove_withdrawn(of)

    for module in (import_run, session):
        monkeypatch.setattr(module, "sync_folders", count)
    done = run_import(
        home, ExportFile("c.csv", consent_csv().encode()), (), "office", PhotoBatch([NoPhotos()])
    )
    assert len(synced) == 1
    assert done.report["enrolled"] == done.run.summary["enrolled"] == []


def test_a_killed_process_leaves_the_old_register_whole(home: Home, tmp_path: Path) -> None:
    import_csv(home, consent_csv())
    before = register_rows(home)
    export = tmp_path / "next.csv"
    export.write_text(consent_csv(_007001=",,,,,", _007003="gone"))
    command = [sys.executable, "-c", KILLED, str(home.root), str(export)]
    ended = subprocess.run(command, cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert register_rows(home) == before
