"""The web server of ``consent-gate run``."""

from __future__ import annotations

import threading

from waitress.server import create_server

from consent_gate.bootstrap import Home

THREADS = 8
"""Requests answered at once: previews are decrypted in them, and a page shows many."""

MOST_BYTES = 64 << 20
"""Of one request: a SIMS export of 25 000 pupils has about 20 MB."""


def serve(home: Home, stop: threading.Event) -> None:
    """Answer on the host and port of the settings until ``stop`` is set.

    Raises OSError when the port is taken.
    """
    from django.core.handlers.wsgi import WSGIHandler

    web = home.settings.web
    server = create_server(
        WSGIHandler(),
        host=web.host,
        port=web.port,
        threads=THREADS,
        max_request_body_size=MOST_BYTES,
        ident=None,
    )
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    try:
        stop.wait()
    finally:
        server.close()
