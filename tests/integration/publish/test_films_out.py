"""Where a released film goes: the feed, consent-gate-pull and the public gallery, and back."""

from __future__ import annotations

import json
import os
import re
import socket
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from consent_gate.db.models import FeedDownload
from consent_gate.home.home import Home
from publish import release
from publish.feed import views
from publish.feed.rate_limit import RateLimit
from publish.feed.tokens import new_token
from publish.public_gallery.application import GalleryApplication, GalleryChannel
from publish.public_gallery.approved import ApprovedFolder
from publish.pull.errors import FeedInvalid
from publish.pull.main import main
from publish.pull.manifest import parse
from publish.recall.tickets import open_tickets
from publish.recall.withdraw import remove_withdrawn
from publish.release import publish_pending
from publish.staging import move_into_place
from tests.conftest import HomeAfter
from tests.support.fake_renderer import (
    FakeRenderer,
    make_film_item,
    make_photo,
    make_world_with_ann,
    published_files,
    read_manifest,
    withdraw_consent,
)
from tests.support.http_server import serve_home

FILM = bytes(range(256)) * 2000
WEEK = timedelta(days=7)


def make_film_out(home: Home) -> None:
    make_world_with_ann(home)
    make_film_item(home, "000001", FILM)
    publish_pending(home, FakeRenderer())


@pytest.fixture
def film_out(home_after: HomeAfter, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A film of Ann is on the website."""
    home = home_after(make_film_out)
    settings.CONSENT_GATE_HOME = home
    monkeypatch.setattr(views, "REQUESTS", RateLimit(per_minute=600, burst=300))
    return home


def addresses(home: Home) -> tuple[str, str]:
    (entry,) = read_manifest(home)["items"]
    return entry["file"], entry["poster"]["file"]


def recall(home: Home) -> None:
    withdraw_consent(home, "000001")
    remove_withdrawn(home)


# --- the feed --------------------------------------------------------------------------------


def ask(home: Home, name: str, method: str = "GET", **headers: str):  # type: ignore[no-untyped-def]
    token = new_token(home, "website", "wordpress", WEEK, "t.smith")
    client = Client(SERVER_NAME="localhost")
    given = {"authorization": f"Bearer {token}", **headers}
    return client.generic(method, f"/feeds/website/{name}", headers=given)


def test_the_feed_sends_a_film_and_ranges_of_it(film_out: Home) -> None:
    film, poster = addresses(film_out)
    whole = ask(film_out, film)
    assert (whole.status_code, whole["Content-Type"]) == (200, "video/mp4")
    assert (whole["Content-Length"], whole["Accept-Ranges"]) == (str(len(FILM)), "bytes")
    assert whole.getvalue() == FILM
    part = ask(film_out, film, range="bytes=1000-1999", if_range=whole["ETag"])
    assert (part.status_code, part.getvalue()) == (206, FILM[1000:2000])
    assert part["Content-Range"] == f"bytes 1000-1999/{len(FILM)}"
    assert part["Cache-Control"] == "no-store"
    other = ask(film_out, film, range="bytes=1000-1999", if_range='"of another film"')
    assert (other.status_code, other.getvalue()) == (200, FILM)
    refused = ask(film_out, film, range=f"bytes={len(FILM)}-")
    assert (refused.status_code, refused["Content-Range"]) == (416, f"bytes */{len(FILM)}")
    assert ask(film_out, film, if_none_match=whole["ETag"]).status_code == 304
    assert ask(film_out, poster)["Content-Type"] == "image/jpeg"


def connected(served: Home) -> socket.socket:
    return socket.create_connection(("127.0.0.1", served.settings.web.port), timeout=60)


def test_an_answer_to_head_has_no_body_and_is_no_download(film_out: Home) -> None:
    """The real server would send a body after the headers, and break the connection."""
    film, _ = addresses(film_out)
    token = new_token(film_out, "website", "wordpress", WEEK, "t.smith")
    with serve_home(film_out) as (_, served), closing(connected(served)) as client:
        head = f" /feeds/website/{film} HTTP/1.1\r\nHost: localhost\r\n"
        head += f"Authorization: Bearer {token}\r\nRange: bytes=5-8\r\n\r\n"
        client.sendall(f"HEAD{head}".encode())
        answer = client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")
        assert f"content-length: {len(FILM)}".encode() in answer.lower()
        assert answer.endswith(b"\r\n\r\n")
        assert not FeedDownload.objects.exists()
        client.sendall(f"GET{head}".encode())
        answer = client.recv(65536)
        assert answer.startswith(b"HTTP/1.1 206")
        while not answer.endswith(FILM[5:9]):
            answer += client.recv(65536)
    assert FeedDownload.objects.count() == 1


def test_a_recalled_film_leaves_the_feed_before_its_files_are_removed(film_out: Home) -> None:
    film, poster = addresses(film_out)
    withdraw_consent(film_out, "000001")
    assert len(published_files(film_out)) == 2
    assert [ask(film_out, name).status_code for name in (film, poster)] == [404, 404]


def test_a_changed_film_is_not_sent(film_out: Home) -> None:
    film, _ = addresses(film_out)
    assert ask(film_out, film).status_code == 200
    (film_out.approved("website") / film).write_bytes(FILM[:-1] + b"x")
    assert ask(film_out, film).status_code == 503
    assert ask(film_out, film, range="bytes=0-9").status_code == 503


# --- consent-gate-pull -----------------------------------------------------------------------


def copied(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.glob("2*/*")}


def test_a_film_and_its_poster_are_pulled_and_go_together(film_out: Home, tmp_path: Path) -> None:
    film, poster = addresses(film_out)
    folder = tmp_path / "site"
    token = new_token(film_out, "website", "cms", WEEK, "t.smith")

    def pull() -> None:
        os.environ["CONSENT_GATE_TOKEN"] = token
        main([f"{address}/feeds/website", str(folder)])

    with serve_home(film_out) as (address, _):
        pull()
        assert copied(folder) == published_files(film_out)
        (listed,) = json.loads((folder / "pictures.json").read_text())
        assert (listed["file"], listed["poster"]["file"]) == (film, poster)
        assert (listed["kind"], listed["duration"]) == ("film", 2.0)
        (folder / poster).unlink()
        (folder / film).write_bytes(b"somebody's change")
        pull()
        assert copied(folder) == published_files(film_out)
        recall(film_out)
        assert len(open_tickets(film_out)) == 1
        pull()
    assert copied(folder) == {}
    assert json.loads((folder / "pictures.json").read_text()) == []
    assert open_tickets(film_out) == []


HALF_FILMS: tuple[dict[str, object], ...] = (
    {"kind": "picture"},
    {"poster": None},
    {"poster": {"file": "2026-11/" + "b" * 26 + ".mp4", "sha256": "a" * 64, "bytes": 1}},
    {"duration": 0},
    {"duration": "2"},
    {"duration": True},
    {"duration": float("nan")},
    {"duration": float("inf")},
    {"file": "2026-11/" + "b" * 26 + ".jpg"},
    {"bytes": 300 << 20},
)


def test_a_list_with_half_a_film_is_refused(film_out: Home) -> None:
    document = read_manifest(film_out)
    (whole,) = document["items"]
    without = [
        {k: v for k, v in whole.items() if k != key} for key in ("kind", "poster", "duration")
    ]
    for entry in [*({**whole, **change} for change in HALF_FILMS), *without]:
        document["items"] = [entry]
        with pytest.raises(FeedInvalid):
            parse(json.dumps(document).encode(), "website")


# --- the public gallery ----------------------------------------------------------------------


class Visitor:
    """Somebody on the internet, without a network."""

    def __init__(self, home: Home) -> None:
        folder = ApprovedFolder("website", home.approved("website"), WEEK, home.clock)
        self.application = GalleryApplication(
            {"website": GalleryChannel("School website", folder)}, []
        )
        self.headers: dict[str, str] = {}

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[int, bytes]:
        status = []

        def start(line: str, headers: list[tuple[str, str]]) -> None:
            status.append(int(line.split(maxsplit=1)[0]))
            self.headers = dict(headers)

        given = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        environ = {"REQUEST_METHOD": method, "PATH_INFO": f"/gallery/website/{path}", **given}
        body = b"".join(self.application(environ, start))
        return status[0], body


def test_the_gallery_shows_a_film_that_loads_nothing_before_it_is_played(film_out: Home) -> None:
    visitor, (entry,) = Visitor(film_out), read_manifest(film_out)["items"]
    assert "Film, 0:02" in visitor.get("")[1].decode()
    page = visitor.get(f"{entry['id']}/")[1].decode()
    (video,) = re.findall("<video [^>]*>", page)
    assert "controls" in video
    assert 'preload="none"' in video
    assert 'poster="full.jpg"' in video
    assert "autoplay" not in video
    assert '<source src="film.mp4" type="video/mp4">' in page
    policy = visitor.headers["Content-Security-Policy"]
    assert "media-src 'self'" in policy
    assert "script-src" not in policy
    assert visitor.get(f"{entry['id']}/full.jpg")[0] == 200


def test_the_gallery_sends_ranges_of_a_film(film_out: Home) -> None:
    visitor, (entry,) = Visitor(film_out), read_manifest(film_out)["items"]
    address = f"{entry['id']}/film.mp4"
    assert visitor.get(address) == (200, FILM)
    assert visitor.headers["Content-Type"] == "video/mp4"
    assert visitor.headers["Cache-Control"] == "no-store"
    tag = visitor.headers["ETag"]
    assert visitor.get(address, range="bytes=10-19", if_range=tag) == (206, FILM[10:20])
    assert visitor.headers["Content-Range"] == f"bytes 10-19/{len(FILM)}"
    assert visitor.get(address, range="bytes=10-19", if_range='"x"') == (200, FILM)
    assert visitor.get(address, range=f"bytes={len(FILM)}-") == (416, b"")
    assert visitor.get(address, "HEAD", range="bytes=10-19") == (200, b"")
    assert visitor.headers["Content-Length"] == str(len(FILM))


def test_a_recalled_or_changed_film_is_gone_from_the_gallery(film_out: Home) -> None:
    visitor, (entry,) = Visitor(film_out), read_manifest(film_out)["items"]
    names = ("film.mp4", "full.jpg", "")
    path = film_out.approved("website") / entry["file"]
    path.write_bytes(FILM[:-1] + b"x")
    assert visitor.get(f"{entry['id']}/film.mp4")[0] == 404
    path.write_bytes(FILM)
    assert [visitor.get(f"{entry['id']}/{name}")[0] for name in names] == [200, 200, 200]
    recall(film_out)
    assert [visitor.get(f"{entry['id']}/{name}")[0] for name in names] == [404, 404, 404]
    assert published_files(film_out) == {}


def test_a_picture_has_no_film(film_out: Home) -> None:
    make_photo(film_out, "000001")
    publish_pending(film_out, FakeRenderer())
    photo = next(entry for entry in read_manifest(film_out)["items"] if "kind" not in entry)
    assert Visitor(film_out).get(f"{photo['id']}/film.mp4")[0] == 404


# --- killed in between -----------------------------------------------------------------------


@pytest.mark.parametrize("first", ["film", "poster"])
def test_a_recall_that_was_killed_between_the_two_files_is_finished(
    film_out: Home, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, poster = addresses(film_out)
    unlink, killed = Path.unlink, film if first == "poster" else poster

    def unlink_or_die(path: Path, missing_ok: bool = False) -> None:
        if path.as_posix().endswith(killed):
            raise KeyboardInterrupt
        unlink(path, missing_ok=missing_ok)

    withdraw_consent(film_out, "000001")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlink_or_die)
        with pytest.raises(KeyboardInterrupt):
            remove_withdrawn(film_out)
    assert killed in published_files(film_out)
    assert read_manifest(film_out)["items"] == []
    publish_pending(film_out, None)
    assert published_files(film_out) == {}


@pytest.mark.parametrize("renames", [1, 2])
def test_a_film_recalled_after_its_release_was_killed_leaves_no_file(
    home: Home, renames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poster, or both, have their names; the ledger says "written"."""
    make_world_with_ann(home)
    make_film_item(home, "000001", FILM)
    done: list[Path] = []

    def move_or_die(staged: Path, final: Path) -> None:
        move_into_place(staged, final)
        done.append(final)
        if len(done) == renames:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(release, "move_into_place", move_or_die)
        with pytest.raises(KeyboardInterrupt):
            publish_pending(home, FakeRenderer())
    assert len(published_files(home)) >= renames
    recall(home)
    publish_pending(home, None)
    assert published_files(home) == {}
    assert read_manifest(home)["items"] == []
