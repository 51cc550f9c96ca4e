"""Requests with characters that no text has: each page answers in words, on both databases."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from consent_gate.db.models import Role, User
from tests.attacks.test_numbers import field_names, pages
from tests.support.factories import World, matches

pytestmark = pytest.mark.dialect

LogIn = Callable[[User], Client]

NUL = "\x00"
LEAVES = {"/logout/", "/account/password/"}
"""Pages that end the session or change the account."""


@pytest.fixture
def client(world: World, logged_in: LogIn) -> Client:
    client = logged_in(world.make_user("a.dmin", Role.ADMINISTRATOR))
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    "path", ["/pupils/%00/", "/pupils/7001%00/portrait.jpg", "/feeds/%00/manifest.json", "/%00"]
)
def test_a_nul_in_the_address_is_refused(client: Client, path: str) -> None:
    for answer in (client.get(path), client.post(path)):
        assert answer.status_code in {400, 404}


def test_a_nul_in_a_field_is_refused_by_every_page(world: World, client: Client) -> None:
    """As the value of one field, and as a name: a page may read any of them."""
    item, names = world.make_item(matches("7001")), field_names()
    for page in pages():
        if page in LEAVES:
            continue
        path = page.replace("/pictures/7001/", f"/pictures/{item.pk}/")
        for given in (dict.fromkeys(names, NUL), {f"a{NUL}": "1"}):
            for answer in (client.get(path, given), client.post(path, given)):
                assert answer.status_code < 500, (path, given)


def test_a_nul_in_a_search_changes_nothing(client: Client) -> None:
    assert client.get("/pupils/", {"q": "Ann"}).status_code == 200
    assert client.get("/pupils/", {"q": f"Ann{NUL}"}).status_code == 400
    assert client.get("/queue/", {"event": f"x{NUL}"}).status_code == 400


def test_a_nul_in_a_cookie_is_no_session(client: Client) -> None:
    client.cookies["sessionid"] = f"abc{NUL}"
    assert client.get("/queue/").status_code == 302
