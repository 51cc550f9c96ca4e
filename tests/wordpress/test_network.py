"""The plugin on a network of sites: one feed each, and nothing is confirmed too early."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta

import pytest

from consent_gate.home.home import Home
from publish.feed import views
from publish.feed.rate_limit import RateLimit
from publish.feed.tokens import new_token
from publish.recall.tickets import open_tickets
from publish.release import publish_pending
from tests.support.fake_renderer import FakeRenderer, make_two_photos
from tests.support.http_server import serve_home
from tests.support.wordpress import WordPress, is_installed, running_wordpress
from tests.wordpress.site import RUN, UPLOAD, Site

pytestmark = [
    pytest.mark.wordpress,
    pytest.mark.skipif(
        not is_installed(), reason="WordPress is not installed: make wordpress-check"
    ),
]

SECOND = "/second/"
ACTIVATE = """activate_plugin('consent-gate-feed/consent-gate-feed.php', '', true); return true;"""
FILES = """$all = array(); foreach (get_sites(array('fields' => 'ids')) as $id) {
switch_to_blog($id); foreach (consent_gate_files_on_disk() as $f) $all[] = "$id:$f";
restore_current_blog(); } return $all;"""


@pytest.fixture(scope="module")
def network() -> Iterator[WordPress]:
    """A WordPress with two sites."""
    with running_wordpress() as running:
        running.make_network()
        yield running


@pytest.fixture
def site(network: WordPress, home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Both sites read the channel, each with a token of its own."""
    monkeypatch.setattr(views, "REQUESTS", RateLimit(per_minute=6000, burst=3000))
    make_two_photos(home)
    publish_pending(home, FakeRenderer())
    with serve_home(home) as (address, served):
        network.php(ACTIVATE)
        for path, reader in (("/", "first"), (SECOND, "second")):
            token = new_token(home, "website", reader, timedelta(days=7), "t.smith")
            settings = {"feed": f"{address}/feeds/website", "token": token, "days": 7}
            network.php(
                "update_option('consent_gate_settings', $given['s']);", path=path, s=settings
            )
            assert network.php(RUN, path=path) == ""
        yield Site(network, served, "")
        network.php(
            "deactivate_plugins('consent-gate-feed/consent-gate-feed.php', false, true); return 1;"
        )


def waiting(site: Site) -> list[tuple[str, ...]]:
    return [ticket.waits_for for ticket in open_tickets(site.home)]


def test_each_site_shows_its_feed_and_confirms_for_itself(site: Site) -> None:
    assert len(site.wordpress.php(FILES)) == 4
    ben, _ = site.bens_picture()
    site.recall_ben()
    assert waiting(site) == [("first", "second")]
    assert site.wordpress.php(RUN) == ""
    assert waiting(site) == [("second",)]
    assert not [name for name in site.wordpress.php(FILES) if ben in name]
    assert site.wordpress.php(RUN, path=SECOND) == ""
    assert waiting(site) == []
    assert len(site.wordpress.php(FILES)) == 2


def test_no_site_confirms_while_another_still_has_a_copy(site: Site) -> None:
    ben, _ = site.bens_picture()
    locked = """$p = consent_gate_folder() . '/' . $given['f'];
    unlink($p); mkdir($p); touch("$p/x"); return $p;"""
    path = site.wordpress.php(locked, path=SECOND, f=ben)
    assert "/sites/2/" in path
    site.recall_ben()
    assert "could not be removed" in site.wordpress.php(RUN)
    assert waiting(site) == [("first", "second")]
    site.wordpress.php('unlink("$given[p]/x"); rmdir($given["p"]); return 1;', p=path)
    assert site.wordpress.php(RUN) == ""
    assert waiting(site) == [("second",)]


def test_a_copy_in_the_library_of_another_site_goes_before_the_confirmation(site: Site) -> None:
    _, data = site.bens_picture()
    encoded = base64.b64encode(data).decode()
    assert "picture feed" in str(site.wordpress.php(UPLOAD, path=SECOND, data=encoded))
    forget = """foreach (get_sites(array('fields' => 'ids')) as $id) { switch_to_blog($id);
    delete_option('consent_gate_known'); restore_current_blog(); } return 1;"""
    site.wordpress.php(forget)  # uploaded before the plugin was there
    copy = site.wordpress.php(UPLOAD, path=SECOND, data=encoded)
    assert isinstance(copy, int), copy
    for path in ("/", SECOND):
        assert site.wordpress.php(RUN, path=path) == ""
    site.recall_ben()
    assert site.wordpress.php(RUN) == ""
    assert site.wordpress.php("return get_post($given['i']);", path=SECOND, i=copy) is None
    assert list(site.wordpress.uploads.rglob("hall*")) == []


def test_deactivating_on_the_network_removes_the_files_of_all_sites(site: Site) -> None:
    assert len(list(site.wordpress.uploads.rglob("consent-gate/*/*.jpg"))) == 4
    site.wordpress.php(
        "deactivate_plugins('consent-gate-feed/consent-gate-feed.php', false, true); return 1;"
    )
    assert list(site.wordpress.uploads.rglob("consent-gate/*/*.jpg")) == []
