"""The command ``worker``, which examines photos for homes on other computers."""

from __future__ import annotations

import logging
import signal
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from consent_gate.cli.app import app, open_selected_home
from consent_gate.cli.console import echo
from consent_gate.db import jobs
from consent_gate.home import log_setup
from consent_gate.home.home import Home

log = logging.getLogger("consent_gate")

FAULT_PAUSE_SECONDS = 30.0


@app.command()
def worker(
    context: typer.Context,
    trust: Annotated[
        Path | None,
        typer.Option("--trust", help="Work for all schools of this trust folder, in turn."),
    ] = None,
    processes: Annotated[
        int,
        typer.Option(
            "--processes", min=0, max=64, help="Number of processes; 0: as in the settings."
        ),
    ] = 0,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="Stop when no photo is left to examine.")
    ] = False,
) -> None:
    """Examine photos for a home with the setting where = "workers" under \\[analysis].

    Run it on as many computers as you like. Each needs the home's folder on shared storage and
    access to its PostgreSQL server. Example: consent-gate --home /srv/consent-gate worker
    """
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if trust is not None:
        _work_for_trust(trust, stop, processes)
        return
    home = _with_processes(open_selected_home(context), processes)
    if not jobs.uses_remote_workers(home):
        raise typer.BadParameter(
            '"consent-gate run" examines the photos of this home itself. To use workers instead,'
            ' write where = "workers" under [analysis] in consent-gate.toml.'
        )
    log_setup.log_to_stderr()
    _work_for_home(home, stop, drain=until_done)


def _work_for_trust(folder: Path, stop: Event, processes: int) -> None:
    from consent_gate.operations.school_scheduler import serve_schools
    from consent_gate.operations.trust import check_nothing_shared, load_trust

    trust = load_trust(folder)
    check_nothing_shared(trust)
    log_setup.log_to_stderr()
    echo(f"Working for {len(trust.schools)} schools. Stop with Ctrl+C.")
    serve_schools(trust, stop, processes)


def _work_for_home(home: Home, stop: Event, *, drain: bool) -> None:
    """Examine photos until ``stop``. Failures are logged and retried; ``drain`` raises them."""
    from ingest.runtime.faults import classify_error
    from ingest.runtime.worker_session import keep_connections, run_session

    keep_connections()
    while not stop.is_set():
        try:
            run_session(home, stop, drain=drain)
        except Exception as error:
            if drain:
                raise
            fault = classify_error(error)
            if fault is None:
                log.exception("The worker failed and will start again.")
            else:
                log.error("%s", fault)
            stop.wait(FAULT_PAUSE_SECONDS)
        else:
            if drain:
                return


def _with_processes(home: Home, processes: int) -> Home:
    if not processes:
        return home
    analysis = home.settings.analysis.model_copy(update={"workers": processes})
    return replace(home, settings=home.settings.model_copy(update={"analysis": analysis}))
