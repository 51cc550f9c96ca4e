"""Keeping the gate running."""

from __future__ import annotations

import gc
import logging
import signal
import time
from functools import partial
from threading import Event, Thread
from typing import TYPE_CHECKING

import typer

from consent_gate.cli.app import app, the_home
from consent_gate.cli.console import say
from consent_gate.home import log_setup
from consent_gate.home.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.runtime.periodic import Chore

log = logging.getLogger("consent_gate")

SECONDS_BETWEEN_EXPORT_LOOKS = 10.0
SECONDS_BETWEEN_TRIES_OF_THE_QUEUE = 10.0
MINUTE, HOUR = 60.0, 3600.0


@app.command()
def run(context: typer.Context) -> None:
    """Watch the inbox, release what is cleared and serve the queue, until stopped.

    Example: consent-gate --home /srv/consent-gate run
    """
    from ingest.runtime.runner import keep_running

    home = the_home(context)
    log_setup.start(home)
    stop = Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    web = Thread(target=_keep_serving, args=(home, stop), name="web", daemon=True)
    web.start()
    # An import with portraits takes minutes: photos, and a wish to stop, do not wait for it.
    Thread(target=_look_after_exports, args=(home, stop), name="exports", daemon=True).start()
    # Nor for a mail server that does not answer.
    Thread(target=_write_letters, args=(home, stop), name="letters", daemon=True).start()
    say(f"The queue is open at http://{home.settings.web.host}:{home.settings.web.port}/")
    say(f"Photos dropped into {home.inbox} are looked at within seconds. Stop with Ctrl+C.")
    keep_running(home, stop, _chores())
    web.join(timeout=5)
    gc.freeze()  # the process ends: to sort through all its memory once more takes seconds


def _chores() -> list[Chore]:
    from consent_gate.review.sealed_exports import forget_lapsed
    from ingest.runtime.periodic import Chore
    from publish.integrity.check import Seen, guard_round
    from publish.retention import retention_round

    guard = partial(guard_round, seen=Seen())
    return [
        Chore("Comparing the approved folders with the ledger", 5 * MINUTE, guard),
        Chore("Deleting what is past its period", HOUR, lambda home, _: retention_round(home)),
        Chore("Deleting exports nobody took", HOUR, lambda home, _: forget_lapsed(home)),
    ]


def _keep_serving(home: Home, stop: Event) -> None:
    """Serve the queue; a port that is taken may become free."""
    from consent_gate.web.server import serve

    while not stop.is_set():
        try:
            serve(home, stop)
        except OSError as error:
            log.error("The queue cannot be opened: %s.", error.strerror)
            stop.wait(SECONDS_BETWEEN_TRIES_OF_THE_QUEUE)


def _look_after_exports(home: Home, stop: Event) -> None:
    """Import what is dropped into the folder for exports; once an hour what time brings.

    None of it waits for the others: templates that may be kept no longer go although photos cannot
    be looked at.
    """
    from consent_gate.operations.reminders import daily
    from ingest.scheduling.reexamine import send_some_back
    from sims_import.applying.drop_folder import look_into_drop_folder

    next_round = time.monotonic()
    while not stop.wait(SECONDS_BETWEEN_EXPORT_LOOKS):
        _try("Looking into the folder for exports", look_into_drop_folder, home)
        _try("Sending pictures back", send_some_back, home)
        if time.monotonic() >= next_round:
            next_round = time.monotonic() + HOUR
            _try("Deleting and telling what time brings", daily, home)


def _write_letters(home: Home, stop: Event) -> None:
    """Tell staff by mail, every minute what is new and once a day what is held."""
    from consent_gate.web.notifications import write_letters

    while not stop.wait(MINUTE):
        _try("Writing to staff", write_letters, home)


def _try(what: str, task: Callable[[Home], object], home: Home) -> None:
    """Do something that comes round again; a fault is logged."""
    from django.db import close_old_connections

    try:
        close_old_connections()
        task(home)
    except Exception:
        log.exception("%s did not succeed and is tried again.", what)
