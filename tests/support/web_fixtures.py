"""Fixtures of the tests of the staff pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client

from consent_gate.db.models import User
from consent_gate.home.home import Home
from tests.support.factories import World


@pytest.fixture
def world(home: Home) -> World:
    """A home with a consent list of last week, on the test's clock."""
    settings.CONSENT_GATE_HOME = home
    world = World(home)
    world.make_import()
    return world


@pytest.fixture
def logged_in() -> Callable[[User], Client]:
    """A browser in which somebody is logged in."""

    def log_in(user: User) -> Client:
        client = Client(SERVER_NAME="localhost")
        client.force_login(user)
        return client

    return log_in
