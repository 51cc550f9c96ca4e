"""Fixtures of the staff pages: a home of its own for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.test import Client

from consent_gate.bootstrap import Home, create_home, open_home
from consent_gate.db.models import User
from tests.world import World


@pytest.fixture(scope="session")
def fresh_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home as ``init`` leaves it, made once and copied for each test."""
    root = tmp_path_factory.mktemp("fresh") / "home"
    create_home(root)
    connections["default"].close()
    return root


@pytest.fixture
def web_home(fresh_home: Path, tmp_path: Path) -> Iterator[Home]:
    """An empty home with nobody in it."""
    shutil.copytree(fresh_home, tmp_path / "home")
    yield open_home(tmp_path / "home")
    connections["default"].close()


@pytest.fixture
def school(web_home: Home) -> World:
    """A home with a consent list of last week."""
    world = World(web_home)
    world.an_import()
    return world


@pytest.fixture
def logged_in() -> Callable[[User], Client]:
    """A browser in which somebody is logged in."""

    def log_in(user: User) -> Client:
        client = Client(SERVER_NAME="localhost")
        client.force_login(user)
        return client

    return log_in
