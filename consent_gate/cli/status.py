"""The command ``status`` and the data that it shows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import typer

from consent_gate import __version__
from consent_gate.cli.app import AsJson, app, open_selected_home
from consent_gate.cli.console import echo, print_json
from consent_gate.db.models import ChannelDecision, Item, ItemState, Publication, PupilEntry
from consent_gate.home.home import Home
from consent_gate.messages import reason_message
from consent_gate.model import Reason
from consent_gate.operations.health import health
from consent_gate.operations.health.health_check import State, worst_state
from consent_gate.publication import IN_MANIFEST
from consent_gate.register.age import register_age
from consent_gate.register.repository import load_register
from ingest.runtime.heartbeat import read_heartbeat


@app.command()
def status(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the state of the gate: age of the consent list, waiting and published pictures.

    Example: consent-gate --home /srv/consent-gate status
    """
    home = open_selected_home(context)
    data = status_data(home)
    found = health.all_checks(home)
    if as_json:
        is_ok = worst_state(found) is not State.BAD
        checks = {check.code: check.state.value for check in found}
        print_json({**data, "version": __version__, "ok": is_ok, "checks": checks})
        return
    register = data["register"]
    echo(f"{home.settings.school.name} · {home.root}")
    if register["exported_on"] is None:
        echo("No consent list yet, so everything is held. Next: consent-gate import-sims FILE")
    else:
        stale = " TOO OLD: everything is held." if register["stale"] else ""
        echo(
            f"Consent list of {register['exported_on']} ({register['age_days']} days ago),"
            f" {register['pupils']} pupils, {register['enrolled']} with an enrolment photo.{stale}"
        )
    for purpose in register["suspended"]:
        message = reason_message(Reason.REGISTER_STALE)
        echo(f"Consents for '{purpose}' disappeared in an import. {message}")
    echo(f"{data['waiting']} photos wait to be examined, {data['decided']} are decided.")
    for film in data["films"]:
        echo(f"A film is being examined: {film['seconds_done']} of {film['seconds']} seconds.")
    for name, numbers in data["channels"].items():
        title = home.settings.channels[name].title
        echo(f"  {title}: {numbers['live']} published, {numbers['held']} held for review")
    for check in found:
        if check.state is not State.GOOD:
            echo(f"{check.title}: {check.message}")


def status_data(home: Home) -> dict[str, Any]:
    """Return the state of the gate, as ``status --json`` prints it."""
    register, age = load_register(home.now().date()), register_age(home)
    heartbeat = read_heartbeat(home)
    decided = ChannelDecision.objects.filter(item__state=ItemState.DECIDED)
    return {
        "school": home.settings.school.name,
        "register": {
            "exported_on": age.exported_on.isoformat() if age.exported_on else None,
            "age_days": age.days,
            "stale": age.is_stale,
            "pupils": PupilEntry.objects.filter(on_roll=True).count(),
            "enrolled": sum(p.enrolled_on is not None for p in register.pupils.values()),
            "suspended": sorted(register.suspended),
        },
        "waiting": Item.objects.filter(state=ItemState.RECEIVED).count(),
        "films": [asdict(film) for film in heartbeat.films] if heartbeat else [],
        "decided": Item.objects.filter(state=ItemState.DECIDED).count(),
        "channels": {
            name: {
                "live": Publication.objects.filter(channel=name, state__in=IN_MANIFEST).count(),
                "held": decided.filter(channel=name, verdict="held").count(),
            }
            for name in home.settings.channels
        },
    }
