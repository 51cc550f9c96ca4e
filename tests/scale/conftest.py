"""Homes whose photos are examined by worker machines, on a real PostgreSQL server."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection

from consent_gate.bootstrap import Home, open_home
from tests import postgresql
from tests.conftest import Clock
from tests.machines import Machines, a_school, hand_out
from tests.world import World


@pytest.fixture
def school(home_on_postgresql: Home, clock: Clock) -> Home:
    """An open home that hands its work out, with consent information, whose website takes
    pictures without faces."""
    hand_out(home_on_postgresql.root)
    home = replace(open_home(home_on_postgresql.root), clock=clock)
    World(home).an_import()
    return home


@pytest.fixture
def machines(school: Home) -> Iterator[Machines]:
    """Worker programs of the school; those still running are killed after the test."""
    started = Machines(school.root)
    yield started
    started.kill_all()


@pytest.fixture
def own_server() -> Iterator[postgresql.Server]:
    """A server for one test to kill."""
    server = postgresql.a_server()
    yield server
    server.stop()
    shutil.rmtree(server.folder)


NewSchool = Callable[[str], Home]


@pytest.fixture
def new_school(postgresql_server: postgresql.Server, tmp_path: Path) -> Iterator[NewSchool]:
    """Makes schools in one database, each with a role and a schema of its own. The school made
    last is the open one."""
    database = postgresql_server.database()
    made: list[str] = []

    def make(name: str) -> Home:
        made.append(name)
        return a_school(postgresql_server, database, tmp_path / name, name)

    yield make
    connection.close()
    postgresql_server.drop(database)
    for name in made:
        postgresql_server.tell(f"DROP ROLE {name}")
