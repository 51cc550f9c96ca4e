"""Lists, names, tokens and clocks that attack the readers of a channel: gallery, pull and feed."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from consent_gate.db.models import Publication
from consent_gate.home.home import Home
from publish.channel.manifest import manifest_path
from publish.feed.readers import rename_reader
from publish.feed.tokens import NoSuchChannel, end_token, new_token
from publish.public_gallery.application import GalleryApplication, GalleryChannel
from publish.public_gallery.approved import ApprovedFolder
from publish.pull import main as main_module
from publish.pull.errors import FeedInvalid
from publish.pull.main import main
from publish.recall.tickets import open_tickets
from publish.recall.withdraw import remove_withdrawn
from tests.conftest import HomeAfter
from tests.support.fake_renderer import (
    make_two_out,
    read_manifest,
    withdraw_consent,
)
from tests.support.feed_server import FeedServer, send, serve_feed

WEEK = timedelta(days=7)


@pytest.fixture
def two_out(home_after: HomeAfter) -> Home:
    home = home_after(make_two_out)
    settings.CONSENT_GATE_HOME = home
    return home


def visit(home: Home, path: str = "", query: str = "") -> int:
    """Status of a page of the gallery."""
    folder = ApprovedFolder("website", home.approved("website"), timedelta(hours=24), home.clock)
    application = GalleryApplication({"website": GalleryChannel("School website", folder)}, [])
    found: list[int] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": f"/gallery/website/{path}"}
    application(
        environ | {"QUERY_STRING": query},
        lambda line, _headers: found.append(int(line.split(maxsplit=1)[0])),
    )
    return found[0]


HOSTILE: list[dict[str, Any]] = [
    {"width": 1e999},
    {"width": 10**400},
    {"height": -1},
    {"width": "1"},
    {"width": True},
    {"title": "\ud800"},
    {"album": "\udfff"},
    {"alt": "x" * 100_000},
    {"title": None},
    {"album": ["a"]},
    {"id": "../" + "a" * 23},
    {"bytes": 1.5},
]


@pytest.mark.parametrize("values", HOSTILE, ids=repr)
def test_a_hostile_entry_shows_nothing_in_the_gallery(
    two_out: Home, values: dict[str, Any]
) -> None:
    assert visit(two_out) == 200
    document = read_manifest(two_out)
    document["items"][0].update(values)
    manifest_path(two_out, "website").write_text(json.dumps(document))
    assert visit(two_out) == 503
    assert visit(two_out, f"{document['items'][1]['id']}/") == 503


@pytest.mark.parametrize(
    "query", ["album=%ED%A0%80", "album=%00", "page=" + "9" * 6, "a=1&" * 20, "album=" + "x" * 9000]
)
def test_a_hostile_query_finds_nothing(two_out: Home, query: str) -> None:
    assert visit(two_out, query=query) in {200, 404}


def test_a_manifest_that_is_a_link_or_a_pipe_shows_nothing(two_out: Home, tmp_path: Path) -> None:
    path = manifest_path(two_out, "website")
    elsewhere = tmp_path / "manifest.json"
    elsewhere.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(elsewhere)
    assert visit(two_out) == 503
    path.unlink()
    os.mkfifo(path)
    assert visit(two_out) == 503


def pull(feed: FeedServer, folder: Path) -> int:
    token = folder.parent / f"token-{threading.get_ident()}"
    token.write_text("a.token")
    token.chmod(0o600)
    try:
        main([feed.address, str(folder), "--token-file", str(token)])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize("values", HOSTILE, ids=repr)
def test_a_hostile_entry_changes_nothing_in_a_pulled_folder(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    with serve_feed() as feed:
        feed.publish(1)
        folder = tmp_path / "photos"
        assert pull(feed, folder) == 0
        before = (folder / "pictures.json").read_bytes()
        feed.change_list = lambda document: document["items"][0].update(values)
        assert pull(feed, folder) == FeedInvalid.exit_code
        assert (folder / "pictures.json").read_bytes() == before


@pytest.mark.parametrize("days", [-3650, -2, 8, 3650])
def test_a_clock_that_jumps_hides_the_pictures_while_the_feed_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    now = main_module._now
    with serve_feed() as feed:
        feed.publish(1)
        folder = tmp_path / "photos"
        assert pull(feed, folder) == 0
        feed.misbehave = lambda request: send(request, 401, b"")
        monkeypatch.setattr(main_module, "_now", lambda: now() + timedelta(days=days))
        assert pull(feed, folder) == 61
        assert list(folder.glob("2*/*")) == []


@pytest.mark.parametrize(
    "name",
    ["", " ", "staff", "Staff", "STAFF", " staff", "staff ", "st\u200baff", "a\nb", "x" * 61],
)
def test_no_reader_can_be_taken_for_staff_or_for_another(two_out: Home, name: str) -> None:
    with pytest.raises(NoSuchChannel):
        new_token(two_out, "website", name, WEEK, "t.smith")
    new_token(two_out, "website", "wordpress", WEEK, "t.smith")
    with pytest.raises(NoSuchChannel):
        rename_reader(two_out, "website", "wordpress", name, "t.smith")


class Reader:
    """A program with a token."""

    def __init__(self, home: Home, name: str, channel: str = "website") -> None:
        self.token = new_token(home, channel, name, WEEK, "t.smith")
        self.channel = channel

    def get(self, path: str) -> int:
        return self._ask(Client(SERVER_NAME="localhost").get, path)

    def confirm(self, key: str) -> int:
        return self._ask(Client(SERVER_NAME="localhost").post, f"withdrawn/{key}/confirm")

    def _ask(self, way: Callable[..., Any], path: str) -> int:
        answer = way(
            f"/feeds/{self.channel}/{path}", headers={"Authorization": f"Bearer {self.token}"}
        )
        return int(answer.status_code)


def bens(home: Home) -> Publication:
    return Publication.objects.get(channel="website", item__shown__admission_number="000002")


def test_a_reader_confirms_for_itself_alone_whatever_its_token_goes_through(two_out: Home) -> None:
    first, second, late = (Reader(two_out, name) for name in ("one", "two", "three"))
    row = bens(two_out)
    assert first.get(row.file) == 200
    assert second.get(row.file) == 200
    rename_reader(two_out, "website", "one", "uno", "t.smith")
    withdraw_consent(two_out, "000002")
    remove_withdrawn(two_out)
    assert late.confirm(row.pk) == 200
    (ticket,) = open_tickets(two_out)
    assert ticket.waits_for == ("two", "uno")
    end_token(two_out, second.token.partition(".")[0], "t.smith")
    assert second.confirm(row.pk) == 401
    assert first.confirm(row.pk) == 200
    (ticket,) = open_tickets(two_out)
    assert ticket.waits_for == ("two",)
    assert first.get(row.file) == 404


def test_a_token_of_another_channel_confirms_nothing(two_out: Home) -> None:
    reader, other = Reader(two_out, "site"), Reader(two_out, "paper", "mag")
    row = bens(two_out)
    assert reader.get(row.file) == 200
    withdraw_consent(two_out, "000002")
    remove_withdrawn(two_out)
    assert other.confirm(row.pk) == 404
    other.channel = "website"
    assert other.confirm(row.pk) == 401
    assert [ticket.waits_for for ticket in open_tickets(two_out)][:1] == [("site",)]


def test_two_pulls_at_once_leave_one_whole_folder(tmp_path: Path) -> None:
    with serve_feed() as feed:
        for number in range(5):
            feed.publish(number)
        folder, codes = tmp_path / "photos", list[int]()
        threads = [
            threading.Thread(target=lambda: codes.append(pull(feed, folder))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(codes) <= {0, 64}
        assert 0 in codes
        found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.glob("2*/*")}
        assert found == feed.pictures
