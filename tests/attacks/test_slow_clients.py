"""Clients that send or read slowly, send too much, or open many connections."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.contrib.auth import login
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from consent_gate import web as static
from consent_gate.db.models import Role, User
from consent_gate.home.home import Home
from consent_gate.web import connections, staff_connections, uploads
from ingest.enrolment import upload_queue
from tests.support.factories import World
from tests.support.http_server import serve_home
from tests.support.public_gallery import serve_gallery
from tests.support.settings_override import with_section

SOME_SECONDS = 60.0
"""Far above the limits that these tests set: the machine may be busy with other work."""


@pytest.fixture(autouse=True)
def _short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IDLE_SECONDS", "HEADER_SECONDS", "BODY_SECONDS", "SEND_SECONDS"):
        monkeypatch.setattr(connections, name, 0.4)


@pytest.fixture
def port(world: World) -> Iterator[int]:
    reverse("imports")  # loads all pages; on a busy machine this takes longer than the limits
    with serve_home(world.home) as (_, served):
        yield served.settings.web.port


def connect(port: int, source: str = "127.0.0.1") -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
    client.settimeout(SOME_SECONDS)
    return client


def is_closed(client: socket.socket, drip: bytes) -> bool:
    """Send a few bytes, and return whether the server has hung up."""
    client.settimeout(0.02)
    try:
        client.sendall(drip)
        return client.recv(4096) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


DRIPS = {
    "empty lines": (b"", b"\r\n"),
    "a long header": (b"GET / HTTP/1.1\r\nX-A: ", b"a"),
    "many headers": (b"GET / HTTP/1.1\r\n", b"X-A: a\r\n"),
    "a body": (
        b"POST /login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n",
        b"a",
    ),
    "chunks": (b"POST /login/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
}
"""Beginning of a request, and the bytes that a client then sends all the time."""


@pytest.fixture
def gallery_port() -> Iterator[int]:
    with serve_gallery({}) as served:
        yield served


@pytest.mark.parametrize("server", ["port", "gallery_port"])
def test_a_request_that_drips_is_cut_off(server: str, request: pytest.FixtureRequest) -> None:
    port = request.getfixturevalue(server)
    clients = {kind: connect(port) for kind in DRIPS}
    for kind, client in clients.items():
        client.sendall(DRIPS[kind][0])
    open_ones, end = dict(clients), time.monotonic() + SOME_SECONDS
    while open_ones and time.monotonic() < end:
        for kind in [
            kind for kind, client in open_ones.items() if is_closed(client, DRIPS[kind][1])
        ]:
            del open_ones[kind]
    for client in clients.values():
        client.close()
    assert list(open_ones) == []


def test_a_silent_connection_to_the_gallery_is_closed(gallery_port: int) -> None:
    with closing(connect(gallery_port)) as client:
        assert client.recv(1) == b""


def test_a_connection_that_sends_nothing_is_closed(port: int) -> None:
    with closing(connect(port)) as client:
        assert client.recv(1) == b""


def test_a_connection_that_is_used_stays_open(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.7)
    with closing(connect(port)) as client:
        for _ in range(4):
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b""
            while b"}}" not in answer:
                answer += client.recv(65536)
            assert answer.startswith(b"HTTP/1.1")
            time.sleep(0.3)


def test_a_client_that_does_not_read_its_answers_is_cut_off(port: int) -> None:
    requests, size = 3000, len((Path(static.__file__).parent / "static/gate/gate.js").read_bytes())
    with closing(socket.socket()) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", port))
        client.settimeout(SOME_SECONDS)
        client.sendall(b"GET /static/gate/gate.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * requests)
        time.sleep(1.5)  # longer than three times SEND_SECONDS
        received = 0
        try:
            while data := client.recv(1 << 20):
                received += len(data)
        except ConnectionResetError:
            pass
    assert received < requests * size


# --- large bodies ----------------------------------------------------------------------------


def session_of(user: User) -> str:
    request = HttpRequest()
    request.session = SessionStore()
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    request.session.save()
    return str(request.session.session_key)


def send_large(port: int, path: str, session: str, size: int = 3 << 20) -> bytes:
    """The first line of the answer to the headers of a large body."""
    with closing(connect(port)) as client:
        client.sendall(large_headers(path, session, size))
        return client.recv(4096).partition(b"\r\n")[0]


def may_send_large(port: int, path: str, session: str) -> bool:
    """Whether the server waits for a large body. A refusal comes at once."""
    with closing(connect(port)) as client:
        client.sendall(large_headers(path, session))
        client.settimeout(0.6)
        try:
            client.recv(1)
        except TimeoutError:
            return True
        return False


def large_headers(path: str, session: str, size: int = 3 << 20) -> bytes:
    cookie = f"Cookie: sessionid={session}\r\n" if session else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\n{cookie}Content-Length: {size}\r\n\r\n"
    ).encode()


REFUSED = b"HTTP/1.1 413 Request Entity Too Large"


def test_nobody_sends_a_large_body_before_log_in(port: int) -> None:
    for path in ("/login/", "/imports/", "/setup/", "/feeds/website/"):
        for session in ("", "x" * 32, "é", "a=b; sessionid="):
            assert send_large(port, path, session) == REFUSED, (path, session)


@pytest.mark.dialect
def test_only_those_who_import_may_send_a_large_body(world: World, port: int) -> None:
    reviewer = session_of(world.make_user("r.eview", Role.REVIEWER))
    office = session_of(world.make_user("o.ffice", Role.OFFICE))
    assert send_large(port, "/imports/", reviewer) == REFUSED
    assert send_large(port, "/queue/batch/", office) == REFUSED
    assert may_send_large(port, "/imports/", office)
    assert send_large(port, "/imports/", office, staff_connections.LARGE_BODY + 1) == REFUSED
    assert send_large(port, "/imports/", office, 10**30) == REFUSED


def test_a_closed_account_sends_no_large_body(world: World, port: int) -> None:
    office = world.make_user("o.ffice", Role.OFFICE)
    session = session_of(office)
    office.is_active = False
    office.save()
    assert send_large(port, "/imports/", session) == REFUSED


def test_large_bodies_are_few_at_a_time(
    world: World, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "BODY_SECONDS", 60)
    sessions = [session_of(world.make_user(f"office{n}", Role.OFFICE)) for n in range(3)]
    clients = []
    for session in (sessions[0], sessions[0], sessions[1], sessions[1]):
        clients.append(connect(port))
        clients[-1].sendall(large_headers("/imports/", session))
        time.sleep(0.1)
    assert send_large(port, "/imports/", sessions[2]) == REFUSED
    clients.pop().close()
    time.sleep(0.3)
    assert send_large(port, "/imports/", sessions[0]) == REFUSED
    for client in clients:
        client.close()


def test_an_upload_still_works(world: World, port: int) -> None:
    session = session_of(world.make_user("o.ffice", Role.OFFICE))
    token = Client(SERVER_NAME="localhost")
    token.cookies["sessionid"] = session
    page = token.get("/imports/")
    csrf = page.cookies["csrftoken"].value
    padding = b"x" * (2 << 20)
    parts = (
        f'--b\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{csrf}\r\n'
        '--b\r\nContent-Disposition: form-data; name="export"; filename="a.csv"\r\n\r\n'
    )
    body = parts.encode() + padding + b"\r\n--b--\r\n"
    head = (
        f"POST /imports/ HTTP/1.1\r\nHost: localhost\r\nCookie: sessionid={session};"
        f" csrftoken={csrf}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with closing(connect(port)) as client:
        client.sendall(head.encode() + body)
        assert client.recv(4096).startswith(b"HTTP/1.1 302")


def test_a_length_that_is_no_number_is_a_bad_request(port: int) -> None:
    for length in ("9" * 5000, "-1", "1e3", "0x10", "1_0", "+5", "NaN", "٣"):
        with closing(connect(port)) as client:
            head = f"POST /login/ HTTP/1.1\r\nContent-Length: {length}\r\n\r\n"
            client.sendall(head.encode())
            assert client.recv(4096)[9:12] in {b"400", b"413"}, length
    with closing(connect(port)) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1")


def test_little_is_stored_of_a_body_before_log_in(port: int, tmp_path: Path) -> None:
    before = set(Path(tempfile.gettempdir()).iterdir())
    with closing(connect(port)) as client:
        client.sendall(b"POST /login/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(30):
                client.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
            answer = client.recv(4096)
        except (ConnectionResetError, BrokenPipeError):
            answer = REFUSED
    assert answer.startswith(REFUSED)
    assert not [
        path
        for path in set(Path(tempfile.gettempdir()).iterdir()) - before
        if path.is_file() and path.stat().st_size > 1 << 20
    ]


# --- many connections ------------------------------------------------------------------------


def answers(port: int, source: str = "127.0.0.1") -> bool:
    with closing(connect(port, source)) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return client.recv(4096).startswith(b"HTTP/1.1")


def test_many_silent_connections_stop_nobody(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 60)
    monkeypatch.setattr(connections, "MAX_CONNECTIONS", 30)
    monkeypatch.setattr(connections, "MAX_FROM_ONE_ADDRESS", 100)
    clients = []
    for _ in range(60):
        clients.append(connect(port))
        clients[-1].sendall(b"GET")
    assert answers(port)
    for client in clients:
        client.close()


def test_one_address_does_not_take_all_connections(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 60)
    monkeypatch.setattr(connections, "MAX_FROM_ONE_ADDRESS", 5)
    with closing(connect(port, "127.0.0.9")) as colleague:
        crowd = [connect(port, "127.0.0.5") for _ in range(20)]
        time.sleep(0.5)
        colleague.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert colleague.recv(4096).startswith(b"HTTP/1.1")
        assert crowd[0].recv(1) == b""
        for client in crowd:
            client.close()


def test_the_proxy_may_open_more_connections(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 60)
    monkeypatch.setattr(connections, "MAX_FROM_ONE_ADDRESS", 5)
    with serve_home(with_section(home, "web", https=True)) as (_, served):
        crowd = [connect(served.settings.web.port) for _ in range(10)]
        time.sleep(0.5)
        crowd[0].settimeout(0.3)
        with pytest.raises(TimeoutError):
            crowd[0].recv(1)
        for client in crowd:
            client.close()


# --- stored uploads --------------------------------------------------------------------------


def test_one_person_stores_few_uploads(home: Home) -> None:
    def store(owner: str, name: str) -> str:
        token = uploads.store(home, uploads.Upload(name, b"x"), owner=owner)
        staged = home.sims / "uploads" / f"{token}.aside"
        staged.parent.mkdir(exist_ok=True)
        staged.write_bytes(b"zip")
        return token

    other = store("o.ther", "0.csv")
    tokens = [store("o.ffice", f"{number}.csv") for number in range(6)]
    assert [uploads.exists(home, token) for token in tokens] == [False] * 3 + [True] * 3
    assert [upload_queue.is_staged(home, token) for token in tokens] == [False] * 3 + [True] * 3
    assert uploads.exists(home, other)


def test_all_uploads_together_are_bounded(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_STORED_BYTES", 5000)

    def store_fifty() -> None:
        for number in range(50):
            uploads.store(home, uploads.Upload("a.csv", b"x" * 500), owner=f"p{number}")

    with pytest.raises(uploads.TooManyUploads):
        store_fifty()


def test_an_answer_to_an_upload_that_waits_is_always_stored(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = uploads.store(home, uploads.Upload("a.csv", b"x" * 500), owner="o.ffice")
    monkeypatch.setattr(uploads, "MAX_STORED_BYTES", 1)
    assert uploads.store(home, uploads.Upload("a.csv", b"y"), token) == token
    assert uploads.find(home, token).data == b"y"
