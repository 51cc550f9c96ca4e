"""Slow readers of large films on the public gallery keep nobody waiting, and a recall ends them."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consent_gate.web import connections, public_gallery_server
from tests.support.public_gallery import serve_gallery

SIZE = 48 << 20
"""More than the buffers of a connection hold."""
FILM, POSTER = "2026-11/" + "f" * 26 + ".mp4", "2026-11/" + "f" * 26 + ".jpg"
ADDRESS = f"/gallery/website/{'a' * 26}/film.mp4"
SOME_SECONDS = 60.0
"""Far above what is measured: the machine may be busy with other work."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A channel's folder with one large film."""
    film = tmp_path / FILM
    film.parent.mkdir()
    with film.open("wb") as file:
        file.truncate(SIZE)
    (tmp_path / POSTER).write_bytes(b"poster")
    entry = {
        "id": "a" * 26,
        "kind": "film",
        "file": FILM,
        "sha256": hashlib.sha256(bytes(SIZE)).hexdigest(),
        "bytes": SIZE,
        "duration": 2.0,
        "poster": {"file": POSTER, "sha256": hashlib.sha256(b"poster").hexdigest(), "bytes": 6},
        **{"width": 64, "height": 36, "title": "", "alt": "", "released_at": "2026-11-29"},
    }
    document = {
        "schema": "consent-gate/manifest@1",
        "channel": "website",
        "sequence": 1,
        "generated_at": datetime.now(UTC).isoformat(),  # noqa: TID251  the gallery's own clock
        "items": [entry],
        "withdrawn": [],
    }
    (tmp_path / "manifest.json").write_text(json.dumps(document))
    return tmp_path


@pytest.fixture
def port(folder: Path) -> Iterator[int]:
    """The gallery's server on this folder."""
    with serve_gallery({"website": ("School", str(folder))}) as served:
        yield served


def ask(port: int, *paths: str) -> socket.socket:
    """A connection that has sent these requests at once and read nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", port))
    client.settimeout(SOME_SECONDS)
    client.sendall(b"".join(b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n" % p.encode() for p in paths))
    return client


def received(client: socket.socket) -> int:
    total = 0
    try:
        while data := client.recv(1 << 20):
            total += len(data)
    except ConnectionResetError:
        pass
    return total


def test_readers_who_ask_twice_and_read_nothing_keep_no_thread(port: int) -> None:
    """One thread each would wait as long as they like to send the second answer."""
    slow = [ask(port, ADDRESS, ADDRESS) for _ in range(public_gallery_server.THREADS + 1)]
    time.sleep(0.5)
    with closing(ask(port, "/gallery/style.css")) as client:
        client.settimeout(20)
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
    for client in slow:
        client.close()


def test_a_reader_who_is_too_slow_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "SEND_SECONDS", 0.3)
    with closing(ask(port, ADDRESS)) as client:
        time.sleep(1.5)
        assert received(client) < SIZE


def test_a_recall_ends_the_answer_that_is_being_sent(port: int, folder: Path) -> None:
    with closing(ask(port, ADDRESS)) as client:
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        (folder / FILM).unlink()
        assert received(client) < SIZE


def test_a_whole_film_arrives(port: int) -> None:
    with closing(ask(port, ADDRESS)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        total = 0
        while total < SIZE and (data := client.recv(1 << 20)):
            total += len(data)
    assert total >= SIZE
