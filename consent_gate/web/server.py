"""The web server of ``consent-gate run``."""

from __future__ import annotations

import sys
import threading
from typing import Any

from waitress import wasyncore
from waitress.server import create_server

from consent_gate.home.home import Home

THREADS = 8
"""Requests answered at once: previews are decrypted in them, and a page shows many."""

MAX_BYTES = 256 << 20
"""Of one request: the portraits of a school of 700, as a ZIP. It is kept on disk, not in memory."""


SECONDS_TO_STOP = 0.5
"""How often the server looks whether it has to stop."""


def serve(home: Home, stop: threading.Event) -> None:
    """Answer on the host and port of the settings until ``stop`` is set.

    Raises OSError when the port is taken.
    """
    from django.core.handlers.wsgi import WSGIHandler

    web = home.settings.web
    sockets: dict[int, Any] = {}
    server = create_server(
        WSGIHandler(),
        map=sockets,
        host=web.host,
        port=web.port,
        threads=THREADS,
        max_request_body_size=MAX_BYTES,
        ident=None,
        **_behind_a_proxy(home),
    )
    _print_setup_code(home)
    try:
        while not stop.is_set():
            wasyncore.loop(timeout=SECONDS_TO_STOP, map=sockets, count=1)
    finally:
        server.task_dispatcher.shutdown()
        wasyncore.close_all(sockets)


def _print_setup_code(home: Home) -> None:
    """On the screen where the gate is started, never in a log file."""
    from consent_gate.web.accounts.first_run import setup_code

    code, web = setup_code(home), home.settings.web
    if code:
        sys.stderr.write(
            f"Nobody can log in yet. Open http://{web.host}:{web.port}/setup/"
            f" and type the set-up code {code}\n"
        )


def _behind_a_proxy(home: Home) -> dict[str, str]:
    """With https on, the proxy of the settings ends it and says so; nobody else is believed."""
    if not home.settings.web.https:
        return {}
    return {"trusted_proxy": home.settings.web.proxy, "trusted_proxy_headers": "x-forwarded-proto"}
