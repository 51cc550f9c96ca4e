"""The web server of ``consent-gate run``."""

from __future__ import annotations

import sys
import threading
from typing import Any

from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server

from consent_gate.home.home import Home

THREADS = 8
"""Parallel requests: one queue page loads many previews, and each is decrypted on request."""

MAX_HEADER_BYTES = 32 << 10
"""Largest headers of a request."""

MAX_IN_MEMORY_BYTES = 64 << 10
"""A larger body is stored on the disk while it is received."""

SPARE_CONNECTIONS = 20
"""Sockets of the server itself, and connections that are being closed."""

STOP_POLL_SECONDS = 0.5
"""How often the server checks whether it must stop, and which connections are late."""


def serve(home: Home, stop: threading.Event) -> None:
    """Serve the pages on the host and port of the settings until ``stop`` is set.

    Raises:
        OSError: The port is in use.
    """
    from django.core.handlers.wsgi import WSGIHandler

    from consent_gate.web import connections, staff_connections

    web = home.settings.web
    sockets: dict[int, Any] = {}
    server = create_server(
        WSGIHandler(),
        map=sockets,
        host=web.host,
        port=web.port,
        threads=THREADS,
        max_request_body_size=staff_connections.SMALL_BODY,
        max_request_header_size=MAX_HEADER_BYTES,
        inbuf_overflow=MAX_IN_MEMORY_BYTES,
        ident=None,
        connection_limit=connections.MAX_CONNECTIONS + SPARE_CONNECTIONS,
        channel_timeout=connections.FOREVER,
        **_proxy_options(home),
    )
    for listener in sockets.values():
        if isinstance(listener, BaseWSGIServer):
            proxy = web.proxy if web.https else ""
            connections.limit_connections(listener, staff_connections.StaffConnection, proxy)
    _print_setup_code(home)
    try:
        while not stop.is_set():
            wasyncore.loop(timeout=STOP_POLL_SECONDS, use_poll=True, map=sockets, count=1)
    finally:
        server.task_dispatcher.shutdown()
        wasyncore.close_all(sockets)


def _print_setup_code(home: Home) -> None:
    """Print the set-up code on the terminal. It must never reach a log file."""
    from consent_gate.web.accounts.first_run import setup_code

    code, web = setup_code(home), home.settings.web
    if code:
        sys.stderr.write(
            f"There is no account yet. Open http://{web.host}:{web.port}/setup/"
            f" and enter the set-up code {code}\n"
        )


def _proxy_options(home: Home) -> dict[str, str]:
    """Waitress options that trust the client's address and protocol from the proxy alone.

    Limits on wrong passwords go by the client's address, so that one client cannot lock out all.
    """
    if not home.settings.web.https:
        return {}
    return {
        "trusted_proxy": home.settings.web.proxy,
        "trusted_proxy_headers": "x-forwarded-for x-forwarded-proto",
    }
