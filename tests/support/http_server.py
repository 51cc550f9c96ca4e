"""Serves the pages and feeds of a home on a free port of loopback."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from django.conf import settings

from consent_gate.home.home import Home
from consent_gate.web import server
from tests.support.settings_override import with_section


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def with_free_port(home: Home) -> Home:
    return with_section(home, "web", port=free_port())


@contextmanager
def serve_home(home: Home) -> Iterator[tuple[str, Home]]:
    """Gives the address, and the home with the port in its settings."""
    here = with_free_port(home)
    settings.CONSENT_GATE_HOME = here
    stop = threading.Event()
    thread = threading.Thread(target=server.serve, args=(here, stop), daemon=True)
    port = here.settings.web.port
    with mock.patch.object(server, "STOP_POLL_SECONDS", 0.05):
        thread.start()
        _wait_until_open(port)
        yield f"http://127.0.0.1:{port}", here
        stop.set()
        thread.join(timeout=120)


def _wait_until_open(port: int) -> None:
    """The server binds its port in a moment."""
    for _ in range(2400):  # two minutes, on a busy machine
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the server did not start")
