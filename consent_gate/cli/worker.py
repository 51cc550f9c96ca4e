"""Examining photos for homes that hand the work out."""

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
        Path | None, typer.Option("--trust", help="Work for all schools of this folder, in turn.")
    ] = None,
    processes: Annotated[
        int,
        typer.Option(
            "--processes", min=0, max=64, help="How many work at once; 0: as the settings say."
        ),
    ] = 0,
    until_done: Annotated[
        bool, typer.Option("--until-done", help="End when no work is left.")
    ] = False,
) -> None:
    """Examine photos for a home whose settings say \\[analysis] where = "workers", until stopped.

    Run it on as many machines as you like; each needs the home's folder, on shared storage, and
    its PostgreSQL server. Example: consent-gate --home /srv/consent-gate worker
    """
    stop = Event()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        signal.signal(wanted, lambda *_: stop.set())
    if trust is not None:
        _for_all(trust, stop, processes)
        return
    home = _with(open_selected_home(context), processes)
    if not jobs.uses_remote_workers(home):
        raise typer.BadParameter(
            'The photos of this home are examined by "consent-gate run" itself. To hand them out,'
            ' write where = "workers" under [analysis] in consent-gate.toml.'
        )
    log_setup.log_to_stderr()
    _for_one(home, stop, drain=until_done)


def _for_all(folder: Path, stop: Event, processes: int) -> None:
    from consent_gate.operations.school_scheduler import serve_schools
    from consent_gate.operations.trust import check_nothing_shared, load_trust

    trust = load_trust(folder)
    check_nothing_shared(trust)
    log_setup.log_to_stderr()
    echo(f"Working for {len(trust.schools)} schools. Stop with Ctrl+C.")
    serve_schools(trust, stop, processes)


def _for_one(home: Home, stop: Event, *, drain: bool) -> None:
    """Work; a fault is told and waited out, unless somebody else decides what comes next."""
    from ingest.runtime.faults import classify_error
    from ingest.runtime.worker_session import keep_connections, run_session

    keep_connections()
    while not stop.is_set():
        try:
            run_session(home, stop, drain=drain)
        except Exception as error:
            if drain:
                raise
            known = classify_error(error)
            if known is None:
                log.exception("The worker stumbled and starts again in a moment.")
            else:
                log.error("%s", known)
            stop.wait(FAULT_PAUSE_SECONDS)
        else:
            if drain:
                return


def _with(home: Home, processes: int) -> Home:
    if not processes:
        return home
    analysis = home.settings.analysis.model_copy(update={"workers": processes})
    return replace(home, settings=home.settings.model_copy(update={"analysis": analysis}))
