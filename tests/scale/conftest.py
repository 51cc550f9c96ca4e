"""Homes whose photos are examined by worker machines, on a real PostgreSQL server."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection

from consent_gate.bootstrap import open_home
from consent_gate.home.home import Home
from consent_gate.home.settings import FILE_NAME, load_settings
from tests.conftest import Clock
from tests.support import postgresql
from tests.support.factories import World
from tests.support.worker_processes import WorkerPrograms, make_school_home, use_worker_machines


@pytest.fixture
def school(home_on_postgresql: Home, clock: Clock) -> Home:
    """An open home that hands its work out, with consent information, whose website takes
    pictures without faces."""
    use_worker_machines(home_on_postgresql.root)
    home = replace(open_home(home_on_postgresql.root), clock=clock)
    World(home).make_import()
    return home


@pytest.fixture
def machines(school: Home) -> Iterator[WorkerPrograms]:
    """Worker programs of the school; those still running are killed after the test."""
    started = WorkerPrograms(school.root)
    yield started
    started.kill_all()


@pytest.fixture
def own_server() -> Iterator[postgresql.Server]:
    """A server for one test to kill."""
    server = postgresql.start_server()
    yield server
    server.stop()
    shutil.rmtree(server.folder)


@pytest.fixture(scope="session")
def _two_schools(
    postgresql_server: postgresql.Server, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Homes of two schools in one database, each with a role and a schema of its own."""
    folder, database = tmp_path_factory.mktemp("two-schools"), postgresql_server.database()
    for name in ("oakwood", "elmfield"):
        make_school_home(postgresql_server, database, folder / name, name)
        connection.close()
    return folder


@pytest.fixture
def both(
    postgresql_server: postgresql.Server, _two_schools: Path, tmp_path: Path
) -> Iterator[tuple[Path, Path]]:
    """Homes of two schools in one database. Neither is open."""
    connection.close()
    roots = tmp_path / "oakwood", tmp_path / "elmfield"
    old = load_settings(_two_schools / "oakwood" / FILE_NAME).database.name
    new = postgresql_server.copy(old)
    for root in roots:
        shutil.copytree(_two_schools / root.name, root)
        file = root / FILE_NAME
        file.write_text(file.read_text().replace(f'name = "{old}"', f'name = "{new}"'))
    postgresql_server.tell(f"REVOKE ALL ON DATABASE {new} FROM PUBLIC")
    for root in roots:
        postgresql_server.tell(f"GRANT CONNECT ON DATABASE {new} TO {root.name}")
    yield roots
    connection.close()
    postgresql_server.drop(new)
