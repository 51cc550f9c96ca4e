"""Serves the public gallery in a thread of the test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from waitress import wasyncore

from consent_gate.web import public_gallery_server


@contextmanager
def serve_gallery(channels: Mapping[str, tuple[str, str]]) -> Iterator[int]:
    """Serve channels, each with its title and folder; yields the port."""
    listening = socket.create_server(("127.0.0.1", 0))
    port: int = listening.getsockname()[1]
    configuration = public_gallery_server.PublicGalleryConfiguration(
        "127.0.0.1", port, dict(channels), (), 24, sandbox_required=True
    )
    with running(public_gallery_server.make_server(configuration, listening)):
        yield port


@contextmanager
def running(server: Any) -> Iterator[None]:
    """Run a server of waitress in a thread; no thread of it is left at the end."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            wasyncore.loop(timeout=0.05, use_poll=True, map=server._map, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        server.task_dispatcher.shutdown()
        wasyncore.close_all(server._map)
