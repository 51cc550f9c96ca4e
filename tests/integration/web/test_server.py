"""The web server behind a proxy with HTTPS."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from consent_gate.bootstrap import open_home
from consent_gate.home.home import Home
from tests.support.http_server import serve_home
from tests.support.settings_override import with_section


@pytest.fixture
def behind_https(home: Home) -> Home:
    path = home.root / "consent-gate.toml"
    path.write_text(path.read_text().replace("port = 8000", "port = 8000\nhttps = true"))
    return open_home(home.root)


@pytest.fixture
def port(behind_https: Home) -> Iterator[int]:
    with serve_home(behind_https) as (_, here):
        yield here.settings.web.port


def ask(port: int, path: str, **headers: str) -> http.client.HTTPResponse:
    browser = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    browser.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    return browser.getresponse()


def test_what_came_by_https_through_the_proxy_is_answered(port: int) -> None:
    assert ask(port, "/setup/", X_Forwarded_Proto="https").status == 200
    assert ask(port, "/setup/", X_Forwarded_Proto="http").status == 301
    assert ask(port, "/setup/").headers["Location"].startswith("https://")


def test_whoever_is_not_the_proxy_is_not_believed(behind_https: Home) -> None:
    with serve_home(with_section(behind_https, "web", proxy="192.0.2.1")) as (_, here):
        answer = ask(here.settings.web.port, "/setup/", X_Forwarded_Proto="https")
    assert answer.status == 301


def test_a_container_may_believe_all_who_reach_it(behind_https: Home) -> None:
    with serve_home(with_section(behind_https, "web", proxy="*")) as (_, here):
        answer = ask(here.settings.web.port, "/setup/", X_Forwarded_Proto="https")
    assert answer.status == 200


def test_the_machine_asks_whether_all_is_well_without_https(port: int) -> None:
    assert ask(port, "/healthz").status in {200, 503}
