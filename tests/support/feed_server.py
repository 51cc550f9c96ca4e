"""A feed on loopback that tests script: it lists what it is told to and misbehaves on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from publish.pull.manifest import SCHEMA

Misbehaviour = Callable[[BaseHTTPRequestHandler], bool]
"""Answers a request in its own way; False leaves it to the server."""


class FeedServer:
    """The channel ``website``."""

    def __init__(self) -> None:
        self.pictures: dict[str, bytes] = {}
        self.withdrawn: list[str] = []
        self.confirmed: list[str] = []
        self.requests: list[str] = []
        self.misbehave: Misbehaviour = lambda _: False
        self.change_list: Callable[[dict[str, Any]], None] = lambda _: None
        self.address = ""

    def publish(self, number: int, data: bytes = b"") -> str:
        """List a picture. Returns its file name."""
        name = file_name(number)
        self.pictures[name] = data or f"picture {number} ".encode() * 200
        return name

    def withdraw(self, name: str) -> None:
        del self.pictures[name]
        self.withdrawn.append(picture_id(name))

    def list(self) -> bytes:
        document = {
            "schema": SCHEMA,
            "channel": "website",
            "sequence": 1,
            "generated_at": "2026-11-29T10:00:00+00:00",
            "items": [entry(name, data) for name, data in self.pictures.items()],
            "withdrawn": [{"id": key, "file": "", "withdrawn_at": ""} for key in self.withdrawn],
        }
        self.change_list(document)
        return json.dumps(document).encode()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        name = request.path.removeprefix("/feeds/website/")
        self.requests.append(f"{request.command} {name}")
        if self.misbehave(request):
            return
        if request.headers["Authorization"] != "Bearer a.token":
            send(request, 401, b"")
        elif request.command == "POST":
            self.confirmed.append(name.split("/")[1])
            send(request, 200, b"{}")
        elif name == "manifest.json":
            send(request, 200, self.list())
        elif name in self.pictures:
            data, wanted = self.pictures[name], request.headers["Range"]
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
            part = {"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}
            send(request, 206 if start else 200, data[start:], part)
        else:
            send(request, 404, b"")


def send(
    request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None
) -> bool:
    """Answer a request. Returns True."""
    request.send_response(status)
    for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        request.send_header(key, value)
    request.end_headers()
    request.wfile.write(body)
    return True


def file_name(number: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return f"2026-11/{letters[number % 26]}{letters[number // 26 % 26]}{'a' * 24}.jpg"


def picture_id(name: str) -> str:
    return name[8:34]


def entry(name: str, data: bytes) -> dict[str, Any]:
    return {
        "id": picture_id(name),
        "file": name,
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "title": "Sports day",
        "alt": "",
    }


@contextmanager
def serve_feed() -> Iterator[FeedServer]:
    feed = FeedServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            feed.answer(self)

        do_POST = do_GET  # noqa: N815  the name of http.server

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    feed.address = f"http://127.0.0.1:{server.server_port}/feeds/website"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield feed
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
