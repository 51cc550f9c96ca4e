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

from consent_gate.cli.app import app, open_selected_home
from consent_gate.cli.console import echo
from consent_gate.home import log_setup
from consent_gate.home.home import Home

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.runtime.periodic import PeriodicTask

log = logging.getLogger("consent_gate")

EXPORT_CHECK_INTERVAL = 10.0
QUEUE_RETRY_INTERVAL = 10.0
MINUTE, HOUR = 60.0, 3600.0


@app.command()
def run(context: typer.Context) -> None:
    """Watch the inbox, release what is cleared and serve the queue, until stopped.

    Example: consent-gate --home /srv/consent-gate run
    """
    from ingest.runtime.runner import run_gate

    home = open_selected_home(context)
    log_setup.start(home)
    stop = Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    web = Thread(target=_keep_serving, args=(home, stop), name="web", daemon=True)
    web.start()
    # An import with portraits takes minutes: photos, and a wish to stop, do not wait for it.
    Thread(target=_process_exports, args=(home, stop), name="exports", daemon=True).start()
    # Nor for a mail server that does not answer.
    Thread(target=_send_notifications, args=(home, stop), name="letters", daemon=True).start()
    echo(f"The queue is open at http://{home.settings.web.host}:{home.settings.web.port}/")
    echo(f"Photos dropped into {home.inbox} are looked at within seconds. Stop with Ctrl+C.")
    run_gate(home, stop, _periodic_tasks())
    web.join(timeout=5)
    gc.freeze()  # the process ends: to sort through all its memory once more takes seconds


def _periodic_tasks() -> list[PeriodicTask]:
    from consent_gate.review.sealed_exports import forget_lapsed
    from ingest.runtime.periodic import PeriodicTask
    from publish.integrity.check import VerifiedFilesCache, integrity_round
    from publish.retention import retention_round

    guard = partial(integrity_round, verified=VerifiedFilesCache())
    return [
        PeriodicTask("Comparing the approved folders with the ledger", 5 * MINUTE, guard),
        PeriodicTask(
            "Deleting what is past its period", HOUR, lambda home, _: retention_round(home)
        ),
        PeriodicTask("Deleting exports nobody took", HOUR, lambda home, _: forget_lapsed(home)),
    ]


def _keep_serving(home: Home, stop: Event) -> None:
    """Serve the queue; a port that is taken may become free."""
    from consent_gate.web.server import serve

    while not stop.is_set():
        try:
            serve(home, stop)
        except OSError as error:
            log.error("The queue cannot be opened: %s.", error.strerror)
            stop.wait(QUEUE_RETRY_INTERVAL)


def _process_exports(home: Home, stop: Event) -> None:
    """Import what is dropped into the folder for exports; once an hour what time brings.

    None of it waits for the others: templates that may be kept no longer go although photos cannot
    be looked at.
    """
    from consent_gate.operations.reminders import run_daily
    from ingest.scheduling.reexamine import requeue_batch
    from sims_import.applying.drop_folder import process_drop_folder

    next_round = time.monotonic()
    while not stop.wait(EXPORT_CHECK_INTERVAL):
        _try("Looking into the folder for exports", process_drop_folder, home)
        _try("Sending pictures back", requeue_batch, home)
        if time.monotonic() >= next_round:
            next_round = time.monotonic() + HOUR
            _try("Deleting and telling what time brings", run_daily, home)


def _send_notifications(home: Home, stop: Event) -> None:
    """Tell staff by mail, every minute what is new and once a day what is held."""
    from consent_gate.web.notifications import send_notifications

    while not stop.wait(MINUTE):
        _try("Writing to staff", send_notifications, home)


def _try(what: str, task: Callable[[Home], object], home: Home) -> None:
    """Do something that comes round again; a fault is logged."""
    from django.db import close_old_connections

    try:
        close_old_connections()
        task(home)
    except Exception:
        log.exception("%s did not succeed and is tried again.", what)
