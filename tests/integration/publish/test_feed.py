"""The feed over real HTTP, with the example client and a withdrawal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from django.conf import settings
from django.test import Client
from typer.testing import CliRunner, Result

from consent_gate.cli.app import app
from consent_gate.db.models import FeedDownload, FeedToken, Publication
from consent_gate.home.home import Home
from publish.feed import views
from publish.feed.rate_limit import RateLimit
from publish.feed.tokens import end_token, new_token
from publish.recall.tickets import open_tickets
from publish.recall.withdraw import remove_withdrawn
from tests.conftest import ROOT, Clock, HomeAfter
from tests.support.fake_renderer import (
    make_two_out,
    published_files,
    withdraw_consent,
)
from tests.support.http_server import serve_home

WEEK = timedelta(days=7)


@pytest.fixture
def two_out(home_after: HomeAfter, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Two pictures are out; the second shows Ben too."""
    home = home_after(make_two_out)
    settings.CONSENT_GATE_HOME = home
    monkeypatch.setattr(views, "REQUESTS", RateLimit(per_minute=600, burst=300))
    monkeypatch.setattr(views, "FAILURES", RateLimit(per_minute=10, burst=20))
    return home


class Reader:
    """A reader of a feed, without a network."""

    def __init__(self, token: str) -> None:
        self.client, self.token = Client(SERVER_NAME="localhost"), token

    def get(self, address: str, **headers: str):  # type: ignore[no-untyped-def]
        return self.client.get(address, headers=self.with_token(headers))

    def confirm(self, publication: str, channel: str = "website"):  # type: ignore[no-untyped-def]
        address = f"/feeds/{channel}/withdrawn/{publication}/confirm"
        return self.client.post(address, headers=self.with_token({}))

    def with_token(self, headers: dict[str, str]) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", **headers}


def reader_of(home: Home, channel: str = "website", reader: str = "wordpress") -> Reader:
    return Reader(new_token(home, channel, reader, WEEK, "t.smith"))


def a_file(home: Home) -> tuple[str, bytes]:
    name, data = sorted(published_files(home).items())[0]
    return f"/feeds/website/{name}", data


def test_the_feed_serves_what_the_folder_holds(two_out: Home) -> None:
    reader = reader_of(two_out)
    answer = reader.get("/feeds/website/manifest.json")
    in_folder = json.loads((two_out.approved("website") / "manifest.json").read_text())
    assert answer.json()["items"] == in_folder["items"]
    assert answer["Cache-Control"] == "no-store"
    for entry in in_folder["items"]:
        picture = reader.get(f"/feeds/website/{entry['file']}")
        assert picture.content == published_files(two_out)[entry["file"]]
        assert picture["Content-Type"] == "image/jpeg"
        assert picture["Cache-Control"] == "no-store"


@pytest.mark.parametrize("token", ["", "nonsense", "a.b", "." * 300, "\u00e9.\u00e9"])
def test_the_feed_answers_nobody_without_a_valid_token(two_out: Home, token: str) -> None:
    reader_of(two_out)
    address, _ = a_file(two_out)
    for where in ("/feeds/website/manifest.json", address, "/feeds/nowhere/manifest.json"):
        assert Reader(token).get(where).status_code == 401


def test_a_token_opens_its_own_channel_only(two_out: Home) -> None:
    reader = reader_of(two_out, "mag")
    assert reader.get("/feeds/mag/manifest.json").status_code == 200
    assert reader.get("/feeds/website/manifest.json").status_code == 401
    assert reader.get(a_file(two_out)[0]).status_code == 401


def test_the_secret_is_not_stored(two_out: Home) -> None:
    secret = new_token(two_out, "website", "wordpress", WEEK, "t.smith").partition(".")[2]
    assert secret not in str(list(FeedToken.objects.values()))


@pytest.mark.dialect
def test_the_old_token_works_until_the_overlap_ends(two_out: Home, clock: Clock) -> None:
    old = reader_of(two_out)
    new = reader_of(two_out)
    assert old.get("/feeds/website/manifest.json").status_code == 200
    clock.pass_days(8)
    assert old.get("/feeds/website/manifest.json").status_code == 401
    assert new.get("/feeds/website/manifest.json").status_code == 200
    end_token(two_out, new.token.partition(".")[0], "t.smith")
    assert new.get("/feeds/website/manifest.json").status_code == 401


def command(home: Home, *words: str) -> Result:
    result = CliRunner().invoke(app, ["--home", str(home.root), "feed", *words])
    assert result.exit_code == 0, result.output
    return result


def test_the_technician_makes_lists_and_ends_tokens_by_command(two_out: Home) -> None:
    made = json.loads(command(two_out, "token", "website", "--reader", "cms", "--json").stdout)
    reader, name = Reader(made["token"]), made["token"].partition(".")[0]
    assert reader.get("/feeds/website/manifest.json").status_code == 200
    (listed,) = map(json.loads, command(two_out, "tokens", "--json").stdout.splitlines())
    assert (listed["token"], listed["channel"], listed["reader"]) == (name, "website", "cms")
    assert listed["last_used_at"]
    shown = command(two_out, "tokens").stdout
    assert "cms" in shown
    assert made["token"] not in shown
    command(two_out, "revoke", name)
    assert reader.get("/feeds/website/manifest.json").status_code == 401


def test_an_unchanged_list_is_answered_304_and_a_withdrawal_changes_it(two_out: Home) -> None:
    reader = reader_of(two_out)
    tag = reader.get("/feeds/website/manifest.json")["ETag"]
    same = reader.get("/feeds/website/manifest.json", if_none_match=tag)
    assert (same.status_code, same.content) == (304, b"")
    withdraw_consent(two_out, "000002")
    assert reader.get("/feeds/website/manifest.json", if_none_match=tag).status_code == 200


def test_a_withdrawn_picture_is_out_of_the_feed_before_its_file_is_removed(two_out: Home) -> None:
    reader = reader_of(two_out)
    withdraw_consent(two_out, "000001")
    assert len(published_files(two_out)) == 2, "the folder has not followed yet"
    assert reader.get(a_file(two_out)[0]).status_code == 404
    manifest = reader.get("/feeds/website/manifest.json").json()
    assert manifest["items"] == []
    assert len(manifest["withdrawn"]) == 2


@pytest.mark.dialect
def test_a_picture_recalled_while_it_is_read_is_not_served(
    two_out: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or its ticket could close without the reader who has just got a copy."""
    reader, read = reader_of(two_out), views._open_verified
    address, _ = a_file(two_out)

    def read_then_recalled(*which: object) -> object:
        data = read(*which)  # type: ignore[arg-type]
        withdraw_consent(two_out, "000001")
        remove_withdrawn(two_out)
        return data

    monkeypatch.setattr(views, "_open_verified", read_then_recalled)
    assert reader.get(address).status_code == 404
    assert not FeedDownload.objects.exists()


@pytest.mark.dialect
def test_a_byte_range_of_a_picture_is_served(two_out: Home) -> None:
    reader, (address, data) = reader_of(two_out), a_file(two_out)
    part = reader.get(address, range="bytes=10-19")
    assert (part.status_code, part.content) == (206, data[10:20])
    assert part["Content-Range"] == f"bytes 10-19/{len(data)}"
    assert reader.get(address, range="bytes=-5").content == data[-5:]
    assert reader.get(address, range="bytes=900000-").status_code == 416
    assert reader.get(address, range="bytes=9-2").content == data
    other = reader.get(address, range="bytes=0-3", if_range='"of another picture"')
    assert (other.status_code, other.content) == (200, data)


def test_there_is_no_listing_and_no_way_around(two_out: Home) -> None:
    reader = reader_of(two_out)
    for address in (
        "/feeds/",
        "/feeds/website/",
        "/feeds/website/2026-11/",
        "/feeds/website/../mag/manifest.json",
        "/feeds/website/2026-11/..%2f..%2f..%2fconsent-gate.toml",
        "/feeds/website/.partial-x",
    ):
        assert reader.get(address).status_code in {302, 403, 404}, address


def test_a_changed_file_is_not_served(two_out: Home) -> None:
    reader, (address, data) = reader_of(two_out), a_file(two_out)
    path = two_out.approved("website") / address.removeprefix("/feeds/website/")
    path.write_bytes(data + b"extra")
    assert reader.get(address).status_code == 503


def test_a_token_that_asks_too_often_is_told_to_wait(
    two_out: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "REQUESTS", RateLimit(per_minute=1, burst=3))
    reader, other = reader_of(two_out), reader_of(two_out, reader="screens")
    answers = [reader.get("/feeds/website/manifest.json").status_code for _ in range(5)]
    assert answers == [200, 200, 200, 429, 429]
    assert other.get("/feeds/website/manifest.json").status_code == 200


def test_guessing_is_slowed_down_but_a_valid_token_is_not(two_out: Home) -> None:
    reader = reader_of(two_out)
    answers = [Reader("x.y").get("/feeds/website/manifest.json").status_code for _ in range(25)]
    assert answers[0] == 401
    assert answers[-1] == 429
    assert reader.get("/feeds/website/manifest.json").status_code == 200


def test_a_ticket_stays_open_until_everybody_who_pulled_the_picture_confirms(
    two_out: Home,
) -> None:
    wordpress, screens = reader_of(two_out), reader_of(two_out, reader="screens")
    address, _ = a_file(two_out)
    for reader in (wordpress, wordpress, screens):
        reader.get(address)
    withdraw_consent(two_out, "000001")
    remove_withdrawn(two_out)
    (ticket,) = [t for t in open_tickets(two_out) if t.publication.channel == "website"]
    assert ticket.waits_for == ("screens", "wordpress")
    assert {p.reader: p.count for p in ticket.downloads} == {"wordpress": 2, "screens": 1}
    assert wordpress.confirm(ticket.publication.pk).status_code == 200
    assert wordpress.confirm(ticket.publication.pk).status_code == 200, "may be repeated"
    assert [t.waits_for for t in open_tickets(two_out)] == [("screens",)]
    screens.confirm(ticket.publication.pk)
    assert open_tickets(two_out) == []


def test_a_picture_that_is_still_out_cannot_be_confirmed_away(two_out: Home) -> None:
    reader, row = reader_of(two_out), Publication.objects.filter(channel="website").first()
    assert row is not None
    assert reader.confirm(row.pk).status_code == 404
    other_channel = Publication.objects.filter(channel="mag").first()
    assert other_channel is not None
    assert reader.confirm(other_channel.pk).status_code == 404


@pytest.fixture
def address(two_out: Home) -> Iterator[str]:
    """The feed on the real web server."""
    with serve_home(two_out) as (address, _):
        yield f"{address}/feeds/website"


def test_consent_gate_pull_follows_the_feed_and_its_withdrawals(
    two_out: Home, address: str, tmp_path: Path
) -> None:
    token = new_token(two_out, "website", "wordpress", WEEK, "t.smith")
    copy = tmp_path / "copy"

    def pull() -> None:
        subprocess.run(
            [sys.executable, "-m", "publish.pull", address, copy],
            env={**os.environ, "CONSENT_GATE_TOKEN": token},
            cwd=ROOT,
            check=True,
            timeout=60,
        )

    def copied() -> dict[str, bytes]:
        return {p.relative_to(copy).as_posix(): p.read_bytes() for p in copy.glob("*/*.jpg")}

    pull()
    assert copied() == published_files(two_out)
    assert len(copied()) == 2
    withdraw_consent(two_out, "000002")
    remove_withdrawn(two_out)
    assert len(open_tickets(two_out)) == 1
    pull()
    assert copied() == published_files(two_out)
    assert len(copied()) == 1
    assert open_tickets(two_out) == []
    pull()
    assert FeedDownload.objects.count() == 2, "nothing is fetched twice"


def test_a_real_server_tells_nothing_of_itself(two_out: Home, address: str) -> None:
    token = new_token(two_out, "website", "wordpress", WEEK, "t.smith")
    headers = {"Authorization": f"Bearer {token}"}
    asked = Request(f"{address}/manifest.json", headers=headers)  # noqa: S310
    with urlopen(asked, timeout=10) as answer:  # noqa: S310
        names = {name.lower() for name in answer.headers}
    assert not names & {"server", "last-modified", "set-cookie", "x-powered-by"}
