"""The public gallery shows what the manifest lists now, and nothing else."""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from consent_gate.cli.app import app
from consent_gate.cli.public_gallery import configuration_of
from consent_gate.errors import SettingsInvalid
from consent_gate.home.home import Home
from publish.channel.manifest import manifest_path, refresh_public_manifests
from publish.public_gallery.application import GalleryApplication, GalleryChannel
from publish.public_gallery.approved import ApprovedFolder
from publish.recall.withdraw import remove_withdrawn
from publish.verification.verify import verify
from tests.conftest import ROOT, Clock, HomeAfter
from tests.support.fake_renderer import (
    make_two_out,
    published_files,
    read_manifest,
    withdraw_consent,
)
from tests.support.http_server import free_port
from tests.support.settings_override import with_section

SITE = "https://www.example.sch.uk"


@pytest.fixture
def two_out(home_after: HomeAfter) -> Home:
    """Two pictures are out; the second shows Ben too."""
    home = home_after(make_two_out)
    return with_section(home, "gallery", channels=("website",), frame_ancestors=(SITE,))


class Visitor:
    """Somebody on the internet, without a network."""

    def __init__(self, home: Home, channel: str = "website") -> None:
        folder = ApprovedFolder(channel, home.approved(channel), timedelta(hours=24), home.clock)
        self.application = GalleryApplication(
            {channel: GalleryChannel("School website", folder)}, [SITE]
        )
        self.headers: dict[str, str] = {}

    def get(self, path: str, query: str = "", method: str = "GET") -> tuple[int, bytes]:
        status = []

        def start(line: str, headers: list[tuple[str, str]]) -> None:
            status.append(int(line.split(maxsplit=1)[0]))
            self.headers = dict(headers)

        environ = {"REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query}
        body = b"".join(self.application(environ, start))
        return status[0], body


def entries(home: Home) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = read_manifest(home)["items"]
    return items


def change_manifest(home: Home, **values: Any) -> None:
    """Change every entry as a tool of somebody else might."""
    document = read_manifest(home)
    for entry in document["items"]:
        entry.update(values)
    manifest_path(home, "website").write_text(json.dumps(document))


def test_the_page_shows_each_listed_picture_in_its_sizes(two_out: Home) -> None:
    visitor = Visitor(two_out)
    status, page = visitor.get("/gallery/website/")
    assert status == 200
    addresses = re.findall(r"[a-z2-7]{26}/full\.jpg(?= )", page.decode())
    assert sorted(addresses) == sorted(f"{entry['id']}/full.jpg" for entry in entries(two_out))
    for entry in entries(two_out):
        sent = visitor.get(f"/gallery/website/{entry['id']}/full.jpg")
        assert sent == (200, published_files(two_out)[entry["file"]])
        assert visitor.get(f"/gallery/website/{entry['id']}/")[0] == 200
    assert b"<script" not in page


def test_no_answer_may_be_stored_or_framed_by_others(two_out: Home) -> None:
    visitor, key = Visitor(two_out), entries(two_out)[0]["id"]
    for path in ("", f"{key}/", f"{key}/full.jpg", "nothing"):
        visitor.get(f"/gallery/website/{path}")
        assert visitor.headers["Cache-Control"] == "no-store"
        assert f"frame-ancestors {SITE}" in visitor.headers["Content-Security-Policy"]
        assert "default-src 'none'" in visitor.headers["Content-Security-Policy"]


def test_a_withdrawn_picture_is_gone_at_the_next_request(two_out: Home) -> None:
    visitor, before = Visitor(two_out), entries(two_out)
    paths = [f"/gallery/website/{e['id']}/full.jpg" for e in before]
    assert [visitor.get(path)[0] for path in paths] == [200, 200]
    withdraw_consent(two_out, "000002")
    remove_withdrawn(two_out)
    left = {entry["id"] for entry in entries(two_out)}
    assert len(left) == 1
    for entry, path in zip(before, paths, strict=True):
        assert visitor.get(path)[0] == (200 if entry["id"] in left else 404)
        assert (entry["id"].encode() in visitor.get("/gallery/website/")[1]) == (
            entry["id"] in left
        )


def test_a_file_that_the_manifest_does_not_list_is_not_found(two_out: Home) -> None:
    """Also while its file is still in the folder."""
    visitor, (first, second) = Visitor(two_out), entries(two_out)
    path = f"/gallery/website/{first['id']}/full.jpg"
    assert visitor.get(path)[0] == 200
    document = read_manifest(two_out)
    document["items"] = [second]
    manifest_path(two_out, "website").write_text(json.dumps(document))
    assert (two_out.approved("website") / first["file"]).exists()
    assert visitor.get(path)[0] == 404


def test_a_changed_or_linked_file_is_not_sent(two_out: Home, tmp_path: Path) -> None:
    visitor, (first, second) = Visitor(two_out), entries(two_out)
    folder = two_out.approved("website")
    (folder / first["file"]).write_bytes((folder / first["file"]).read_bytes() + b"x")
    aside = tmp_path / "aside.jpg"
    (folder / second["file"]).rename(aside)
    (folder / second["file"]).symlink_to(aside)
    for entry in (first, second):
        assert visitor.get(f"/gallery/website/{entry['id']}/full.jpg")[0] == 404


@pytest.mark.parametrize(
    "content", [None, b"", b"[]", b"{}", b'{"items": []', b"[" * 100_000], ids=str
)
def test_a_manifest_that_cannot_be_read_shows_nothing(two_out: Home, content: bytes | None) -> None:
    visitor, entry = Visitor(two_out), entries(two_out)[0]
    assert visitor.get("/gallery/website/")[0] == 200
    path = manifest_path(two_out, "website")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    for place in ("", f"{entry['id']}/", f"{entry['id']}/full.jpg"):
        status, body = visitor.get(f"/gallery/website/{place}")
        assert status == 503
        assert entry["id"].encode() not in body


def test_a_manifest_that_the_gate_does_not_confirm_shows_nothing(
    two_out: Home, clock: Clock
) -> None:
    visitor = Visitor(two_out)
    clock.pass_hours(23)
    assert visitor.get("/gallery/website/")[0] == 200
    clock.pass_hours(2)
    assert visitor.get("/gallery/website/")[0] == 503
    refresh_public_manifests(two_out)
    assert visitor.get("/gallery/website/")[0] == 200


def test_a_manifest_from_the_future_shows_nothing(two_out: Home, clock: Clock) -> None:
    """Or a clock that was wrong once would keep a list shown for years."""
    visitor = Visitor(two_out)
    clock.pass_minutes(-9)
    assert visitor.get("/gallery/website/")[0] == 200
    clock.pass_minutes(-2)
    assert visitor.get("/gallery/website/")[0] == 503


def test_a_list_behind_the_ledger_is_not_confirmed(two_out: Home, clock: Clock) -> None:
    visitor = Visitor(two_out)
    clock.pass_hours(25)
    withdraw_consent(two_out, "000002")
    refresh_public_manifests(two_out)
    assert visitor.get("/gallery/website/")[0] == 503


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/gallery/",
        "/gallery/mag/",
        "/gallery/website/manifest.json",
        "/gallery/website/../../consent-gate.toml",
        "/gallery/website/2026-11/" + "a" * 26 + ".jpg",
        "/gallery/website/" + "a" * 26 + "/full.jpg",
        "/gallery/website/" + "a" * 26 + "/10000.jpg",
        "/gallery/website/\n",
        "/feeds/website/manifest.json",
    ],
)
def test_there_is_no_other_way_in(two_out: Home, path: str) -> None:
    assert Visitor(two_out).get(path)[0] == 404


def test_only_get_and_head_are_answered(two_out: Home) -> None:
    visitor = Visitor(two_out)
    assert visitor.get("/gallery/website/", method="HEAD") == (200, b"")
    assert visitor.get("/gallery/website/", method="POST")[0] == 405


def test_titles_and_albums_are_escaped(two_out: Home) -> None:
    text = '"><script>alert(1)</script>'
    change_manifest(two_out, title=text, alt=text, album=text)
    visitor, key = Visitor(two_out), entries(two_out)[0]["id"]
    for path in ("", f"{key}/"):
        assert b"<script" not in visitor.get(f"/gallery/website/{path}")[1]


def test_an_album_shows_its_own_pictures(two_out: Home) -> None:
    document = read_manifest(two_out)
    document["items"][0]["album"] = "Sports day & more"
    manifest_path(two_out, "website").write_text(json.dumps(document))
    visitor, (first, second) = Visitor(two_out), [e["id"].encode() for e in entries(two_out)]
    page = visitor.get("/gallery/website/")[1]
    assert b'href="?album=Sports+day+%26+more"' in page
    album = visitor.get("/gallery/website/", "album=Sports+day+%26+more")[1]
    assert first in album
    assert second not in album
    assert visitor.get("/gallery/website/", "album=another")[0] == 404
    assert visitor.get("/gallery/website/", "page=x")[0] == 404


def test_smaller_sizes_are_clean_and_are_gone_with_their_picture(home: Home) -> None:
    home.approved("website").joinpath("2026-11").mkdir()
    big = io.BytesIO()
    Image.effect_noise((1600, 1000), 60).convert("RGB").save(big, "JPEG", comment=b"Robin Ashdown")
    data, key = big.getvalue(), "b" * 26
    import hashlib

    entry = {
        "id": key,
        "file": f"2026-11/{'c' * 26}.jpg",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "width": 1600,
        "height": 1000,
        "title": "",
        "alt": "",
        "released_at": "2026-11-29T10:00:00+00:00",
    }
    (home.approved("website") / str(entry["file"])).write_bytes(data)
    document = {
        "schema": "consent-gate/manifest@1",
        "channel": "website",
        "sequence": 1,
        "generated_at": home.clock().isoformat(),
        "items": [entry],
        "withdrawn": [],
    }
    path = manifest_path(home, "website")
    path.write_text(json.dumps(document))
    visitor = Visitor(home)
    assert b"480.jpg 480w" in visitor.get("/gallery/website/")[1]
    for side in (480, 960):
        for _ in range(2):
            status, small = visitor.get(f"/gallery/website/{key}/{side}.jpg")
            assert status == 200
            assert Image.open(io.BytesIO(small)).size == (side, side * 1000 // 1600)
            assert verify(small) == []
            assert b"Robin" not in small
    path.write_text(json.dumps(document | {"items": []}))
    for name in ("480", "960", "full"):
        assert visitor.get(f"/gallery/website/{key}/{name}.jpg")[0] == 404


def test_nothing_is_public_before_a_channel_is_named(home: Home) -> None:
    with pytest.raises(SettingsInvalid, match="names no channel"):
        configuration_of(home)
    done = CliRunner().invoke(app, ["--home", str(home.root), "gallery", "serve"])
    assert isinstance(done.exception, SettingsInvalid)


def test_a_gallery_that_could_read_private_folders_does_not_start(home: Home) -> None:
    paths = with_section(home, "paths", approved=Path())
    outside = with_section(paths, "gallery", channels=("website",))
    channels = dict(outside.settings.channels)
    channels["website"] = channels["website"].model_copy(update={"folder": Path()})
    from dataclasses import replace

    whole = replace(outside, settings=outside.settings.model_copy(update={"channels": channels}))
    with pytest.raises(SettingsInvalid, match="could read"):
        configuration_of(whole)


@contextmanager
def gallery_process(home: Home) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The gallery as its own program, as ``gallery serve`` starts it."""
    port = free_port()
    settings = home.root / "consent-gate.toml"
    text = settings.read_text().replace(
        "[gallery]\n", f'[gallery]\nchannels = ["website"]\nport = {port}\n'
    )
    settings.write_text(text)
    command = [sys.executable, "-m", "consent_gate", "--home", str(home.root), "gallery", "serve"]
    environment = {**os.environ, "A_PASSWORD": "secret", "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.PIPE)
    try:
        for _ in range(2400):  # two minutes, on a busy machine
            try:
                http.client.HTTPConnection("127.0.0.1", port, timeout=30).connect()
                break
            except OSError:
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.05)
        yield process, port
    finally:
        process.terminate()
        process.wait(120)
        if process.stderr:
            process.stderr.close()


def test_the_program_serves_pictures_and_holds_no_secret(two_out: Home) -> None:
    refresh_public_manifests(two_out)
    with gallery_process(two_out) as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/gallery/website/")
        answer = connection.getresponse()
        assert answer.status == 200
        assert entries(two_out)[0]["id"].encode() in answer.read()
        assert answer.headers["Cache-Control"] == "no-store"
        assert not {"Server", "Set-Cookie"} & set(answer.headers)
        for name in ("480.jpg", "full.jpg"):
            connection.request("GET", f"/gallery/website/{entries(two_out)[0]['id']}/{name}")
            picture = connection.getresponse()
            assert (picture.status, picture.read()[:2]) == (200, b"\xff\xd8")
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
        assert "CapEff:\t0000000000000000" in status
        assert "Seccomp:\t2" in status
        assert status.count("Seccomp") == 2
        files = [str(p.readlink()) for p in Path(f"/proc/{process.pid}/fd").iterdir()]
        assert not [f for f in files if "secrets" in f or "sqlite" in f]


ATTACK = """
import os, socket, sys
from pathlib import Path
from ingest.workers import sandbox
from consent_gate.web.public_gallery_server import PACKAGES
home = Path(sys.argv[1])
listening = socket.create_server(("127.0.0.1", 0))
sandbox.enter_server([home / "approved" / "website"], PACKAGES, 2048)
import threading
found = []
def attack():
    for path in sys.argv[2:]:
        try:
            (home / path).read_bytes()
            found.append(path)
        except OSError:
            pass
    try:
        (home / "approved" / "website" / "new").write_bytes(b"x")
        found.append("writing")
    except OSError:
        pass
def attack_by_calls():
    tries = {
        "connecting": lambda: socket.create_connection(listening.getsockname(), 1),
        "a socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "a program": lambda: os.execv("/bin/true", ["/bin/true"]),
        "a fork": os.fork,
        "a signal": lambda: os.kill(os.getppid(), 0),
        "deleting": lambda: os.unlink(home / "approved" / "website" / "manifest.json"),
        "renaming": lambda: os.rename(home / "approved" / "website", home / "x"),
    }
    for name, attempt in tries.items():
        try:
            attempt()
            found.append(name)
        except OSError:
            pass
attack()
sandbox.restrict_server_calls()
attack_by_calls()
thread = threading.Thread(target=attack_by_calls); thread.start(); thread.join()
thread = threading.Thread(target=attack); thread.start(); thread.join()
print(found, (home / "approved" / "website" / "manifest.json").is_file())
"""


def test_a_gallery_that_is_taken_over_can_read_the_approved_folder_alone(two_out: Home) -> None:
    root = two_out.root
    secrets = sorted(str(p.relative_to(root)) for p in two_out.secrets.iterdir())
    assert secrets
    other = [*secrets, "gate.sqlite3", "consent-gate.toml", "approved/mag/manifest.json"]
    assert all((root / path).exists() for path in other)
    done = subprocess.run(
        [sys.executable, "-c", ATTACK, str(root), *other, "/etc/passwd"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[] True\n", done.stdout
