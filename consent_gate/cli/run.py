"""Keeping the gate running."""

from __future__ import annotations

import signal
from threading import Event, Thread

import typer

from consent_gate import logs
from consent_gate.cli.app import app, the_home
from consent_gate.cli.console import say


@app.command()
def run(context: typer.Context) -> None:
    """Watch the inbox, release what is cleared and serve the queue, until stopped.

    Example: consent-gate --home /srv/consent-gate run
    """
    from consent_gate.bootstrap import migrate
    from consent_gate.web.server import serve
    from ingest.runner import keep_running

    home = the_home(context)
    migrate()
    logs.start(home)
    stop = Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    web = Thread(target=serve, args=(home, stop), name="web", daemon=True)
    web.start()
    say(f"The queue is open at http://{home.settings.web.host}:{home.settings.web.port}/")
    say(f"Photos dropped into {home.inbox} are looked at within seconds. Stop with Ctrl+C.")
    keep_running(home, stop)
    web.join(timeout=5)
