"""A home on PostgreSQL: opening it, refusing it, and concurrent writers.

The tests of concurrency run two real connections at once. Each fails without the lock that every
transaction takes first.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F

from consent_gate.bootstrap import bind_database, create_home, open_home
from consent_gate.db import audit_log
from consent_gate.db.models import ChannelState, Item, ItemState, PupilEntry
from consent_gate.db.postgresql.base import writer_lock_id
from consent_gate.decisions.ledger import mark_manifest_dirty
from consent_gate.errors import DatabaseUnreachable, DatabaseUnusable
from consent_gate.home import database_url
from consent_gate.home.home import Home
from ingest.runtime import runner
from ingest.runtime.faults import DatabaseBusy, classify_error
from tests.support.gate_thread import heartbeat_trouble, running_gate, wait_until
from tests.support.images import jpeg, scene
from tests.support.postgresql import Server


@pytest.fixture
def database(postgresql_server: Server) -> Iterator[str]:
    name = postgresql_server.database()
    yield name
    connection.close()
    postgresql_server.drop(name)


def address(server: Server, database: str, role: str = "school", schema: str = "school") -> str:
    """The server's address, as a technician writes it."""
    return f"postgresql://{role}@/{database}?host={server.folder}&schema={schema}"


def at_once(count: int, task: Callable[[int], object]) -> list[object]:
    """Do it that many times at the same moment, each on a connection of its own."""
    start = threading.Barrier(count)

    def one(number: int) -> object:
        start.wait()
        try:
            return task(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def test_init_makes_the_schools_schema_and_keeps_no_row_in_a_file(
    postgresql_server: Server, database: str, tmp_path: Path
) -> None:
    chosen = database_url.from_address(address(postgresql_server, database))
    home = create_home(tmp_path / "oakfield", chosen)
    assert home.settings.database.schema_name == "school"
    assert not home.database.exists()
    with postgresql_server.connect(database) as plain:
        schemas = plain.execute(
            "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename LIKE 'gate%'"
        ).fetchall()
    assert schemas == [("school",)]
    assert open_home(home.root).settings.database == chosen
    with transaction.atomic():
        audit_log.record(home, "pupil.erased", "pupil:x")
    assert audit_log.verify(home) == []


def test_a_schema_without_a_school_is_not_taken_for_one(
    postgresql_server: Server, database: str, tmp_path: Path
) -> None:
    chosen = database_url.from_address(address(postgresql_server, database))
    home = create_home(tmp_path / "oakfield", chosen)
    wrong = chosen.model_copy(update={"schema_name": "elsewhere"})
    database_url.replace_section(home.root / "consent-gate.toml", wrong)
    with pytest.raises(DatabaseUnusable, match="elsewhere"):
        open_home(home.root)


def test_a_server_that_is_away_is_reported(home_on_postgresql: Home) -> None:
    chosen = home_on_postgresql.settings.database.model_copy(update={"host": "/nonexistent"})
    database_url.replace_section(home_on_postgresql.root / "consent-gate.toml", chosen)
    with pytest.raises(DatabaseUnreachable, match="cannot be used"):
        open_home(home_on_postgresql.root)


def test_the_password_is_read_from_its_file(
    postgresql_server: Server, database: str, tmp_path: Path
) -> None:
    if not role_exists(postgresql_server, "with_a_password"):
        postgresql_server.tell("CREATE ROLE with_a_password LOGIN PASSWORD 'seven blue gates'")
    postgresql_server.tell("CREATE SCHEMA school AUTHORIZATION with_a_password", database)
    postgresql_server.tell("ALTER SCHEMA school OWNER TO with_a_password", database)
    chosen = database_url.from_address(address(postgresql_server, database, role="with_a_password"))
    with pytest.raises(DatabaseUnreachable):
        create_home(tmp_path / "oakfield", chosen)
    password = tmp_path / "oakfield" / "secrets" / "database-password"
    password.write_text("seven blue gates\n")
    password.chmod(0o600)
    assert create_home(tmp_path / "oakfield").settings.database.user == "with_a_password"


def role_exists(server: Server, name: str) -> bool:
    with server.connect("postgres") as plain:
        found = plain.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    return found is not None


def test_two_writers_at_once_make_one_audit_chain(home_on_postgresql: Home) -> None:
    home = home_on_postgresql

    def record(number: int) -> None:
        for _ in range(10):
            with transaction.atomic():
                audit_log.record(home, "pupil.erased", f"pupil:{number}")

    at_once(4, record)
    assert audit_log.verify(home) == []
    assert len(list(audit_log.entries())) == 40


def test_every_number_is_still_the_same_when_the_chain_is_checked(
    home_on_postgresql: Home,
) -> None:
    numbers = [1e16, -0.0, 1e-7, 100000.0, 0.1, -2.5e300, 12345678901234567890]
    with transaction.atomic():
        audit_log.record(home_on_postgresql, "pupil.erased", "pupil:x", {"numbers": numbers})
    assert audit_log.verify(home_on_postgresql) == []
    assert next(audit_log.entries()).detail == {"numbers": numbers}


def test_a_name_longer_than_any_form_allows_comes_in_all_the_same(
    home_on_postgresql: Home,
) -> None:
    long = "Wolfeschlegelsteinhausenbergerdorff" * 5
    PupilEntry.objects.create(admission_number="1", forename="Ann", surname=long)
    assert PupilEntry.objects.get().surname == long


def test_two_writers_at_once_lose_no_sequence_number(home_on_postgresql: Home) -> None:
    def touch(_: int) -> None:
        for _ in range(10):
            mark_manifest_dirty("website")

    at_once(4, touch)
    assert ChannelState.objects.get(channel="website").sequence == 40


def an_item(home: Home) -> Item:
    return Item.objects.create(
        id="a" * 26, sha256="0" * 64, size=1, source="fair/a.jpg", received_at=home.now()
    )


def test_what_a_transaction_read_stays_so_until_it_is_done(home_on_postgresql: Home) -> None:
    item = an_item(home_on_postgresql)
    has_read, may_go_on = threading.Event(), threading.Event()

    def decide(number: int) -> None:
        if number == 0:  # reads that the picture waits, thinks, and decides it
            with transaction.atomic():
                waiting = Item.objects.get(pk=item.pk).state == ItemState.RECEIVED
                has_read.set()
                may_go_on.wait(1)
                if waiting:
                    Item.objects.filter(pk=item.pk).update(revision=F("revision") + 1)
        else:  # meanwhile somebody seals it, with a single statement outside any transaction
            has_read.wait(10)
            Item.objects.filter(pk=item.pk, revision=0).update(state=ItemState.SEALED)
            may_go_on.set()

    at_once(2, decide)
    item.refresh_from_db()
    assert (item.state, item.revision) == (ItemState.RECEIVED, 1)


def test_a_picture_examined_twice_is_decided_by_one(home_on_postgresql: Home) -> None:
    item = an_item(home_on_postgresql)

    def decide(_: int) -> bool:
        with transaction.atomic():
            row = Item.objects.get(pk=item.pk)
            if row.state != ItemState.RECEIVED:
                return False
            row.state = ItemState.DECIDED
            row.save(update_fields=["state"])
            return True

    assert sorted(map(bool, at_once(6, decide))) == [False] * 5 + [True]


def test_reading_waits_for_nobody(home_on_postgresql: Home) -> None:
    an_item(home_on_postgresql)
    with transaction.atomic():
        Item.objects.update(title="not yet")
        read = at_once(1, lambda _: Item.objects.get().title)
    assert read == [""]


def test_another_school_does_not_wait(home_on_postgresql: Home, postgresql_server: Server) -> None:
    chosen = home_on_postgresql.settings.database
    with (
        transaction.atomic(),
        postgresql_server.connect(chosen.name) as other,
    ):
        free = "SELECT pg_try_advisory_lock(%s)"
        assert other.execute(free, [writer_lock_id("oakfield")]).fetchone() == (True,)
        assert other.execute(free, [writer_lock_id("school")]).fetchone() == (False,)


@contextmanager
def somebody_writes(home: Home, server: Server) -> Iterator[psycopg.Connection[object]]:
    chosen = home.settings.database
    with server.connect(chosen.name) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [writer_lock_id(chosen.schema_name)])
        yield other


def test_a_writer_who_never_ends_is_reported_and_no_change_is_half_done(
    home_on_postgresql: Home, postgresql_server: Server
) -> None:
    home = home_on_postgresql
    options = connection.settings_dict["OPTIONS"]
    options["options"] = options["options"].replace("lock_timeout=30s", "lock_timeout=200ms")
    connection.close()
    with somebody_writes(home, postgresql_server), pytest.raises(OperationalError) as failed:
        an_item(home)
    assert isinstance(classify_error(failed.value), DatabaseBusy)
    assert not Item.objects.exists()
    an_item(home)
    assert Item.objects.exists()


def test_a_lost_database_server_is_reported_and_reconnected(
    home_on_postgresql: Home, postgresql_server: Server
) -> None:
    home = home_on_postgresql
    an_item(home)
    postgresql_server.tell(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'school'"
    )
    with pytest.raises(OperationalError) as failed:
        Item.objects.exists()
    assert isinstance(classify_error(failed.value), DatabaseUnreachable)
    connection.close_if_unusable_or_obsolete()
    assert Item.objects.exists()


def test_going_from_one_kind_to_the_other_opens_the_right_rows(
    home: Home, home_on_postgresql: Home
) -> None:
    bind_database(home_on_postgresql)
    an_item(home_on_postgresql)
    bind_database(home)
    assert not Item.objects.exists()
    bind_database(home_on_postgresql)
    assert Item.objects.exists()
    assert at_once(1, lambda _: Item.objects.exists()) == [True]


def test_a_school_that_another_program_holds_is_waited_for(
    home_on_postgresql: Home, postgresql_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "FAULT_PAUSE_SECONDS", 0.5)
    home = home_on_postgresql
    options = connection.settings_dict["OPTIONS"]
    options["options"] = options["options"].replace("lock_timeout=30s", "lock_timeout=200ms")
    connection.close()
    (home.inbox / "a.jpg").write_bytes(jpeg(scene(96, 64)))
    with somebody_writes(home, postgresql_server) as other, running_gate(home):
        wait_until(lambda: "locked this school" in heartbeat_trouble(home))
        other.execute("SELECT pg_advisory_unlock_all()")
        wait_until(lambda: Item.objects.filter(state=ItemState.DECIDED).exists())
    assert audit_log.verify(home) == []
