"""The command ``run``, which starts the gate with its web pages and background tasks."""

from __future__ import annotations

import gc
import logging
import signal
import time
from contextlib import nullcontext
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

    from ingest.runtime.periodic import AnalysisWorkers, PeriodicTask
    from ingest.runtime.runner import OpenPool

log = logging.getLogger("consent_gate")

EXPORT_CHECK_INTERVAL = 10.0
FIRST_IMPORT_SECONDS = 300.0
"""The longest that a start waits for the exports that came while the gate was off. Without an end,
one that takes very long to read would stop the gate."""
QUEUE_RETRY_INTERVAL = 10.0
MINUTE, HOUR = 60.0, 3600.0


@app.command()
def run(context: typer.Context) -> None:
    """Run the gate: watch the inbox, release cleared pictures and serve the web pages.

    Example: consent-gate --home /srv/consent-gate run
    """
    home = open_selected_home(context)
    log_setup.start(home)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    web = Thread(target=_serve_pages, args=(home, stop), name="web", daemon=True)
    web.start()
    # A thread of its own, because a mail server may not answer.
    Thread(target=_send_notifications, args=(home, stop), name="notifications", daemon=True).start()
    echo(f"The queue is open at http://{home.settings.web.host}:{home.settings.web.port}/")
    echo(f"Photos in {home.inbox} are checked within seconds. Stop with Ctrl+C.")
    _run_after_exports(home, stop)
    web.join(timeout=5)
    gc.freeze()  # the process ends, and a last garbage collection would take seconds


def _run_after_exports(home: Home, stop: Event, open_pool: OpenPool | None = None) -> None:
    """Run the gate once the exports that lie in the drop folder are imported.

    One of them may withdraw a consent on which a picture rests that waits for its release.
    """
    from ingest.runtime.runner import run_gate

    imported = Event()
    # A thread of its own, because an import with portraits takes minutes.
    arguments = (home, stop, imported)
    Thread(target=_process_exports, args=arguments, name="exports", daemon=True).start()
    end = time.monotonic() + FIRST_IMPORT_SECONDS
    while not (imported.wait(0.2) or stop.is_set()) and time.monotonic() < end:
        pass
    run_gate(home, stop, _periodic_tasks(), open_pool)


def _periodic_tasks() -> list[PeriodicTask]:
    from consent_gate.review.sealed_exports import forget_lapsed
    from ingest.inbox.browser_uploads import remove_expired
    from ingest.pipeline import compare_with_closed
    from ingest.runtime.periodic import PeriodicTask
    from publish.channel.manifest import refresh_public_manifests
    from publish.integrity.check import VerifiedFilesCache, integrity_round
    from publish.retention import retention_round

    check = partial(integrity_round, verified=VerifiedFilesCache())
    return [
        PeriodicTask(
            "Comparing pictures with closed ones", 5, lambda home, _: compare_with_closed(home)
        ),
        PeriodicTask("Remembering faces that staff named", 15, _remember),
        PeriodicTask("Comparing the approved folders with the database", 5 * MINUTE, check),
        PeriodicTask(
            "Confirming the gallery's lists",
            15 * MINUTE,
            lambda home, _: refresh_public_manifests(home),
        ),
        PeriodicTask(
            "Deleting data past its retention period", HOUR, lambda home, _: retention_round(home)
        ),
        PeriodicTask(
            "Deleting unfinished uploads of photos", HOUR, lambda home, _: remove_expired(home)
        ),
        PeriodicTask(
            "Deleting expired exports of sealed pictures", HOUR, lambda home, _: forget_lapsed(home)
        ),
    ]


def _remember(home: Home, pool: AnalysisWorkers | None) -> object:
    """Make templates of queued faces with the gate's own workers, or else with one of its own."""
    from ingest.enrolment.remember import remember_queued

    if pool is None:
        return remember_queued(home)
    return remember_queued(home, lambda _home, _gallery: nullcontext(pool))


def _serve_pages(home: Home, stop: Event) -> None:
    """Serve the web pages. Tries again when the port is in use."""
    from consent_gate.web.server import serve

    while not stop.is_set():
        try:
            serve(home, stop)
        except OSError as error:
            log.error("The web pages cannot be served: %s. Trying again.", error.strerror)
            stop.wait(QUEUE_RETRY_INTERVAL)


def _process_exports(home: Home, stop: Event, imported: Event | None = None) -> None:
    """Import files from the drop folder, requeue pictures, and run the daily maintenance.

    A failure of one task does not stop the others: expired templates are deleted even while an
    import fails. The exports that are there at the start come first, without portraits; then
    ``imported`` is set.
    """
    from consent_gate.operations.reminders import run_daily
    from ingest.scheduling.reexamine import requeue_batch
    from sims_import.applying.drop_folder import import_exports, process_drop_folder

    _run_logged("Importing from the drop folder", import_exports, home)
    if imported is not None:
        imported.set()
    next_round = time.monotonic()
    while not stop.wait(EXPORT_CHECK_INTERVAL):
        _run_logged("Importing from the drop folder", process_drop_folder, home)
        _run_logged("Requeuing pictures", requeue_batch, home)
        if time.monotonic() >= next_round:
            next_round = time.monotonic() + HOUR
            _run_logged("The daily maintenance", run_daily, home)


def _send_notifications(home: Home, stop: Event) -> None:
    """Send e-mail to staff: new events every minute, held pictures once a day."""
    from consent_gate.web.notifications import send_notifications

    while not stop.wait(MINUTE):
        _run_logged("Sending e-mail to staff", send_notifications, home)


def _run_logged(description: str, task: Callable[[Home], object], home: Home) -> None:
    """Run a repeated task. An exception is logged, and the task runs again next time."""
    from django.db import close_old_connections

    try:
        close_old_connections()
        task(home)
    except Exception:
        log.exception("%s failed and will be tried again.", description)
