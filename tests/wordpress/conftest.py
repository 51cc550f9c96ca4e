"""Fixtures: a WordPress for all tests, set up anew for each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta

import pytest

from consent_gate.home.home import Home
from publish.feed import views
from publish.feed.rate_limit import RateLimit
from publish.feed.tokens import new_token
from publish.release import publish_pending
from tests.support.fake_renderer import FakeRenderer, make_two_photos
from tests.support.http_server import serve_home
from tests.support.wordpress import WordPress, running_wordpress
from tests.wordpress.site import ACTIVATE, CLEAR, Site


@pytest.fixture(scope="session")
def wordpress() -> Iterator[WordPress]:
    """One WordPress for all tests."""
    with running_wordpress() as running:
        yield running


@pytest.fixture
def site(wordpress: WordPress, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A WordPress with the plugin, set up for a home with two released pictures."""
    monkeypatch.setattr(views, "REQUESTS", RateLimit(per_minute=6000, burst=3000))
    make_two_photos(home)
    publish_pending(home, FakeRenderer())
    token = new_token(home, "website", "wordpress", timedelta(days=7), "t.smith")
    with serve_home(home) as (address, served):
        settings = {"feed": f"{address}/feeds/website", "token": token, "days": 7}
        wordpress.php(ACTIVATE)
        wordpress.php("update_option('consent_gate_settings', $given['s']); return 1;", s=settings)
        yield Site(wordpress, served, token)
        shutil.rmtree(wordpress.uploads, ignore_errors=True)
        wordpress.php(CLEAR)
