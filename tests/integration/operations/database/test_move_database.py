"""Moving a school from SQLite to PostgreSQL is complete, or leaves the old home whole."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection, transaction
from typer.testing import CliRunner

from consent_gate.bootstrap import bind_database, open_home
from consent_gate.cli.app import app
from consent_gate.db import audit_log
from consent_gate.db.models import AuditEntry, Item, Publication, PupilEntry, Template
from consent_gate.home.home import Home
from consent_gate.home.settings import load_settings
from consent_gate.home.settings_machine import Database
from consent_gate.operations.backup.backup import make_backup
from consent_gate.operations.backup.key_backup import copy_keys
from consent_gate.operations.backup.restore import restore
from consent_gate.operations.database import copy_rows
from consent_gate.operations.database.move_database import MoveRefused, move_to_postgresql
from ingest.scheduling.lock import ingest_lock
from publish.release import publish_pending
from tests.conftest import Clock
from tests.support.fake_renderer import FakeRenderer
from tests.support.postgresql import Server

pytestmark = pytest.mark.sqlite_only
"""They begin on SQLite and end on PostgreSQL: once is enough."""


@pytest.fixture
def target(postgresql_server: Server) -> Iterator[Database]:
    """An empty database for the school."""
    name = postgresql_server.database()
    host = str(postgresql_server.folder)
    yield Database(engine="postgresql", host=host, name=name, user="school", schema_name="school")
    connection.close()
    postgresql_server.drop(name)


def quietly(*_: int) -> None:
    """No progress bar."""


def counts() -> dict[str, int]:
    """Rows by table of the open home."""
    return {m._meta.db_table: m._base_manager.count() for m in copy_rows.tables()}


def old_files(home: Home) -> list[str]:
    return [path.name for path in home.root.glob("before-move-*")]


def test_everything_of_a_school_arrives_and_the_gate_goes_on(
    demo_school: Home, target: Database
) -> None:
    publish_pending(demo_school, FakeRenderer())
    before, out = counts(), set(Publication.objects.values_list("pk", "state"))
    copied = move_to_postgresql(demo_school, target, "office", quietly)
    connection.close()
    home = replace(open_home(demo_school.root), clock=demo_school.clock)
    assert home.settings.database == target
    assert connection.vendor == "postgresql"
    after = counts()
    assert after.pop("gate_auditentry") == before.pop("gate_auditentry") + 1
    assert after == before
    assert before["gate_template"] > 0
    assert copied.rows["gate_item"] == before["gate_item"]
    assert audit_log.verify(home) == []
    assert set(Publication.objects.values_list("pk", "state")) == out
    publish_pending(home, FakeRenderer())
    assert set(Publication.objects.values_list("pk", "state")) == out
    PupilEntry.objects.create(admission_number="new", forename="A", surname="B")  # a fresh number
    assert len(old_files(home)) == 1
    assert not home.database.exists()


def test_the_command_moves_and_says_what_it_moved(demo_school: Home, target: Database) -> None:
    home = demo_school
    address = f"postgresql://school@/{target.name}?host={target.host}&schema=school"
    done = CliRunner().invoke(
        app, ["--home", str(home.root), "database", "move", address, "--json"]
    )
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["rows"]["gate_item"] == Item.objects.count() > 0
    assert load_settings(home.root / "consent-gate.toml").database.engine == "postgresql"


def test_nobody_moves_a_home_whose_gate_runs(demo_school: Home, target: Database) -> None:
    with ingest_lock(demo_school), pytest.raises(MoveRefused, match="running"):
        move_to_postgresql(demo_school, target, "office", quietly)
    assert open_home(demo_school.root).settings.database.engine == "sqlite"


def test_a_schema_that_holds_a_school_is_never_written_over(
    demo_school: Home, target: Database, postgresql_server: Server, home_on_postgresql: Home
) -> None:
    bind_database(home_on_postgresql)
    PupilEntry.objects.create(admission_number="1", forename="Ann", surname="Archer")
    taken = home_on_postgresql.settings.database
    bind_database(demo_school)
    with pytest.raises(MoveRefused, match="holds a school"):
        move_to_postgresql(demo_school, taken, "office", quietly)
    assert PupilEntry.objects.count() == 3  # the demonstration's own, still open
    bind_database(home_on_postgresql)
    assert PupilEntry.objects.get().forename == "Ann"


def test_a_copy_that_differs_is_thrown_away(
    demo_school: Home, target: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = copy_rows._batches

    def without_the_last(source: str, model: type) -> object:
        for batch in real(source, model):
            yield batch[:-1] if model is Template else batch

    monkeypatch.setattr(copy_rows, "_batches", without_the_last)
    with pytest.raises(copy_rows.CopyDiffers, match="gate_template"):
        move_to_postgresql(demo_school, target, "office", quietly)
    assert whole_on_sqlite(demo_school)
    monkeypatch.undo()
    move_to_postgresql(demo_school, target, "office", quietly)
    assert Template.objects.count() > 0


def whole_on_sqlite(home: Home) -> bool:
    connection.close()
    again = open_home(home.root)
    return (
        again.settings.database.engine == "sqlite"
        and Item.objects.count() == 10
        and audit_log.verify(again) == []
        and not old_files(home)
    )


MOVER = """
import sys
from pathlib import Path
from consent_gate.bootstrap import configure_django, open_home
configure_django()
from consent_gate.operations.database import move_database

from consent_gate.home.settings import Database

home = open_home(Path(sys.argv[1]))
moment = sys.argv[3]

def wait():
    print("there", flush=True)
    sys.stdin.read()

def progress(done, total):
    if moment == "copying" and done > total // 4 or moment == "comparing" and done == total:
        wait()

if moment == "switching":
    move_database.replace_section = lambda *_: wait()
if moment == "putting aside":
    move_database._set_old_file_aside = lambda *_: wait()
target = Database.model_validate_json(sys.argv[2])
move_database.move_to_postgresql(home, target, "office", progress)
"""


@contextmanager
def a_move(home: Home, target: Database, moment: str) -> Iterator[subprocess.Popen[str]]:
    """A move in a process of its own that has come to this moment and waits there."""
    connection.close()
    words = target.model_dump_json(by_alias=True)
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", MOVER, str(home.root), words, moment],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdin is not None
        process.stdin.close()
        process.stdout.close()


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("copying", marks=pytest.mark.slow),
        pytest.param("comparing", marks=pytest.mark.slow),
        "switching",
    ],
)
def test_a_move_that_is_killed_leaves_the_old_home_whole_and_may_be_tried_again(
    demo_school: Home, target: Database, moment: str
) -> None:
    with a_move(demo_school, target, moment):
        pass
    assert whole_on_sqlite(demo_school)
    with transaction.atomic():
        audit_log.record(demo_school, "pupil.erased", "pupil:since")
    move_to_postgresql(demo_school, target, "office", quietly)
    assert Item.objects.count() == 10
    assert AuditEntry.objects.filter(subject="pupil:since").exists()
    assert audit_log.verify(demo_school) == []


def test_a_move_that_is_killed_at_its_end_has_happened(demo_school: Home, target: Database) -> None:
    with a_move(demo_school, target, "putting aside"):
        pass
    home = open_home(demo_school.root)
    assert connection.vendor == "postgresql"
    assert Item.objects.count() == 10
    with pytest.raises(MoveRefused, match="already"):
        move_to_postgresql(home, target, "office", quietly)
    assert old_files(home)


ENTRY = "INSERT INTO gate_auditentry VALUES (9999, '', 'gate', 'item.decided', '', '{}', '')"


def test_nobody_records_anything_in_the_old_file(demo_school: Home, target: Database) -> None:
    connection.close()
    late = sqlite3.connect(demo_school.database)
    late.execute("SELECT count(*) FROM gate_item").fetchone()
    move_to_postgresql(demo_school, target, "office", quietly)
    with pytest.raises(sqlite3.Error):
        late.execute(ENTRY)
    late.close()
    put_back = sqlite3.connect(demo_school.root / old_files(demo_school)[0])
    assert put_back.execute("SELECT count(*) FROM gate_item").fetchone() == (10,)
    with pytest.raises(sqlite3.Error, match="moved to PostgreSQL"):
        put_back.execute(ENTRY)
    put_back.close()


@pytest.mark.slow
def test_a_backup_of_a_moved_home_is_restored_onto_postgresql(
    demo_school: Home, target: Database, postgresql_server: Server, tmp_path: Path, clock: Clock
) -> None:
    move_to_postgresql(demo_school, target, "office", quietly)
    home = replace(open_home(demo_school.root), clock=clock)
    sizes, key_folder = counts(), tmp_path / "keys"
    copy_keys(home, key_folder)
    backup = make_backup(home, tmp_path / "backups", "office", quietly)
    assert not old_files(home)  # it held what may be erased later
    with sqlite3.connect(backup / "gate.sqlite3") as file:
        assert file.execute("SELECT count(*) FROM gate_item").fetchone() == (10,)
    with pytest.raises(MoveRefused, match="holds a school"):
        restore(backup, tmp_path / "new", key_folder, "office", quietly, clock=clock)
    postgresql_server.tell("ALTER SCHEMA school RENAME TO lost", target.name)
    restored = restore(backup, tmp_path / "new", key_folder, "office", quietly, clock=clock)
    assert restored.items == 10
    again = open_home(tmp_path / "new")
    assert again.settings.database == target
    assert not again.database.exists()
    after = counts()
    assert {k: after[k] for k in ("gate_item", "gate_template", "gate_pupilentry")} == {
        k: sizes[k] for k in ("gate_item", "gate_template", "gate_pupilentry")
    }
    assert audit_log.verify(again) == []
    connection.close()

    alone = tmp_path / "alone"  # the school leaves the trust, with a backup and its keys
    words = ["--home", str(alone), "restore", str(backup), "--keys", str(key_folder)]
    left = CliRunner().invoke(app, [*words, "--database", "sqlite", "--json"])
    assert left.exit_code == 0, left.output
    left_home = open_home(alone)
    assert connection.vendor == "sqlite"
    assert Item.objects.count() == 10
    assert audit_log.verify(left_home) == []
